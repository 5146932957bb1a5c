from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Note,
    Pass,
    Rule,
    destinations,
    is_public_name,
    note,
    replace,
)

_OFF = "proxy_redirect is off"


class ProxyRedirectInactive(Rule):
    """Redirects of the backend are not rewritten: the visitor is sent to a name or port of the inside.

    By default nginx replaces the text of `proxy_pass` at the beginning of a Location header. It cannot where the target
    has variables, nor with `proxy_redirect off`; it finds nothing where the backend is told another Host than the
    target's, or where the target is written with the port that its scheme implies (the backend leaves it out). A
    redirect to a login page then leads to http://app:8080/login. Send the visitor's own name (`proxy_set_header Host
    $host;`), or write what to replace: `proxy_redirect http://app:8080/ /;`. Not reported in `internal` locations and
    for hosts of the Internet.
    Source: documentation of proxy_redirect; ngx_http_proxy_merge_loc_conf (src/http/modules/ngx_http_proxy_module.c).
    """

    id = "proxy-redirect-inactive"
    group = "proxy"
    confidence = Confidence.MEDIUM
    directives = ("proxy_pass",)
    examples = (
        Bad("location / { set $app app:8080; proxy_pass http://$app; } # here"),
        Bad("location / { proxy_set_header Host app.internal; proxy_pass http://10.0.0.5:8080; } # here"),
        Bad("location / {\n proxy_pass http://app:80; # here\n}", "location / {\n proxy_pass http://app; # here\n}"),
        Good("location / { set $app app:8080; proxy_set_header Host $host; proxy_pass http://$app; }"),
        Good("location / { set $app app:8080; proxy_redirect http://app:8080/ /; proxy_pass http://$app; }"),
        Good("location / { proxy_pass http://app:8080; } location /a/ { proxy_pass https://app; }"),
        Good("server { server_name a.test; location / { proxy_set_header Host a.test; proxy_pass http://10.0.0.5; } }"),
        Good("location / { internal; set $app app:8080; proxy_pass http://$app; }"),
        Good("location / { proxy_pass http://$host; }"),
        Good("location / { proxy_set_header Host shop.example.com; proxy_pass https://192.0.2.7; }"),
        Good("location / { proxy_set_header Host app.internal; proxy_pass http://app.internal; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # Host and proxy_redirect are often included
        fixed = config.holders("proxy_set_header", _is_fixed_host)
        off = config.holders("proxy_redirect", ("off",).__eq__)
        for target in config.passes():
            port_implied = target.port is not None and target.port == target.default_port
            if not (fixed or off or target.has_variables or port_implied):
                continue
            scope = config.scope(target.directive)
            origin = scope.origin("proxy_set_header") if fixed else None
            told_another = origin is not None and origin.block in fixed
            rewrites = scope.origin("proxy_redirect")
            is_off = rewrites is not None and rewrites.block in off
            if not (target.has_variables or told_another or port_implied or is_off) or (rewrites and not is_off):
                continue
            location = config.location(target.directive)
            if target.kind != "stream" and location is not None and location.internal is None:
                yield from self._judge(config, target, _OFF if is_off else "")

    def _judge(self, config: Config, target: Pass, off: str) -> Iterator[Diagnostic]:
        headers = config.request_headers(config.scope(target.directive))
        if off and "x-forwarded-host" in headers.configured:
            return  # the backend is meant to go by that one: Odoo's own documentation
        host = headers.of("host")
        sent = host.value if host is not None else ""
        if sent == "$proxy_host" and target.has_variables:
            ends = destinations(config, target) or ()
            inside = next((end for end in ends if end.host and not is_public_name(end.host)), None)
            if inside is not None:
                yield self._finding(
                    target, inside.authority, off or "the target has variables, so nothing is rewritten"
                )
        elif sent == "$proxy_host" and off:
            if not is_public_name(target.host):
                yield self._finding(target, "localhost" if target.unix else target.authority, off)
        elif sent == "$proxy_host":
            if target.port is not None and target.port == target.default_port:
                why = "the backend leaves this port out of its redirects, so nothing is rewritten"
                yield self._finding(target, target.host, why, _without_port(target))
        elif (
            sent
            and "$" not in sent
            and (off or sent != target.authority)
            and not _is_for_visitors(config, target, sent)
        ):
            assert host is not None and host.directive is not None
            yield self._finding(
                target,
                sent,
                off or f"only redirects to {target.authority} are rewritten",
                related=(note(host.directive, "the name the backend is told"),),
            )

    def _finding(
        self, target: Pass, inside: str, label: str, *fixes: Fix, related: tuple[Note, ...] = ()
    ) -> Diagnostic:
        idle = label == _OFF and inside == target.authority  # the default would do
        mending = "take proxy_redirect off out," if idle else f"write proxy_redirect http://{inside}/ /;"
        return self.report(
            target.directive.args[0],
            f"a redirect of the backend sends visitors to {inside}",
            *fixes,
            label=label,
            related=related,
            help=f"{mending} or send the visitor's name: proxy_set_header Host $host;",
        )


def _without_port(target: Pass) -> Fix:
    word = target.directive.args[0]
    end = word.text.index("://") + 3 + len(target.authority)
    return Fix("leave the port out", (replace(word.part(end - len(f":{target.port}"), end), ""),), safe=False)


def _is_fixed_host(header: tuple[str, ...]) -> bool:
    return len(header) == 2 and header[0].lower() == "host" and "$" not in header[1]


def _is_for_visitors(config: Config, target: Pass, name: str) -> bool:
    """A name under which visitors reach this nginx, or a host of the Internet: they can follow a redirect to it."""
    name = name.partition(":")[0]
    server = config.server(target.directive)
    return is_public_name(name) or (server is not None and any(name == word.text for word in server.names))
