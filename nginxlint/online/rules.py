"""The rules of the online stage as data: id, severity, and the page `nginxlint explain` shows."""

from __future__ import annotations

from nginxlint.diagnostic import Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class OnlineRule:
    """What an online finding is about. `docs` is its page, first line a summary.

    No dataclass: an offline check that meets a comment about an online rule reads these, and dataclasses are slow to
    import.
    """

    __slots__ = ("docs", "group", "id", "severity")

    def __init__(self, id: str, severity: Severity, docs: str, group: str = "online") -> None:
        self.id = id
        self.severity = severity
        self.docs = docs
        self.group = group


RULES: tuple[OnlineRule, ...] = (
    OnlineRule(
        "upstream-unresolvable",
        ERROR,
        """A host name of an upstream does not resolve.

Names written literally in `proxy_pass` or `server` are looked up once, when nginx starts or reloads, through the
system (hosts file, search domains). If that fails nginx refuses the whole configuration: `[emerg] host not found in
upstream`. Names from variables, and `server … resolve`, are looked up at run time by the `resolver` line, which knows
neither hosts file nor search domains; if that fails every request gets 502.

Correct the name, give it a record, or move the lookup to where the name is known.""",
    ),
    OnlineRule(
        "upstream-address-invalid",
        ERROR,
        """The address of an upstream is one nginx refuses.

An IPv6 zone (`fe80::1%eth0`), a unix path of more than 107 bytes, a missing port: nginx does not start with it. Where
the address comes from a variable it starts, and every such request gets 500.""",
    ),
    OnlineRule(
        "upstream-no-resolver",
        ERROR,
        """A pass with a variable needs a `resolver`, and none is in effect.

A host name that comes out of a variable is looked up at run time. Without `resolver` nginx logs `no resolver defined
to resolve …` and answers 502. Add `resolver ADDRESS valid=30s;`, or let the variable name an upstream group (without
a port).""",
    ),
    OnlineRule(
        "upstream-resolver-fails",
        ERROR,
        """The DNS server of the `resolver` line does not answer, refuses, or fails.

Requests wait for `resolver_timeout` (30 s) and get 502, never 504. Check the address, and that the server answers
questions from this machine, for both A and AAAA: nginx waits for both.""",
    ),
    OnlineRule(
        "upstream-resolvers-disagree",
        WARNING,
        """The DNS servers of a `resolver` line do not say the same of a name.

nginx asks one server per lookup and the next one for the next lookup. What that server says counts: where one of two
answers SERVFAIL or NXDOMAIN, every other lookup ends in 502, for as long as the name is then not asked again. A silent
server costs 5 s, or 502 where `resolver_timeout` is not longer than that. Servers with different views of a zone send
visitors to different machines. Name only servers that answer alike.""",
    ),
    OnlineRule(
        "upstream-dns-stale",
        WARNING,
        """The running nginx uses an address that a name no longer has.

Names written literally are looked up once, at the start or reload, and their addresses kept until the next one. The check
remembers what it saw (in the user's cache folder; `--no-cache` does not), and compares it with the time at which the
workers on this machine began. With `--running-nginx` it also looks whom they are connected to (Linux, as root).
Where nothing is known of a running nginx the change is only told. Answers that turn among the same addresses are no change.""",
    ),
    OnlineRule(
        "upstream-dns-turns",
        INFO,
        """The addresses of a name change faster than nginx or this check can follow.

A TTL of 0 with another address in each answer: nginx asks again for every request, and the check has seen only some of
the machines. Or `valid=` is longer than the TTL of the record, and nginx keeps an address after the service has moved.""",
    ),
    OnlineRule(
        "upstream-refused",
        ERROR,
        """Nothing listens where nginx connects to.

nginx logs `connect() failed (111: Connection refused)` and answers 502. Start the service, or correct address and
port. Frequent causes: the service listens on 127.0.0.1 and nginx asks ::1 (`localhost` is both), or the other way
round; the port of the container and not of the host.""",
    ),
    OnlineRule(
        "upstream-timeout",
        ERROR,
        """An upstream does not answer within nginx's time limits.

Connecting, the TLS handshake and the response head each have a limit (`proxy_connect_timeout`, `proxy_read_timeout`);
past it visitors get 504 after having waited for all of it. A firewall that drops packets, a full accept queue, a wrong
address, or a service that hangs.""",
    ),
    OnlineRule(
        "upstream-unreachable",
        ERROR,
        """There is no way to the address of an upstream.

nginx logs `connect() failed (113: No route to host)` or `(101: Network is unreachable)` and answers 502. Check
routes, firewalls, and whether this machine has IPv6 at all. With an address in `proxy_bind` that is none of this
machine it logs `bind(…) failed` and answers 500.""",
    ),
    OnlineRule(
        "upstream-socket",
        ERROR,
        """A unix socket cannot be used: missing, stale, no socket at all, or closed to the worker user.

The workers of nginx run as the user of the `user` directive; that user needs the right to write to the socket and to
enter every folder above it. The check computes this for that user, also when it runs as root.""",
    ),
    OnlineRule(
        "upstream-reset",
        ERROR,
        """An upstream resets the connection instead of answering.

nginx logs `recv() failed (104: Connection reset by peer)` and answers 502. A crashing worker, a limit of the service,
or the wrong protocol on the port.""",
    ),
    OnlineRule(
        "upstream-closes-early",
        ERROR,
        """An upstream hangs up before its response head is complete.

nginx logs `upstream prematurely closed connection while reading response header` and answers 502. A crashing worker,
or a port that expects another protocol.""",
    ),
    OnlineRule(
        "upstream-tls-mismatch",
        ERROR,
        """One side speaks TLS and the other does not.

`https://` to a plain port: `wrong version number` and 502. `http://` to a TLS port: 400 (`The plain HTTP request was
sent to HTTPS port`) or 502. An `upstream` server without a port is port 80, also under `https://`.""",
    ),
    OnlineRule(
        "upstream-tls-handshake",
        ERROR,
        """The TLS handshake with an upstream fails.

Most often because nginx sends no server name (`proxy_ssl_server_name` is off by default) or because no TLS version
is common to both (before nginx 1.23.4 `proxy_ssl_protocols` stops at TLSv1.2).""",
    ),
    OnlineRule(
        "upstream-tls-settings",
        WARNING,
        """The TLS settings of a pass cannot be used where the check runs.

A certificate, key or CA file is missing or does not fit. On the server itself nginx would refuse to start; elsewhere
the file may simply not be there, so the target is not probed.""",
    ),
    OnlineRule(
        "upstream-client-certificate",
        ERROR,
        """An upstream demands a client certificate nginx does not have, or refuses the one it has.

Set `proxy_ssl_certificate` and `proxy_ssl_certificate_key`. With TLS 1.3 the handshake seems to succeed and the
connection ends at the first read.""",
    ),
    OnlineRule(
        "upstream-certificate-rejected",
        ERROR,
        """`proxy_ssl_verify` is on and nginx rejects the certificate of an upstream.

Expired, not yet valid, unknown issuer, or for another name: nginx matches `proxy_ssl_name`, by default the host of
`proxy_pass`, which is the name of the group where a group is used. Addresses in a certificate do not count.""",
    ),
    OnlineRule(
        "upstream-certificate-doubtful",
        WARNING,
        """The certificate of an upstream would not stand verification, and nobody verifies it.

`proxy_ssl_verify` is off (the default), so visitors notice nothing. It is the day somebody turns it on that hurts.""",
    ),
    OnlineRule(
        "upstream-certificate-expiring",
        WARNING,
        """The certificate of an upstream ends within the next weeks.

With `proxy_ssl_verify on` every request gets 502 from that day.""",
    ),
    OnlineRule(
        "upstream-header-too-big",
        ERROR,
        """The response head of an upstream does not fit into `proxy_buffer_size`.

Status line, headers and the blank line have to fit into one buffer (4k or 8k by default), else nginx logs `upstream
sent too big header` and answers 502. Cookies and Content-Security-Policy are the usual cause. Raise
`proxy_buffer_size` together with `proxy_buffers` and `proxy_busy_buffers_size`.""",
    ),
    OnlineRule(
        "upstream-header-near-limit",
        WARNING,
        """The response head of an upstream fills more than 80 % of `proxy_buffer_size`.

One more cookie and visitors get 502.""",
    ),
    OnlineRule(
        "upstream-header-invalid",
        ERROR,
        """An upstream sends a header line nginx refuses.

A space or control byte in a header name, a folded line, a NUL: `upstream sent invalid header`, 502. Since nginx
1.21.1 the rules are stricter.""",
    ),
    OnlineRule(
        "upstream-framing",
        ERROR,
        """An upstream says twice or in contradiction how long its answer is.

Two Content-Length, Content-Length with Transfer-Encoding, an unknown Transfer-Encoding: nginx 1.22 lets it pass,
1.23.0 and later answer 502. Mend it before you upgrade.""",
    ),
    OnlineRule(
        "upstream-not-http",
        ERROR,
        """What answers on the port does not speak HTTP/1.

nginx takes it for HTTP/0.9 and passes the bytes on without a status line; browsers call the response invalid, a
proxy in front makes it 502. No 502 of nginx's own appears in the access log.""",
    ),
    OnlineRule(
        "upstream-http2-only",
        ERROR,
        """An upstream speaks only HTTP/2, nginx talks HTTP/1 to it.

Use `grpc_pass` for gRPC, `proxy_http_version 2` (nginx 1.29.4 and later), or let the server speak HTTP/1.1.""",
    ),
    OnlineRule(
        "upstream-wrong-protocol",
        ERROR,
        """The server behind `fastcgi_pass`, `uwsgi_pass`, `scgi_pass`, `grpc_pass` or `memcached_pass` speaks another
protocol.

Mostly an HTTP server: use `proxy_pass`.""",
    ),
    OnlineRule(
        "upstream-needs-proxy-protocol",
        ERROR,
        """An upstream waits for a PROXY protocol header that nginx's HTTP proxy cannot send.

Only the stream module can (`proxy_protocol on`). Take `proxy_protocol` off the upstream's listener. The reverse is told
as well: a stream server sends the header to a service that takes it for a request and answers 400, or hangs up.""",
    ),
    OnlineRule(
        "upstream-interim-answer",
        WARNING,
        """An upstream sends 100, 101 or 103 though nobody asked.

nginx takes a 100 for the final answer. It knows 103 since 1.29.0.""",
    ),
    OnlineRule(
        "upstream-host-rejected",
        ERROR,
        """An upstream rejects the Host header nginx sends, and serves another one.

By default nginx sends the host of `proxy_pass`, or the name of the upstream group. Write
`proxy_set_header Host $host;`, or the name the service knows. It works with curl because curl sends that name.""",
    ),
    OnlineRule(
        "upstream-server-error",
        WARNING,
        """An upstream answers with a 5xx status to the request nginx would send for the location.""",
    ),
    OnlineRule(
        "upstream-status-unexpected",
        WARNING,
        """An upstream answers with a status that the settings do not expect of it.

`[online.targets."https://billing.internal:8443"]` in nginxlint.toml says what one target is asked and has to answer:
`path`, `host`, `method`, `expect-status = ["2xx", 401]`, `severity`. Without it any HTTP answer counts as alive.""",
    ),
    OnlineRule(
        "upstream-overloaded",
        WARNING,
        """An upstream answers 503 or 429: it is overloaded, in maintenance, or limits requests.""",
    ),
    OnlineRule(
        "upstream-not-serving",
        ERROR,
        """A gRPC server is up and its health service says that it does not serve, or does not know.

nginx does not ask health services: it passes calls to a server that says NOT_SERVING all the same. SERVICE_UNKNOWN, or a
status of NOT_FOUND, means that nobody registered the server as a whole. An answer that ends without trailers has no
status: every gRPC client takes that for an error.""",
    ),
    OnlineRule(
        "upstream-body-broken",
        WARNING,
        """The body of an answer ends too early, or its chunks are invalid.

The head was good, so visitors see its status and a truncated page, or a closed connection; the access log says 200.
nginx logs `upstream prematurely closed connection while reading upstream` or `upstream sent invalid chunked response`.
Only bodies that come together with the head are looked at, and not more than 64 KiB of them.""",
    ),
    OnlineRule(
        "upstream-auth-request",
        WARNING,
        """What auth_request asks answers neither 2xx nor 401 nor 403.

The module knows no other answers: nginx logs `auth request unexpected status` and visitors get 500. Let the service
answer 401 or 403, and send people to a login page with `error_page 401 = @login;` instead of a redirect.""",
    ),
    OnlineRule(
        "upstream-accel-redirect",
        WARNING,
        """An upstream hands the visitor on to a URI of nginx's own that nginx cannot serve.

With `X-Accel-Redirect: /protected/file` nginx throws the answer away and serves that URI itself, mostly from an
`internal` location with files. Where the location is missing, or root and URI do not add up to the file, visitors get
404 though the service has answered well. Files are looked for on the machine that checks.""",
    ),
    OnlineRule(
        "upstream-mail-auth",
        WARNING,
        """What auth_http asks answers with an error instead of 200 and `Auth-Status`.

The mail proxy reads only headers: without `Auth-Status`, or with `OK` and no `Auth-Server` and `Auth-Port`, it logs
`auth http server … did not send server or port` and every login fails with an internal error. Mostly the path is wrong.""",
    ),
    OnlineRule(
        "upstream-redirect-loop",
        INFO,
        """An upstream redirects visitors to the very page they asked for.

Mostly because it does not know that the visitor came over https:
`proxy_set_header X-Forwarded-Proto $scheme;`.""",
    ),
    OnlineRule(
        "upstream-redirect-inside",
        WARNING,
        """An upstream redirects visitors to an address no visitor may reach: cloud metadata, link-local, `file:`.""",
    ),
    OnlineRule(
        "upstream-slow",
        WARNING,
        """Connecting to an upstream, or its first byte, takes more than half of nginx's time limit.""",
    ),
    OnlineRule(
        "upstream-http10-rejected",
        ERROR,
        """An upstream answers with an error because nginx speaks HTTP/1.0 to it.

Before 1.29.7 `proxy_pass` speaks HTTP/1.0 unless told otherwise. Envoy, Istio and others answer 426, 505 or 400 to it, and
serve the same request in HTTP/1.1: write `proxy_http_version 1.1;`.""",
    ),
    OnlineRule(
        "upstream-websocket",
        WARNING,
        """A location passes WebSocket handshakes on, and the upstream does not take them.

Asked where Upgrade and Connection are passed on: a handshake as browsers send it, closed as soon as it is answered.
101 without the right `Sec-WebSocket-Accept` makes browsers hang up. Another status is told only of locations that are
named for WebSockets (`/ws/`, `/socket.io/`); 401 and 403 are for lack of credentials.""",
    ),
    OnlineRule(
        "upstream-keepalive-refused",
        WARNING,
        """A group keeps connections (`keepalive`), and a server of it closes them after every answer.

An answer in HTTP/1.0, one with `Connection: close`, or one without a length ends the connection: every request pays for a
new one, and under load the ports run out. A server that hangs up without announcing it is worse: nginx may be sending the
next request at that moment (`upstream prematurely closed connection`, 502). Two requests on one connection tell.""",
    ),
    OnlineRule(
        "upstream-peers-differ",
        INFO,
        """The servers of a group give different answers to the same question.

Another status, another `Server` header, another certificate or another end of it: a deployment that reached only some of
them, or a machine that was forgotten. Visitors get one or the other. Backups are not compared.""",
    ),
    OnlineRule(
        "nginx-limits-reached",
        WARNING,
        """The workers of the running nginx are close to a limit, or can never use what the configuration gives them.

Every connection is a file, those to upstreams included. At the limit of open files (`worker_rlimit_nofile`, else that of
the process) nginx logs `24: Too many open files` and can neither accept nor connect; at `worker_connections` visitors get
500. Open files are counted in /proc of this machine, for the live configuration and where they may be read.""",
    ),
    OnlineRule(
        "upstream-ports-run-out",
        WARNING,
        """More than half of the local ports towards the address of an upstream are in use.

Every connection takes a local port, for a minute longer than it lives. When none is left, connect() fails (`99: Cannot
assign requested address`) and visitors get 502. Counted in /proc/net/tcp of this machine, against ip_local_port_range.""",
    ),
    OnlineRule(
        "upstream-queue-long",
        WARNING,
        """Many connections wait to be accepted by an upstream on this machine.

The service does not keep up. When the queue of its listener is full, the kernel drops new connections and visitors wait
for `proxy_connect_timeout` and get 504. The number is the kernel's, from /proc/net/tcp.""",
    ),
    OnlineRule(
        "upstream-limit-reached",
        WARNING,
        """A server of a group is close to the `max_conns` it is given.

Beyond the limit nginx takes the next server; where all are full, `no live upstreams` and 502. Connections are counted in
/proc/net/tcp of this machine, those of other programs included. Where all servers of a group together take fewer than a
worker may have of connections (two for each request), that is told as well.""",
    ),
    OnlineRule(
        "upstream-no-live-peer",
        ERROR,
        """No server of an upstream group answers.

After the first failures nginx logs `no live upstreams` and answers 502 without trying.""",
    ),
    OnlineRule(
        "upstream-partly-down",
        WARNING,
        """Some servers of an upstream group do not answer.

Visitors are served by the others, after the time it takes to fail.""",
    ),
    OnlineRule(
        "upstream-not-checked",
        INFO,
        """A target could not be judged: policy, time budget, or a fault on the side of the check.

This is never counted as a failure of the upstream.""",
    ),
)
BY_ID: dict[str, OnlineRule] = {rule.id: rule for rule in RULES}
