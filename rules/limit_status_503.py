from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, insert_line_after, note

_SHOWN = 3


class LimitStatus503(Rule):
    """Visitors who exceed a limit get 503, as if the site were down.

    503 says "try again, it is our fault": browsers and clients repeat the request, monitoring raises an alarm, and search
    engines slow down. 429 (Too Many Requests) says whose limit it is. Write `limit_req_status 429;` (and
    `limit_conn_status 429;`) in `http`.
    Source: documentation of limit_req_status and limit_conn_status; RFC 6585, 4.
    """

    id = "limit-status-503"
    group = "correctness"
    severity = Severity.INFO
    directives = ("limit_req", "limit_conn")
    examples = (
        Bad(
            "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/s;\nserver { limit_req zone=one; } # here",
            "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/s;\nlimit_req_status 429;\n"
            "server { limit_req zone=one; } # here",
        ),
        Bad(
            "limit_conn_zone $host zone=one:1m;\nserver { limit_conn one 9; # here\n location / { limit_conn one 5; } }"
        ),
        Good("limit_req_status 429; server { limit_req zone=one; }"),
        Good("server { limit_req_status 444; location / { limit_req zone=one; } }"),
        Good("location / { limit_req zone=one; limit_req_dry_run on; }"),
        Good("location / { limit_req zone=one; error_page 503 =429 /slow.html; }"),
        Good("stream { server { listen 90; limit_conn one 10; proxy_pass a:1; } }", context="main"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.snippet:
            return  # the status is mostly set in http
        for name in self.directives:
            told = [limit for limit in config.find(name) if _answers_503(config, limit)]
            if not told:
                continue
            # the status is inherited: one line beside the zones is for all limits
            zone = next((zone for zone in config.find(f"{name}_zone") if zone.enclosing("stream") is None), None)
            for limit in told[:1] if zone is not None else told:
                line = f"{name}_status 429;"
                more = f" (and {len(told) - 1} more)" if zone is not None and len(told) > 1 else ""
                yield self.report(
                    limit,
                    f"visitors who exceed this limit{more} get 503, as if the site were down",
                    Fix(f"write {line}", (insert_line_after(zone or limit, line),), safe=False),
                    related=tuple(note(other, "so do these") for other in told[1 : 1 + _SHOWN]) if more else (),
                    help=f"write {line} in http",
                )


def _answers_503(config: Config, limit: Directive) -> bool:
    scope = config.scope(limit)
    if limit.enclosing("stream") is not None or scope.directive(f"{limit.name}_status") is not None:
        return False
    if scope.on(f"{limit.name}_dry_run"):
        return False
    return not any("503" in page.values[:-1] for page in scope.effective("error_page"))
