from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Pass, Rule, Severity, Span, replace

# What each directive may begin with; nothing: an address without a scheme.
_SCHEMES: dict[str, tuple[str, ...]] = {
    "proxy_pass": ("http", "https"),
    "grpc_pass": ("grpc", "grpcs"),
    "uwsgi_pass": ("uwsgi", "suwsgi"),
    "fastcgi_pass": (),
    "scgi_pass": (),
    "memcached_pass": (),
}
_MEANT = {"ws": "http", "wss": "https", "http": "grpc", "https": "grpcs", "h2": "grpcs", "h2c": "grpc"}


class ProxySchemeMissing(Rule):
    """A pass target begins with the wrong thing: no `http://`, or a scheme the directive does not know.

    In http, `proxy_pass` needs `http://` or `https://` ("invalid URL prefix" otherwise; a websocket is http, too).
    In `stream`, and in `fastcgi_pass`, `scgi_pass` and `memcached_pass`, the address has no scheme; `grpc_pass` takes
    grpc:// and grpcs://, `uwsgi_pass` uwsgi:// and suwsgi://. nginx refuses to start. A target with variables is read
    at run time: proxy-variable-no-scheme.
    Source: ngx_http_proxy_pass, ngx_parse_url.
    """

    id = "proxy-scheme-missing"
    group = "proxy"
    severity = Severity.ERROR
    directives = tuple(_SCHEMES)
    examples = (
        Bad("location / {\n proxy_pass app:81; # here\n}", "location / {\n proxy_pass http://app:81; # here\n}"),
        Bad('location / {\n proxy_pass "app:443"; # here\n}', 'location / {\n proxy_pass "https://app:443"; # here\n}'),
        Bad("location / {\n proxy_pass ws://app/s/; # here\n}", "location / {\n proxy_pass http://app/s/; # here\n}"),
        Bad("location / {\n proxy_pass http:/app; # here\n}", "location / {\n proxy_pass http://app; # here\n}"),
        Bad("location / {\n proxy_pass ftp://app; # here\n}"),
        Bad("location / {\n proxy_pass unix:/s; # here\n}", "location / {\n proxy_pass http://unix:/s; # here\n}"),
        Bad("location / {\n proxy_pass unix:///s; # here\n}", "location / {\n proxy_pass http://unix:///s; # here\n}"),
        Bad("location / {\n fastcgi_pass http://a:90; # here\n}", "location / {\n fastcgi_pass a:90; # here\n}"),
        Bad("location / {\n grpc_pass http://a:90; # here\n}", "location / {\n grpc_pass grpc://a:90; # here\n}"),
        Bad(
            "stream { server { listen 90;\n proxy_pass tcp://a:91; # here\n} }",
            "stream { server { listen 90;\n proxy_pass a:91; # here\n} }",
        ),
        Good("location / { proxy_pass HTTP://app; }"),
        Good("location / { proxy_pass $app; }"),
        Good("location / { fastcgi_pass unix:///s; } location /u { uwsgi_pass unix:///s; }"),
        Good("location / { grpc_pass a:90; } location /u { uwsgi_pass suwsgi://a:90; }"),
        Good("stream { server { proxy_pass a:90; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*self.directives):
            name, stream = target.directive.name, target.kind == "stream"
            if target.has_variables:
                continue
            allowed = () if stream else _SCHEMES[name]
            wrong = bool(target.scheme) and target.scheme not in allowed
            missing = name == "proxy_pass" and not stream and not target.scheme
            if not (wrong or missing) or (not stream and config.location(target.directive) is None):
                continue
            better = _better(target, allowed)
            known = " or ".join(f"{scheme}://" for scheme in allowed) or "an address without a scheme"
            yield self.report(
                target.directive.args[0],
                f"nginx does not start: {name} takes {known}{' in stream' if stream else ''}, not {target.text}",
                *(
                    (Fix(f"write {better}", (replace(_inside(target), better),), safe=target.uri is None),)
                    if better
                    else ()
                ),
                help=f"write {better}" if better else _other_way(target),
                blocks_start=True,
                nginx_message="invalid URL prefix"
                if name == "proxy_pass" and not stream
                else f'invalid host in upstream "{target.text}"',
            )


def _better(target: Pass, allowed: tuple[str, ...]) -> str:
    """The whole target as it is meant; empty where that cannot be told."""
    rest = target.text[target.text.find("://") + 3 :] if target.scheme else target.text
    if not allowed:
        return rest if target.uri is None else ""
    if target.directive.name != "proxy_pass":
        meant = _MEANT.get(target.scheme, "")
        return f"{meant}://{rest}" if meant in allowed and target.uri is None else ""
    if target.scheme:
        return f"{_MEANT[target.scheme]}://{rest}" if target.scheme in ("ws", "wss") else ""
    for typo in ("http:/", "https:/", "http//", "https//"):
        if rest.startswith(typo):
            return f"{typo.rstrip(':/')}://{rest[len(typo) :]}"
    if not rest or ":/" in rest.removeprefix("unix:/") or rest.startswith("/"):
        return ""
    return f"{'https' if target.port in (443, 8443) else 'http'}://{rest}"


def _other_way(target: Pass) -> tuple[str, ...]:
    """What to do about `http://` where it may be the directive that is wrong."""
    if target.directive.name == "proxy_pass" or target.scheme not in ("http", "https"):
        return ()
    return (f"write {target.directive.name} {target.authority}; or proxy_pass, if HTTP is spoken there",)


def _inside(target: Pass) -> Span:
    """The target without quotes around it."""
    word = target.directive.args[0]
    return word.part(0, len(word.text))
