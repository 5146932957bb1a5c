from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity

_TOLD = ("prefix", "script-name", "script_name", "base", "path", "uri", "url", "root", "subfolder", "context")


class ProxyPrefixStrippedSideEffects(Rule):
    """The backend does not know that it is reached below a prefix: its links and cookies leave it out.

    `location /app/` with `http://app/` asks for / where the visitor sees /app/. Redirects are mended by nginx; links in
    pages, and cookies with a path, are not: styles are missing, and a login does not last. Tell the application
    (`proxy_set_header X-Forwarded-Prefix /app;`), mend cookies with `proxy_cookie_path / /app/;`, or give the
    application the prefix. Many applications write relative links and need none of it: shown with `--min-confidence low`
    only.
    Source: documentation of proxy_cookie_path.
    """

    id = "proxy-prefix-stripped-side-effects"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.LOW
    directives = ("proxy_pass",)
    judges = "passes_with_uri"
    examples = (
        Bad("location /app/ { proxy_pass http://app/; } # here"),
        Good("location /app/ { proxy_pass http://app/app/; } location /b/ { proxy_pass http://app; }"),
        Good("location /app/ { proxy_cookie_path / /app/; proxy_pass http://app/; }"),
        Good("location /app/ { proxy_set_header X-Forwarded-Prefix /app; proxy_pass http://app/; }"),
        Good("location /app/ { sub_filter href='/ href='/app/; proxy_pass http://app/; }"),
        Good("location /api/ { proxy_pass http://app/; } location = /a { proxy_pass http://app/b; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        for target in config.passes_with_uri:
            location = config.location(target.directive)
            if location is None or location.modifier not in ("", "^~") or "/api" in location.pattern:
                continue
            prefix, uri = location.pattern.rstrip("/"), (target.uri or "").rstrip("/")
            scope = config.scope(target.directive)
            if not prefix or uri.endswith(prefix) or location.internal is not None:
                continue
            if scope.effective("proxy_cookie_path") or scope.effective("sub_filter"):
                continue
            if any("".join(line.values[:1]).lower().endswith(_TOLD) for line in scope.effective("proxy_set_header")):
                continue
            yield self.report(
                target.directive.args[0],
                f"the backend does not learn that visitors see {prefix}/: its links and cookies leave it out",
                label=f"takes {prefix} off every request",
                help=f"write proxy_set_header X-Forwarded-Prefix {prefix}; and proxy_cookie_path / {prefix}/;",
            )
