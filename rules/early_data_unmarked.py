from nginxlint import Bad, Block, Config, Diagnostic, Directive, Fix, Good, Iterator, Pass, Rule, add_to_set, note

_SET = {f"{family}_pass": f"{family}_set_header" for family in ("proxy", "grpc")}
_SET |= {f"{family}_pass": f"{family}_param" for family in ("fastcgi", "uwsgi", "scgi")}


class EarlyDataUnmarked(Rule):
    """TLS early data is accepted and handed on, and the backend cannot tell: a recorded request can be sent again.

    With `ssl_early_data on` a request may arrive before the handshake is complete. Whoever recorded it can replay it: a
    payment or an order is made twice. The backend has to be told, `proxy_set_header Early-Data $ssl_early_data;`, so that
    it can answer 425 (Too Early); or nginx answers 425 itself where `$ssl_early_data` is 1.
    Source: documentation of ssl_early_data; RFC 8470.
    """

    id = "early-data-unmarked"
    group = "security"
    directives = ("ssl_early_data",)
    examples = (
        Bad(
            "server {\n    ssl_early_data on; # here\n    location / {\n        proxy_pass http://app;\n    }\n}",
            "server {\n    ssl_early_data on; # here\n    location / {\n        proxy_pass http://app;\n"
            "        proxy_set_header Early-Data $ssl_early_data;\n    }\n}",
        ),
        Bad("server { ssl_early_data on; # here\n proxy_set_header A b; location / { proxy_pass http://app; } }"),
        Good(
            "ssl_early_data on; proxy_set_header Early-Data $ssl_early_data; server { location / { proxy_pass http://a; } }"
        ),
        Good("server { ssl_early_data on; if ($ssl_early_data) { return 425; } location / { proxy_pass http://a; } }"),
        Good("server { ssl_early_data on; location / { root /srv; } }"),
        Good("server { ssl_early_data off; location / { proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial or any(_tells(line) for line in config.find("if", "map", "set")):
            return  # what becomes of such requests is decided there
        marked = {line.parent for line in config.find(*_SET.values()) if _tells(line)}
        for switch in config.find("ssl_early_data"):
            if switch.values[:1] != ("on",):
                continue
            untold: dict[Block, Pass] = {}
            for target in config.passes(*_SET):
                scope = config.scope(target.directive)
                block = config.setter(_SET[target.directive.name], target.directive) or scope.block
                if block not in marked and scope.directive("ssl_early_data") is switch:
                    untold.setdefault(block, target)
            if untold:
                yield self._finding(config, switch, list(untold.values()))

    def _finding(self, config: Config, switch: Directive, untold: list[Pass]) -> Diagnostic:
        edits = []
        for target in untold:
            edits.append(add_to_set(config.scope(target.directive), _line(target), target.directive))
        return self.report(
            switch,
            "a recorded request can be sent again, and the backend cannot tell: Early-Data is not handed on",
            Fix("tell the backend", tuple(edits), safe=False),
            related=tuple(note(target.directive, "does not tell this backend") for target in untold[:3]),
            help=f"write {_line(untold[0])}",
        )


def _line(target: Pass) -> str:
    name = _SET[target.directive.name]
    return f"{name} {'HTTP_EARLY_DATA' if name.endswith('_param') else 'Early-Data'} $ssl_early_data;"


def _tells(line: Directive) -> bool:
    return any("ssl_early_data" in value for value in line.values)
