from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, Severity, note

_PASSES = ("proxy_pass", "uwsgi_pass", "grpc_pass")


class TryFilesWithProxy(Rule):
    """`try_files` and `proxy_pass` in one location: the files are never served.

    `try_files` only picks the path; the location's handler answers, and that is the proxy. A file that is there is
    asked of the backend all the same, `=404` keeps every path without a file from it, and a fallback such as
    /index.html that leads back here is passed on under that name or goes round until nginx gives 500. Serve files in
    one location and pass on in another: `try_files $uri @app;` with `location @app { proxy_pass …; }`.
    Source: ngx_http_core_try_files_phase (it runs before the content handler).
    """

    id = "try-files-with-proxy"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("try_files",)
    examples = (
        Bad("location / {\n try_files $uri $uri/ /index.html; # here\n proxy_pass http://app;\n}"),
        Bad("location / {\n proxy_pass http://app;\n try_files $uri =404; # here\n}"),
        Bad("location / {\n uwsgi_pass app:1;\n try_files $uri @app; # here\n}\nlocation @app { uwsgi_pass app:1; }"),
        Good("location / { try_files $uri @app; } location @app { proxy_pass http://app; }"),
        Good("location ~ \\.php$ { try_files $uri =404; fastcgi_pass app:9000; }"),
        Good("location / { proxy_pass http://app; location /static/ { try_files $uri =404; } }"),
        Good("location / { try_files /maintenance.html @app; } location @app { proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        passes = {one.parent: one for one in config.find(*_PASSES)}
        for tried in config.find("try_files"):
            target = passes.get(tried.parent)
            if target is not None and len(tried.values) > 1 and tried.enclosing("location") is tried.parent:
                yield self._finding(tried, target)

    def _finding(self, directive: Directive, target: Directive) -> Diagnostic:
        last = directive.values[-1]
        if last.startswith("="):
            outcome = f"a path without a file gets {last[1:]}, the backend is asked for those with one"
        elif last.startswith("@"):
            outcome = f"the backend is asked for files that are here, {last} for all else"
        else:
            outcome = f"the backend is asked for files that are here, and for {last} instead of all else"
        return self.report(
            directive,
            f"no file is served from disk here: {outcome}",
            related=(note(target, "answers whatever try_files finds"),),
            help=f"write try_files $uri @app; here, and {target.name} into a location @app",
        )
