from nginxlint import PASSES, Bad, Config, Diagnostic, Good, Iterator, Rule, Severity


class ClientMaxBodyUnset(Rule):
    """No `client_max_body_size` anywhere: uploads over 1 MB get 413.

    The default is one megabyte. A backend that takes larger uploads never sees them: nginx answers 413 (Request Entity
    Too Large) by itself. Set it where uploads arrive. Off unless selected: for many sites 1 MB is plenty.
    Source: client_max_body_size (ngx_http_core_module).
    """

    id = "client-max-body-unset"
    group = "proxy"
    severity = Severity.INFO
    directives = PASSES
    opt_in = True
    examples = (
        Bad("location / {\n proxy_pass http://app; # here\n}\nlocation /b { proxy_pass http://app; }"),
        Good("client_max_body_size 20m; location / { proxy_pass http://app; }"),
        Good("location / { root /srv; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if "client_max_body_size" in config.names or config.broken:
            return
        first = next((target for target in config.passes(*PASSES) if target.kind == "http"), None)
        if first is not None:
            yield self.report(
                first.directive,
                "uploads over 1 MB get 413 and never reach the backend: client_max_body_size is set nowhere",
                help="write client_max_body_size with what the backend takes, for example 20m",
            )
