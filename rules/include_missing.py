import errno
import os

from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity

# Files the nginx packages bring along; a repository rarely has its own copy.
_DISTRIBUTED = frozenset((
    "mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params", "koi-utf", "koi-win",
    "win-utf", "fastcgi-php.conf", "snakeoil.conf",
))  # fmt: skip
_LIVE = ("/etc/nginx", "/usr/local/etc/nginx", "/usr/local/nginx/conf")


class IncludeMissing(Rule):
    """An `include` names a file that is not there, cannot be read, or includes itself.

    Without a wildcard nginx insists on the file and refuses to start. A pattern that matches nothing is fine,
    but a `geo` takes it for a name before nginx 1.29.8.
    Relative paths start at the folder of nginx.conf, also in included files. Files that come with the nginx packages
    (mime.types, fastcgi_params, …), and absolute paths where the tree is not the live one, may well be there on the
    server: those are only mentioned, as is what only root may read when nginxlint is not run by root.
    Source: ngx_conf_include (src/core/ngx_conf_file.c), ngx_http_geo_include; nginx change log 1.29.8.
    """

    id = "include-missing"
    group = "correctness"
    severity = Severity.ERROR
    directives = ()
    judges = "failed_includes"
    tolerant = True
    examples = (
        Bad("events {}\ninclude no/such/file.conf; # here", context="main"),
        Bad("events {}\ninclude mime.types; # here", context="main"),
        Bad("geo $office { include networks/*.conf; } # here", version=(1, 29, 7)),
        Good("geo $office { include networks/*.conf; }", version=(1, 29, 8)),
        Good("events {}\ninclude conf.d/*.conf;", context="main"),
        Good("events {}", context="main"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        live = os.path.abspath(config.main.source.path).startswith(tuple(f"{folder}/" for folder in _LIVE))
        for include in config.failed_includes:
            if not include.problems:
                path = os.path.join(config.conf_folder, include.pattern)
                yield self.report(
                    include.directive,
                    "before 1.29.8 nginx expands no wildcards in a geo: it looks for a file of this very name",
                    help="include each file by its name",
                    blocks_start=True,
                    nginx_message=f'open() "{path}" failed (2: No such file or directory)',
                )
            for path, reason in include.problems:
                if not isinstance(reason, OSError):
                    yield self.report(
                        include.directive,
                        f"{path} includes itself: nginx goes round until it has no more files to open",
                        help="take this include out",
                        blocks_start=True,
                        nginx_message=f'open() "{path}" failed (24: Too many open files)',
                    )
                    continue
                if config.snippet:
                    continue  # where a loose piece is read from is not known
                elsewhere = os.path.basename(path) in _DISTRIBUTED
                elsewhere = elsewhere or (include.pattern.startswith("/") and not live)
                elsewhere = elsewhere or reason.errno in (errno.EFBIG, errno.EINVAL)  # limits of ours, not of nginx
                elsewhere = elsewhere or (isinstance(reason, PermissionError) and os.geteuid() != 0)  # nor of root
                why = (reason.strerror or str(reason)).lower()
                said = os.strerror(reason.errno) if reason.errno else reason.strerror
                yield self.report(
                    include.directive,
                    f"{path}: {why}" + (" (what it holds is not known)" if elsewhere else ""),
                    severity=Severity.INFO if elsewhere else Severity.ERROR,
                    help=() if elsewhere else (f"relative includes start at {config.conf_folder or '.'}",),
                    blocks_start=not elsewhere,
                    nginx_message=None if elsewhere else f'open() "{path}" failed ({reason.errno}: {said})',
                )
