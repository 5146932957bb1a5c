from nginxlint import (
    DEFAULT_PORT,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Endpoint,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    endpoints,
    insert_line_before,
    note,
    replace,
)

# What mostly speaks TLS, and what mostly does not; of the second of each there are many the other way round.
_USUAL = {443: True, 8443: True, 80: False, 8080: False}
_DOUBTFUL = (8443, 8080)
_SCHEMES = {"http": "https", "https": "http", "grpc": "grpcs", "grpcs": "grpc"}


class ProxySchemePortMismatch(Rule):
    """The scheme of a pass and the port it leads to do not go together.

    `http://` to a TLS port is answered with 400 "The plain HTTP request was sent to HTTPS port" or a closed connection
    (502); `https://` to a plain port with 502 (`wrong version number` in the log). Of our own listeners it is known
    which of them speak TLS; elsewhere 443 is taken for TLS and 80 for plain HTTP, with less confidence 8443 and 8080.
    Write the scheme that belongs to the port.
    Source: ngx_http_process_request ("client sent plain HTTP request to HTTPS port"), ngx_http_upstream_ssl_init.
    """

    id = "proxy-scheme-port-mismatch"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("proxy_pass", "grpc_pass")
    examples = (
        Bad(
            "location / {\n proxy_pass http://app.test:443; # here\n}",
            "location / {\n proxy_ssl_server_name on;\n proxy_pass https://app.test:443; # here\n}",
        ),
        Bad(
            "location / {\n proxy_pass https://app.test:80/x; # here\n}",
            "location / {\n proxy_pass http://app.test:80/x; # here\n}",
        ),
        Bad(
            "upstream app { server a.test:443; }\nserver { location / {\n proxy_pass http://app; # here\n} }",
            "upstream app { server a.test:443; }\nserver { location / {\n proxy_ssl_server_name on;\n"
            " proxy_ssl_name a.test;\n proxy_pass https://app; # here\n} }",
        ),
        Bad(
            "server { listen 9443 ssl; ssl_certificate c; ssl_certificate_key k; }\n"
            "server { location / {\n proxy_pass http://127.0.0.1:9443; # here\n} }",
            "server { listen 9443 ssl; ssl_certificate c; ssl_certificate_key k; }\n"
            "server { location / {\n proxy_pass https://127.0.0.1:9443; # here\n} }",
        ),
        Bad("location / {\n grpc_pass 10.0.0.1:443; # here\n}"),
        Good("location / { proxy_pass https://app.test; }"),
        Good("location / { proxy_pass https://app.test:8443; } location /b { proxy_pass http://app.test:8081; }"),
        Good("location / { proxy_pass $scheme://app.test:8443; }"),
        Good("server { listen 8443; } server { location / { proxy_pass http://127.0.0.1:8443; } }"),
        Good("upstream app { server a.test:80; server b.test:443; } server { location / { proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        inward = {target.directive for target in config.inward_passes}
        tls_ports = config.concerns(("server",), [f":{port}\0" for port, tls in _USUAL.items() if tls])
        for target in config.passes(*self.directives):
            if target.directive not in inward and not _is_unusual(config, target, tls_ports):
                continue
            if target.kind == "stream":
                continue
            ends = endpoints(config, target)
            wrong = [end for end in ends if self._speaks_tls(config, end) is (not _is_tls(end))]
            if not wrong or (len(wrong) < len(ends) and not config.listeners.behind(wrong[0])):
                continue  # a group of both kinds has another fault
            yield self._finding(config, target, wrong[0])

    def _speaks_tls(self, config: Config, end: Endpoint) -> bool | None:
        """Does the endpoint speak TLS? None where nobody knows."""
        if end.scheme and end.scheme not in _SCHEMES:
            return None  # a variable, or what nginx refuses
        for listener in config.listeners.behind(end):
            return listener.ssl is not None if listener.kind == "http" else None
        return _USUAL.get(end.port or 0)

    def _finding(self, config: Config, target: Pass, end: Endpoint) -> Diagnostic:
        word, scheme = target.directive.args[0], end.scheme or "grpc"
        own = next(iter(config.listeners.behind(end)), None)
        better = _SCHEMES[scheme]
        fixes: tuple[Fix, ...] = ()
        if word.text.lower().startswith(f"{scheme}://"):
            edits = [replace(word.part(0, len(scheme)), better)]
            if better == "https" and (lines := _sni(config, target)):
                edits.append(insert_line_before(target.directive, *lines))
            fixes = (Fix(f"write {better}://", tuple(edits), safe=False),)
        where = end.unix or f"{end.host}:{end.port}"
        seen = "502 (the TLS handshake fails)" if _is_tls(end) else "400 or 502 (it awaits TLS)"
        related = [note(end.directive, f"leads to {where}")] if end.directive is not target.directive else []
        if own is not None:
            place = (own.ssl or own.listens[0]).directive or own.servers[0].block
            related.append(note(place, "this listener speaks TLS" if own.ssl else "this listener speaks no TLS"))
        return self.report(
            word,
            f"{scheme}:// to {where}: visitors get {seen}",
            *fixes,
            severity=Severity.ERROR if own is not None else Severity.WARNING,
            confidence=Confidence.HIGH if own else Confidence.LOW if end.port in _DOUBTFUL else Confidence.MEDIUM,
            label=f"{'TLS' if _is_tls(end) else 'no TLS'} is spoken here",
            related=tuple(related),
            help=f"write {better}://" + ("" if own is not None else ", or the port that speaks the other one"),
        )


def _is_unusual(config: Config, target: Pass, tls_ports: bool) -> bool:
    """Is one of its ports mostly spoken to the other way? `tls_ports`: a server of some group has one for TLS."""
    group, tls = target.group(config), target.tls
    if group is not None and not tls and not tls_ports:
        return False
    if group is None:
        return _USUAL.get(target.port or target.default_port or 0, tls) is not tls
    return any(_USUAL.get(peer.port or DEFAULT_PORT, tls) is not tls for peer in group.peers)


def _sni(config: Config, target: Pass) -> list[str]:
    """What makes nginx name the server in the handshake, where that has a name."""
    group = target.group(config)
    own = "" if target.is_address or target.unix is not None else target.host
    name = own if group is None else group.host
    if not name or config.scope(target.directive).effective("proxy_ssl_server_name"):
        return []
    return ["proxy_ssl_server_name on;"] + [f"proxy_ssl_name {name};"] * (name != target.host)


def _is_tls(end: Endpoint) -> bool:
    return end.scheme in ("https", "grpcs")
