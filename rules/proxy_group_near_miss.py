from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterable,
    Iterator,
    Pass,
    Rule,
    Severity,
    note,
    replace,
)


class ProxyGroupNearMiss(Rule):
    """`proxy_pass` names something that is almost the name of an upstream group, but not quite.

    nginx then takes it for a host name: it refuses to start where that does not resolve, and sends the traffic to a
    stranger where it does. Write the name as the group has it.
    Source: ngx_http_upstream_add (src/http/ngx_http_upstream.c).
    """

    id = "proxy-group-near-miss"
    group = "proxy"
    severity = Severity.ERROR
    confidence = Confidence.MEDIUM
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream backend { server a:1; }\n"
            "proxy_set_header Host a;\nserver { location / { proxy_pass http://backnd/v1; } # here\n}",
            "upstream backend { server a:1; }\n"
            "proxy_set_header Host a;\nserver { location / { proxy_pass http://backend/v1; } # here\n}",
        ),
        Bad(
            "upstream my-app { server a:1; }\n"
            "proxy_set_header Host a;\nserver { location / { proxy_pass http://my_app; } # here\n}"
        ),
        Bad(
            "upstream backend { server a:1; }\n"
            "proxy_set_header Host a;\nserver { set $b backnd; location / { proxy_pass http://$b; } # here\n}"
        ),
        Good("upstream backend { server a:1; }\nserver { location / { proxy_pass http://backend; } }"),
        Good("upstream app1 { server a:1; }\nserver { location / { proxy_pass http://app2; } }"),
        Good("upstream api { server a:1; }\nserver { location / { proxy_pass http://app; } }"),
        Good("upstream backend { server backends:1; }\nserver { location / { proxy_pass http://backends; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        targets = list(_targets(config))
        names = {upstream.name.lower(): upstream for upstream in config.upstreams} if targets else {}
        strangers = [target for target in targets if target.host.lower() not in names and not target.is_address]
        hosts = {peer.host.lower() for group in config.upstreams for peer in group.peers} if strangers else set()
        squeezed = {_squeeze(name): name for name in names} if strangers else {}
        shortened: dict[str, list[str]] | None = None
        for target in strangers:
            host = target.host.lower()
            if not host or host in hosts or "$" in host:
                continue
            near = squeezed.get(_squeeze(host))
            if near is None:
                shortened = _shortened(names) if shortened is None else shortened
                near = _one_letter_off(host, shortened)
            if near is None:
                continue
            word = target.directive.args[0]
            at = word.text.find(target.host)
            place = word.part(at, at + len(target.host)) if at >= 0 else word.span
            name = names[near].name
            fixes = (Fix(f'rename to "{name}"', (replace(place, name),), safe=False),) if at >= 0 else ()
            yield self.report(
                place,
                f'"{target.host}" is no upstream group; "{name}" is',
                *fixes,
                label="taken for a host name, looked up once when nginx starts",
                related=(note(names[near].block, "a group of nearly that name is defined here"),),
                help=f'did you mean "{name}"?',
                nginx_message=f'host not found in upstream "{target.host}"',
                at=target.directive,
            )


def _targets(config: Config) -> Iterator[Pass]:
    """The targets as written, and what those with variables become."""
    for target in config.direct_passes:
        if target.unix is not None or (target.port is not None and target.family not in ("proxy", "grpc")):
            continue  # these need a port to name a host
        if not target.has_variables:
            yield target
            continue
        for value in config.fold(target.directive, target.text) or ():
            yield Pass(target.directive, value.text)


def _squeeze(name: str) -> str:
    return name.replace("-", "").replace("_", "").replace(".", "")


def _shortened(names: Iterable[str]) -> dict[str, list[str]]:
    """Group names by themselves and by what is left of them without any one letter: two names that differ by one
    letter share such a rest, so nobody has to be compared with everybody."""
    rests: dict[str, list[str]] = {}
    for name in names:
        for rest in _rests(name) if len(name) >= 5 else ():
            rests.setdefault(rest, []).append(name)
    return rests


def _rests(name: str) -> set[str]:
    return {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}


def _one_letter_off(host: str, shortened: dict[str, list[str]]) -> str | None:
    """The group that differs by one letter (not a digit: app1 and app2 are two things), left out, added or changed."""
    if len(host) < 5 or "." in host:
        return None
    near = {name: None for rest in sorted(_rests(host)) for name in shortened.get(rest, ())}
    for name in near:
        start = 0
        while start < min(len(name), len(host)) and name[start] == host[start]:
            start += 1
        end = 0
        while end < min(len(name), len(host)) - start and name[-1 - end] == host[-1 - end]:
            end += 1
        rest = name[start : len(name) - end] + host[start : len(host) - end]
        if len(name) - start - end <= 1 and len(host) - start - end <= 1 and not any(map(str.isdigit, rest)):
            return None if rest in ("s",) else name
    return None
