from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    number_or,
    replace,
)

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")
_OF_UPSTREAMS = tuple(f"{family}_{what}_timeout" for family in _FAMILIES for what in ("connect", "read", "send"))
_OTHER = (
    "client_body_timeout",
    "client_header_timeout",
    "send_timeout",
    "keepalive_timeout",
    "resolver_timeout",
    "proxy_timeout",
)
# nginx gives up at once with these on 0; with send timeouts only where it has to wait.
_AT_ONCE = (
    *(name for name in _OF_UPSTREAMS if "_send_" not in name),
    "client_body_timeout",
    "client_header_timeout",
    "proxy_timeout",
)


class TimeoutUnitSuspicious(Rule):
    """A timeout without a unit that looks like milliseconds, one of a few milliseconds, or one of 0.

    A bare number is seconds: `proxy_read_timeout 30000` lets requests hang for eight hours; `60ms` was meant as 60 s,
    and slow answers become 504. 0 does not mean "no limit": nginx gives up at once, 504 for every request. Write the
    unit (`30s`, `500ms`), and a long time (`1h`) where there shall be no limit.
    Source: "Configuration file measurement units" in the nginx documentation; ngx_event_add_timer.
    """

    id = "timeout-unit-suspicious"
    group = "correctness"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = _OF_UPSTREAMS + _OTHER
    examples = (
        Bad("proxy_read_timeout 30000; # here", "proxy_read_timeout 30000ms; # here"),
        Bad("proxy_connect_timeout 1000; # here", "proxy_connect_timeout 1000ms; # here"),
        Bad("fastcgi_read_timeout 60ms; # here", "fastcgi_read_timeout 60s; # here"),
        Bad("location / { proxy_read_timeout 0; # here\n proxy_pass http://app; }"),
        Bad("stream { server { listen 90; proxy_timeout 0s; # here\n proxy_pass a:1; } }", context="main"),
        Good("proxy_read_timeout 3600; send_timeout 86400; keepalive_timeout 7200;"),
        Good("proxy_read_timeout 600; proxy_connect_timeout 500ms;"),
        Good("keepalive_timeout 0; proxy_send_timeout 0;"),
        Good("proxy_read_timeout 604800;"),
        Good("keepalive_timeout 65 60;"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setting in config.saying(_is_odd, *self.directives):
            text = setting.values[0]
            if (seconds := number_or(text, 0)) >= 1000:
                if _looks_like_milliseconds(setting.name, seconds):
                    yield self._report(setting, f"{_spoken(seconds)}, as a bare number is seconds", f"{text}ms")
            elif text.endswith("ms") and 0 < number_or(text[:-2], 0) <= 100:
                if setting.name in _OF_UPSTREAMS:
                    late = "what takes longer to connect to" if "_connect_" in setting.name else "a slow answer"
                    yield self._report(setting, f"{text[:-2]} milliseconds, so {late} is given up", f"{text[:-2]}s")
            elif text[:1] == "0" and not text.strip("0smhd") and setting.name in _AT_ONCE:
                yield self.report(
                    setting.args[0],
                    f"{setting.name} 0 does not mean “no limit”: nginx gives up at once",
                    confidence=Confidence.HIGH,
                    help="write a long time where there shall be no limit, for example 1h",
                )

    def _report(self, setting: Directive, what: str, better: str) -> Diagnostic:
        word = setting.args[0]
        return self.report(
            word,
            f"{setting.name} {word.text} is {what}",
            Fix(f"write {better}", (replace(word.span, better),), safe=False),
            help=f"write the unit: {better}, or {word.text}{'s' if word.text.isdecimal() else ''} if that is meant",
        )


def _is_odd(values: tuple[str, ...]) -> bool:
    """Thousands without a unit, milliseconds, or nothing at all? A quick look."""
    text = "".join(values[:1])
    return text.endswith("ms") or text[:1] == "0" or (len(text) > 3 and text.isdecimal())


def _looks_like_milliseconds(name: str, number: int) -> bool:
    """Round in milliseconds and no round number of hours, or more than a connection can take to be made."""
    if "_connect_" in name:
        return True
    return number >= 5000 and number % 1000 == 0 and (number % 3600 != 0 or number % 60_000 == 0)


def _spoken(seconds: int) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
