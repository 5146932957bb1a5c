from nginxlint import Bad, Confidence, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_after, note


class CacheTempCrossDevice(Rule):
    """Answers are written to a temporary folder that may be on another disk than the cache: each is copied over.

    Within one file system nginx only renames the file. Without `use_temp_path=off` it writes to `proxy_temp_path`
    first; where that lies in another tree (/data and /var), the file may have to be copied. Write
    `use_temp_path=off` (nginx 1.7.10). Reported where both folders are written and their first part differs.
    Source: documentation of proxy_cache_path.
    """

    id = "cache-temp-cross-device"
    group = "cache"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = tuple(f"{family}_temp_path" for family in ("proxy", "fastcgi", "uwsgi", "scgi"))
    examples = (
        Bad(
            "proxy_temp_path /var/tmp/nginx;\nproxy_cache_path /data/cache keys_zone=z:1m; # here",
            "proxy_temp_path /var/tmp/nginx;\nproxy_cache_path /data/cache keys_zone=z:1m use_temp_path=off; # here",
            context="http",
        ),
        Good("proxy_temp_path /data/tmp; proxy_cache_path /data/cache keys_zone=z:1m;", context="http"),
        Good("proxy_temp_path /tmp/x; proxy_cache_path /data/c keys_zone=z:1m use_temp_path=off;", context="http"),
        Good("proxy_cache_path /data/cache keys_zone=z:1m;", context="http"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for temporary in config.find(*self.directives):
            family = temporary.name.removesuffix("_temp_path")
            for path in config.find(f"{family}_cache_path"):
                where, there = "".join(path.values[:1]), "".join(temporary.values[:1])
                if not where.startswith("/") or not there.startswith("/") or "use_temp_path=off" in path.values:
                    continue
                if where.split("/")[1] != there.split("/")[1]:
                    fix = Fix(
                        "write use_temp_path=off", (insert_after(path.head_span, " use_temp_path=off"),), safe=False
                    )
                    yield self.report(
                        path,
                        f"answers are written to {there} first, and copied if that is another file system than {where}",
                        fix,
                        related=(note(temporary, "the temporary folder"),),
                        help="write use_temp_path=off",
                    )
