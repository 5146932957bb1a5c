from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, milliseconds, replace

_LONGEST = 75_000
_SYSTEM = 127_000  # 1 + 2 + 4 + … + 64 s: six SYNs are sent again


class ProxyConnectTimeoutLong(Rule):
    """A connect timeout of more than 75 seconds, in which no connection comes about that did not at once.

    A server that is there takes a connection in milliseconds, so a long timeout only makes visitors wait for one that is
    not, or until the system gives up (Linux after about two minutes); often `proxy_read_timeout` is meant, the time a
    server may take for its answer. Write a few seconds.
    Source: documentation of proxy_connect_timeout ("cannot usually exceed 75 seconds"); tcp_syn_retries of Linux.
    """

    id = "proxy-connect-timeout-long"
    group = "proxy"
    severity = Severity.INFO
    directives = tuple(
        f"{family}_connect_timeout" for family in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")
    )
    examples = (
        Bad(
            "location / { proxy_connect_timeout 300s; # here\n proxy_pass http://app; }",
            "location / { proxy_connect_timeout 75s; # here\n proxy_pass http://app; }",
        ),
        Bad("fastcgi_connect_timeout 5m; # here"),
        Good("location / { proxy_connect_timeout 75s; proxy_read_timeout 300s; proxy_pass http://app; }"),
        Good("location / { proxy_connect_timeout 5000ms; proxy_pass http://app; }"),
        Good("location / { proxy_connect_timeout 3000; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setting in config.find(*self.directives):
            text = "".join(setting.values[:1])
            if text.isdecimal() and len(text) > 3:
                continue  # milliseconds are meant: timeout-unit-suspicious
            time = milliseconds(setting)
            if time is not None and time > _LONGEST:
                yield self.report(
                    setting.args[0],
                    f"visitors wait {_wait(text, time)} for a server that is not there: others connect in milliseconds",
                    Fix("write 75s", (replace(setting.args[0].span, "75s"),), safe=False),
                    help=f"write a few seconds; {_patience(setting)} is the time an answer may take",
                )


def _wait(text: str, time: int) -> str:
    """How long: nginx's limit, or that of the system where it comes first."""
    if time > _SYSTEM:
        return "two minutes (Linux gives up then)"
    return f"up to {text}{'s' if text.isdecimal() else ''}"


def _patience(setting: Directive) -> str:
    """The setting that is meant."""
    return "proxy_timeout" if setting.enclosing("stream") is not None else setting.name.replace("connect", "read")
