from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Lookup,
    Pass,
    Rule,
    Severity,
    failure,
    split_template,
)


class ProxyVariableNoResolver(Rule):
    """A host name comes from a variable, and no `resolver` is in scope: every request gets 502.

    A name in a variable is looked up at run time, by nginx's own resolver; it reads neither /etc/resolv.conf nor the
    hosts file. Without a `resolver` directive the log says "no resolver defined to resolve NAME". Write
    `resolver ADDRESS;` (127.0.0.11 in a Docker network), or an upstream group of that name.
    Source: ngx_http_upstream_init_request (src/http/ngx_http_upstream.c), documentation of resolver.
    """

    id = "proxy-variable-no-resolver"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
    texts = ("$",)
    judges = "lookups"
    examples = (
        Bad("server { set $b app.internal; location / { proxy_pass http://$b:80; } # here\n}"),
        Bad("location / { proxy_pass http://$http_host; } # here"),
        Bad("location / { proxy_pass http://app.internal$request_uri; } # here"),
        Good("location / { set $b app; proxy_pass http://$b; } location /x { proxy_pass http://app:80; }"),
        Good("server { resolver 10.0.0.2; set $b app.internal; location / { proxy_pass http://$b; } }"),
        Good("server { set $b 10.0.0.5; location / { proxy_pass http://$b:80; } }"),
        Good("server { set $b unix:/run/app.sock; location / { proxy_pass http://$b; } }"),
        Good("upstream app { server a:1; } server { set $b app; location / { proxy_pass http://$b; } }"),
        Good("location / { proxy_pass http://app.internal; }"),
        Good("location / { js_set $t main.pick; proxy_pass http://$t; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        told: set[Directive] = set()
        for lookup in config.lookups:
            directive = lookup.place.directive
            if lookup.resolver is not None or directive.name == "server" or directive in told:
                continue
            if lookup.kind != "stream" and config.location(directive) is None:
                continue  # a piece of stream that was taken for http
            if lookup.name:
                told.add(directive)
                yield self._report(lookup, lookup.name, Confidence.HIGH)
            elif (ending := _ending(config, split_template(Pass(directive).text)[0])) is not None:
                yield self._report(lookup, f"names that end with {ending}", Confidence.HIGH)
            elif _from_the_request(Pass(directive).authority) and not config.upstreams:
                yield self._report(lookup, "the host a visitor asks for", Confidence.MEDIUM)

    def _report(self, lookup: Lookup, name: str, confidence: Confidence) -> Diagnostic:
        return self.report(
            lookup.place,
            f"no resolver is in scope to look up {name} at run time: {failure(lookup.kind)}",
            label="a variable: looked up for each request, not when nginx starts",
            help='write "resolver ADDRESS;" in this block or around it (127.0.0.11 in a Docker network)',
            confidence=confidence,
        )


def _from_the_request(authority: str) -> bool:
    return authority.lstrip("$").startswith(("host", "http_", "arg_", "cookie_", "{host", "{http_", "{arg_"))


def _ending(config: Config, authority: str) -> str | None:
    """The domain written behind the last variable: with it the whole is a name, unless a group or another pass has
    one like it."""
    behind = authority.rpartition("$")[2].partition(":")[0]
    dot = behind.find(".")
    ending = behind[dot:]
    if dot < 0 or not ending.rpartition(".")[2][:1].isalpha():
        return None
    known = [group.name for group in config.upstreams] + [target.host for target in config.passes()]
    return None if any("$" not in name and name.lower().endswith(ending.lower()) for name in known) else ending
