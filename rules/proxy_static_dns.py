from nginxlint import PASSES, Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity, Word, failure

# Names of services whose addresses change without notice.
_CLOUD = tuple(
    ".amazonaws.com .awsglobalaccelerator.com .cloudfront.net .elasticbeanstalk.com .azurewebsites.net .azureedge.net "
    ".azurefd.net .cloudapp.azure.com .trafficmanager.net .windows.net .herokuapp.com .herokudns.com .run.app .appspot.com "
    ".googleapis.com .netlify.app .vercel.app .pages.dev .workers.dev .fastly.net .akamaized.net .edgekey.net "
    ".digitaloceanspaces.com .ondigitalocean.app .cloudflarestorage.com .onrender.com .fly.dev .firebaseapp.com "
    ".github.io".split()
)


class ProxyStaticDns(Rule):
    """The host name of a pass is looked up once, when nginx starts or reloads.

    The addresses stay as they were then: when the service moves (a load balancer of a cloud, a container that is started
    again) visitors get 502 or somebody else's site until the next reload, and a reload while DNS is down is refused
    (`host not found in upstream`). From nginx 1.27.3 on write `server NAME resolve;` in an upstream group with `zone`
    and a `resolver`; before, a variable in the target and a `resolver`. A warning for services whose addresses are known
    to change, worth knowing for other names; names of one word (containers) are of low confidence. Where a `resolver`
    is set already, the others are left to resolver-without-effect.
    Source: documentation of proxy_pass and server (ngx_http_upstream_module), parameter resolve.
    """

    id = "proxy-static-dns"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = (*PASSES, "upstream")
    examples = (
        Bad("location / {\n proxy_pass https://my-lb-1.eu-west-1.elb.amazonaws.com; # here\n}"),
        Bad("upstream app {\n server app.internal.test:81; # here\n}"),
        Bad("location / {\n fastcgi_pass php.test:9000; # here\n}\nlocation /b { fastcgi_pass php.test:9000; }"),
        Good("location / { proxy_pass http://192.0.2.1; } location /b { proxy_pass http://[::1]:81; }"),
        Good("location / { proxy_pass http://localhost:81; } location /b { proxy_pass http://unix:/run/a; }"),
        Good("upstream app { server app.test down; server 192.0.2.1; }"),
        Good("upstream app { zone app 64k; resolver 127.0.0.53; server app.test resolve; }"),
        Good("resolver 127.0.0.53; location / { set $b app.test; proxy_pass http://$b; }"),
        Good("upstream app.test { server 192.0.2.1; } server { location / { proxy_pass http://app.test; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for host, word, kind, has_resolver in _names(config):
            moves = host.endswith(_CLOUD)
            if host in seen or host == "localhost" or not host.strip(".") or (has_resolver and not moves):
                continue
            seen.add(host)
            yield self.report(
                word,
                f"{host} is looked up once, when nginx starts: when its address changes, {failure(kind)} until a reload",
                severity=Severity.WARNING if moves else Severity.INFO,
                confidence=self.confidence if "." in host else Confidence.LOW,
                label="addresses of this service change often" if moves else "",
                help="write server NAME resolve; in an upstream group with zone and a resolver (nginx 1.27.3)"
                if config.version >= (1, 27, 3)
                else "put the name into a variable (set) and write a resolver",
            )


def _names(config: Config) -> Iterator[tuple[str, Word, str, bool]]:
    """The host names that are looked up at the start: place, http or stream, and whether a resolver (for others) is near."""
    for target in config.direct_passes:
        if target.has_variables or target.unix is not None or target.is_address or not target.host:
            continue
        near = config.scope(target.directive).directive("resolver") is not None
        yield target.host.lower(), target.directive.args[0], target.kind, near
    for group in config.upstreams:
        for peer in group.peers:
            if peer.host.strip("0123456789.") and ":" not in peer.host and not peer.resolve and not peer.down:
                near = "resolver" in config.names and config.scope(group.block).directive("resolver") is not None
                yield peer.host.lower(), peer.address, group.kind, near
