from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Scope,
    Severity,
    insert_line_after,
    milliseconds,
    note,
    number_or,
)

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")
_READ = tuple(f"{family}_read_timeout" for family in _FAMILIES)
_BUDGET = tuple(f"{family}_next_upstream_timeout" for family in _FAMILIES)
_LONG = 300_000
_DEFAULT = 60_000


class ProxyRetryBudget(Rule):
    """A visitor may wait for one server after the other, or nginx gives up before it can try a second one.

    A server that does not answer costs `proxy_read_timeout`, then nginx tries the next: with three servers and 300 s
    the visitor sees 504 after a quarter of an hour. Say how long all tries may take together with
    `proxy_next_upstream_timeout`, or how many there may be with `proxy_next_upstream_tries`. A budget shorter than
    `proxy_connect_timeout`, on the other hand, is used up by the first server that does not take the connection.
    Source: documentation of proxy_next_upstream_timeout; ngx_http_upstream_next.
    """

    id = "proxy-retry-budget"
    group = "proxy"
    severity = Severity.INFO
    directives = _READ + _BUDGET
    examples = (
        Bad(
            "upstream app { server a:1; server b:1; server c:1; }\nserver { location / {\n proxy_read_timeout 10m; # here\n"
            " proxy_pass http://app;\n} }",
            "upstream app { server a:1; server b:1; server c:1; }\nserver { location / {\n proxy_read_timeout 10m;\n"
            " proxy_next_upstream_timeout 10m; # here\n proxy_pass http://app;\n} }",
        ),
        Bad(
            "upstream app { server a:1; server b:1; }\nserver { proxy_next_upstream_timeout 5s; # here\n"
            "location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { proxy_read_timeout 300s; proxy_next_upstream_tries 1;\n"
            "location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { proxy_read_timeout 300s; proxy_next_upstream error;\n"
            "location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { location / { proxy_read_timeout 1h;\n"
            "proxy_set_header Upgrade $http_upgrade; proxy_pass http://app; } }"
        ),
        Good("upstream app { server a:1; }\nserver { proxy_read_timeout 300s; location / { proxy_pass http://app; } }"),
        Good("upstream app { server a:1; server b:1; }\nserver { location / { proxy_pass http://app; } }"),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { proxy_next_upstream_timeout 5s; proxy_connect_timeout 2s;\n"
            "location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { proxy_next_upstream_timeout 0;\n"
            "location / { proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        several = {use.target.family for group, uses in config.used_groups if len(group.peers) > 1 for use in uses}
        sockets = {one.block for one in config.handshakes if one.complete} if several else set()
        for name in self.directives:
            family, is_read = name.partition("_")[0], name in _READ
            for _, settings in config.alike(name).groups() if family in several else ():
                time = milliseconds(settings[0]) or 0
                if not time or (is_read and time < _LONG):
                    continue
                for setting in settings:
                    if not is_read or setting.parent not in sockets:  # a WebSocket may be silent for long
                        yield from self._judge(config, setting, family, time)

    def _judge(self, config: Config, setting: Directive, family: str, time: int) -> Iterator[Diagnostic]:
        for target in config.governed(setting, f"{family}_pass"):
            scope = config.scope(target.directive)
            tries = _tries(config, target, scope, family)
            if tries < 2 or config.request_headers(scope, family).of("Upgrade") is not None:
                continue
            is_read = setting.name in _READ
            if is_read and not scope.milliseconds(f"{family}_next_upstream_timeout", 0):
                yield self._waits(setting, target, family, tries, time)
                return
            connect = scope.milliseconds(f"{family}_connect_timeout", _DEFAULT)
            if not is_read and time <= connect:
                yield self._gives_up(setting, target, family, time, connect)
                return

    def _waits(self, setting: Directive, target: Pass, family: str, tries: int, time: int) -> Diagnostic:
        line = f"{family}_next_upstream_timeout {setting.values[0]};"
        return self.report(
            setting,
            f"a visitor may wait {tries} times {time // 1000} s: nginx tries {tries} servers one after the other, then "
            "answers 504",
            Fix(f"write {line}", (insert_line_after(setting, line),), safe=False),
            related=(note(target.directive, f"a group of {tries} servers"),),
            help=f"write {line} or {family}_next_upstream_tries 2;",
        )

    def _gives_up(self, setting: Directive, target: Pass, family: str, time: int, connect: int) -> Diagnostic:
        return self.report(
            setting,
            f"the next server is never tried after one that does not take the connection: that alone may take "
            f"{connect // 1000} s, and all tries together only {time / 1000:g} s",
            related=(note(target.directive, "several servers"),),
            help=f"write {family}_connect_timeout {max(1, time // 3000)}s; or a longer {setting.name}",
        )


def _tries(config: Config, target: Pass, scope: Scope, family: str) -> int:
    """How many servers nginx tries for a request that times out."""
    group = target.group(config)
    conditions = scope.directive(f"{family}_next_upstream")
    if group is None or (conditions is not None and "timeout" not in conditions.values):
        return 1
    servers = sum(not peer.down for peer in group.peers)
    limit = number_or(scope.value(f"{family}_next_upstream_tries", "0"), 0)
    return min(servers, limit) if limit else servers
