from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    Upstream,
    insert_into,
    note,
    replace,
)

# Servers known by their names, and after how many seconds they close an idle connection if nobody told them otherwise.
_KNOWN = {"gunicorn": 2, "node": 5, "express": 5, "nextjs": 5, "nuxt": 5, "uvicorn": 5, "jetty": 30}
_DEFAULT = 60_000


class UpstreamKeepaliveRace(Rule):
    """nginx keeps idle connections longer than the server behind them does.

    When the server closes one at the moment nginx sends a request on it, the request fails: "upstream prematurely
    closed connection while reading response header". nginx tries again on a new connection, but not for POST: 502.
    Write a `keepalive_timeout` in the group that is shorter than the server's own limit (2 s for gunicorn, 5 s for
    Node.js and uvicorn, 30 s for Jetty), or raise that one above nginx's 60 s.
    Say what your servers do with `idle_limits`: seconds by the name of the group, `"*"` for all others. Without it
    servers are guessed by their names, with low confidence.
    Source: documentation of keepalive_timeout in upstream; the manuals of these servers.
    """

    id = "upstream-keepalive-race"
    group = "upstream"
    severity = Severity.WARNING
    directives = ("upstream",)
    options = {"idle_limits": {}}
    examples = (
        Bad("upstream node { server app:3000; keepalive 16; } # here\n", version=(1, 22, 1)),
        Bad(
            "upstream app {\n server gunicorn:8000;\n keepalive 4;\n keepalive_timeout 30s; # here\n}",
            "upstream app {\n server gunicorn:8000;\n keepalive 4;\n keepalive_timeout 1s; # here\n}",
        ),
        Good("upstream node { server app:3000; keepalive 16; keepalive_timeout 4s; }"),
        Good("upstream node { server app:3000; }", version=(1, 22, 1)),
        Good("upstream app { server app:3000; keepalive 16; }"),
        Good("upstream nodes { server node1.example.com:80; keepalive 16; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        somebody_known = self.option("idle_limits") or config.concerns(("upstream", "server"), _KNOWN)
        for group in config.upstreams if somebody_known else ():
            limit, confidence = self._idle_limit(group)
            if not limit or not group.idle_connections(config.version):
                continue
            written = group.block.child("keepalive_timeout")
            scope = config.scope(group.block)
            timeout = scope.milliseconds("keepalive_timeout", _DEFAULT) if written is not None else _DEFAULT
            if timeout < limit * 1000:
                continue
            seconds = max(1, limit - 1)
            if written is None:
                edit = insert_into(group.block, f"keepalive_timeout {seconds}s;")
            else:
                edit = replace(written.head_span, f"keepalive_timeout {seconds}s")
            yield self.report(
                written or group.block.child("keepalive") or group.block,
                f'nginx keeps idle connections to "{group.name}" for {timeout // 1000} s, its servers close them after '
                f"{limit} s: now and then a request gets 502",
                Fix(f"write keepalive_timeout {seconds}s", (edit,), safe=False),
                confidence=confidence,
                related=(note(group.peers[0].directive, f"closes idle connections after {limit} s"),)
                if group.peers
                else (),
                help=f"write keepalive_timeout {seconds}s; in the group, or raise the limit of the servers above 60 s",
            )

    def _idle_limit(self, group: Upstream) -> tuple[int, Confidence]:
        """After how many seconds the servers of a group close idle connections; 0 where nobody knows."""
        said = self.option("idle_limits")
        for name in (group.name, "*"):
            if isinstance(said.get(name), int):
                return said[name], Confidence.HIGH
        names = " ".join([group.name, *(peer.host for peer in group.peers if "." not in peer.host)]).lower()
        if not any(name in names for name in _KNOWN):
            return 0, Confidence.LOW
        words = names.replace("_", " ").replace("-", " ").split()
        return next((seconds for name, seconds in _KNOWN.items() if name in words), 0), Confidence.LOW
