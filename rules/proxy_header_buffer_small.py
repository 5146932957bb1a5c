from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Scope,
    Severity,
    compiled,
    insert_line_after,
)

_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
_PAGE = 4096
_ENOUGH = 16 * 1024
_SIGN_ON = tuple(
    "sso saml oidc oauth oauth2 openid keycloak authentik authelia dex hydra zitadel adfs identityserver cas "
    "shibboleth okta auth0 kanidm casdoor".split()
)


class ProxyHeaderBufferSmall(Rule):
    """A sign-on service is behind a header buffer of the default size: its answers may not fit.

    The whole head of an answer has to fit into `proxy_buffer_size` (a page: 4k or 8k). Services for single sign-on set
    cookies with tokens and long redirects, and the visitor who has many groups gets 502, "upstream sent too big
    header". Write `proxy_buffer_size 16k; proxy_buffers 8 16k;`. The service is recognised by its name.
    Source: documentation of proxy_buffer_size; ngx_http_upstream_process_header.
    """

    id = "proxy-header-buffer-small"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = (*_PASSES, "server", "location")
    texts = ("auth", *(word for word in _SIGN_ON if "auth" not in word))  # one look for five of them
    examples = (
        Bad(
            "location /auth/ {\n    proxy_pass http://keycloak:8080; # here\n}",
            "location /auth/ {\n    proxy_pass http://keycloak:8080;\n    proxy_buffer_size 16k;\n"
            "    proxy_buffers 8 16k; # here\n}",
        ),
        Bad("upstream login { server sso-1:80; }\nserver { location / { proxy_pass http://login; } # here\n}"),
        Bad("location /oauth2/ { proxy_buffer_size 8k; proxy_pass http://127.0.0.1:4180; } # here"),
        Good("location /auth/ { proxy_buffer_size 16k; proxy_pass http://keycloak:8080; }"),
        Good("location / { proxy_pass http://app:8080; }"),
        Good("location = /_oauth2_introspection { internal; proxy_pass http://auth; }"),
        Good("location / { set $oauth_token_url a; proxy_pass http://$oauth_token_url; }"),
        Good("location / { proxy_pass http://index:8080; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*_PASSES):
            name = _sign_on(config, target) if target.kind == "http" else None
            if name is None:
                continue
            scope, family = config.scope(target.directive), target.family
            size = scope.size(f"{family}_buffer_size", _PAGE)
            if size >= _ENOUGH or scope.block.has_gap or scope.own("internal"):
                continue
            yield self.report(
                target.directive.args[0],
                f"the head of an answer has to fit into {size // 1024}k here, and sign-on services ({name}) send long "
                "ones: 502, upstream sent too big header",
                *_fixes(scope, target, family),
                label=f"{family}_buffer_size is {size // 1024}k",
                help=f"write {family}_buffer_size 16k; {family}_buffers 8 16k;",
                nginx_message="upstream sent too big header while reading response header from upstream",
            )


def _sign_on(config: Config, target: Pass) -> str | None:
    """The word that tells of a sign-on service in the target, the servers of its group, or the location."""
    location = config.location(target.directive)
    group = target.group(config)
    names = [location.pattern if location is not None else "", "" if target.has_variables else target.host]
    names += [peer.host for peer in group.peers] if group is not None else []
    text = " ".join(names).lower()
    if not any(word in text for word in _SIGN_ON):
        return None
    return next((word for word in compiled(r"[^a-z0-9]+").split(text) if word in _SIGN_ON), None)


def _fixes(scope: Scope, target: Pass, family: str) -> tuple[Fix, ...]:
    if any(scope.effective(f"{family}_{name}") for name in ("buffer_size", "buffers", "busy_buffers_size")):
        return ()
    lines = (f"{family}_buffer_size 16k;", f"{family}_buffers 8 16k;")
    return (Fix(f"write {' '.join(lines)}", (insert_line_after(target.directive, *lines),), safe=False),)
