"""The verdict table: for every code what the client sees, what nginx logs, how bad it is, and what to write instead.

Source: reference/online.md C and upstream-semantics.md A; rows observed on nginx 1.22.1 and 1.31.5 unless the
comment says otherwise. `{target}`, `{host}`, `{detail}` are filled in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nginxlint.diagnostic import Severity

BLOCKS_START = "blocks-start"
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@dataclass(frozen=True, slots=True)
class Outcome:
    """`word` is the verdict word; `status` what a client sees (None: no status, or the one that was observed);
    `retried` the condition of `*_next_upstream` under which nginx tries the next peer."""

    word: str
    severity: Severity | None
    stage: str
    status: int | str | None
    log: str
    rule: str
    message: str
    help: tuple[str, ...] = ()
    retried: str = ""

    def condition(self, log: str) -> str:
        """The condition of `*_next_upstream` that holds where nginx logs this; empty for what is never tried again.

        A header nginx cannot read is `invalid_header`, whatever the protocol (NGX_HTTP_UPSTREAM_INVALID_HEADER); and
        where it logs nothing of a fault, it takes it for an answer."""
        if self.retried != "error":
            return self.retried
        return "invalid_header" if _UNREADABLE.match(log) else "error" if log else ""


_UNREADABLE = re.compile(r"(?:upstream|memcached) (?:sent|rejected) |upstream prematurely closed (?:FastCGI|stream)")
# What a message says of visitors; where something else than this peer decides that, something else has to be said.
_CONSEQUENCE = re.compile(r"[:;,] (?:visitors|requests) (?:get|wait).*$")


def without_consequence(message: str) -> str:
    """A message without what it says of visitors."""
    return _CONSEQUENCE.sub("", message)


_RESPONSE = " while reading response header from upstream"
_SHAKING = " while SSL handshaking to upstream"
_CONNECTING = " while connecting to upstream"


def _fails(
    stage: str, status: int | str | None, log: str, rule: str, message: str, *help: str, retried: str = "error"
) -> Outcome:
    return Outcome("failed", ERROR, stage, status, log, rule, message, help, retried)


def _warns(stage: str, log: str, rule: str, message: str, *help: str, severity: Severity = WARNING) -> Outcome:
    return Outcome("degraded", severity, stage, None, log, rule, message, help)


def _unknown(word: str, rule: str, message: str, severity: Severity | None = INFO, *, stage: str = "") -> Outcome:
    return Outcome(word, severity, stage, None, "", rule, message)


_RUN_TIME = "requests get 502 until the resolver knows the name"
_CLIENT_CERT = "give nginx a certificate the server accepts: proxy_ssl_certificate and proxy_ssl_certificate_key"

OUTCOMES: dict[str, Outcome] = {
    # --- the configuration itself --------------------------------------------------------------------------------
    "CFG_HOST": _fails(
        "dns", BLOCKS_START, 'host not found in upstream "{named}"', "upstream-unresolvable",
        "{target} does not resolve ({detail}): nginx will refuse to start or reload",
        "correct the name, or let nginx look it up at run time: a variable in proxy_pass and a resolver, or "
        "“server {host} resolve;” (nginx 1.27.3)",
        retried="",
    ),
    "CFG_ADDR": _fails(
        "dns", BLOCKS_START, "{detail}", "upstream-address-invalid",
        "{target} is no address nginx accepts ({detail}): it will refuse to start or reload", retried="",
    ),
    "CFG_PORT": Outcome("failed", None, "dns", BLOCKS_START, "{detail}", "upstream-address-invalid", "{detail}"),
    "CFG_URL": Outcome("failed", None, "dns", 500, "invalid URL prefix", "upstream-address-invalid", "{detail}"),
    "CFG_VALUE": _fails(
        "dns", 500, "{detail}", "upstream-address-invalid",
        "{target} comes from a variable and is no address ({detail}): visitors get 500", retried="",
    ),
    "CFG_TLS": Outcome(
        "not-probed", WARNING, "tls", None, "", "upstream-tls-settings",
        "the TLS settings for {target} cannot be used here: {detail}",
        ("nginx -t on the server says whether it can read them there",),
    ),
    # --- names ---------------------------------------------------------------------------------------------------
    "DNS_NOTFOUND": _fails(
        "dns", 502, "{host} could not be resolved (3: Host not found)", "upstream-unresolvable",
        f"{{target}} does not resolve at run time ({{detail}}): {_RUN_TIME}",
        "correct the name; nginx's resolver takes it as it stands, without search domains", retried="",
    ),
    "DNS_NODATA": _fails(
        "dns", 502, "{host} could not be resolved (3: Host not found)", "upstream-unresolvable",
        f"{{target}} has no address nginx asks for ({{detail}}): {_RUN_TIME}",
        "give the name an A record, or let the resolver ask for the family it has (no ipv4=off or ipv6=off)",
        retried="",
    ),
    "DNS_LOOP": _fails(
        "dns", 502, "{host} could not be resolved (3: Host not found)", "upstream-unresolvable",
        f"{{target}} does not resolve at run time ({{detail}}): {_RUN_TIME}", "mend the CNAME records", retried="",
    ),
    "DNS_HOSTSONLY": _fails(
        "dns", 502, "{host} could not be resolved (3: Host not found)", "upstream-unresolvable",
        f"{{target}} is unknown to the configured resolver ({{detail}}): {_RUN_TIME}",
        "put the name into DNS, write the full name, or write it without a variable so that nginx looks it up when "
        "it starts", retried="",
    ),
    "DNS_SERVFAIL": _fails(
        "dns", 502, "{host} could not be resolved (2: Server failure)", "upstream-resolver-fails",
        f"the resolver fails on {{target}} ({{detail}}): {_RUN_TIME}", "check the DNS server of the resolver line",
        retried="",
    ),
    "DNS_REFUSED": _fails(
        "dns", 502, "{host} could not be resolved (5: Operation refused)", "upstream-resolver-fails",
        f"the resolver refuses to look up {{target}} ({{detail}}): {_RUN_TIME}",
        "let the DNS server answer this machine, or name another one in the resolver line", retried="",
    ),
    "DNS_FORMERR": _fails(
        # nginx goes on asking after a FORMERR and ends with a time-out
        "dns", 502, "{host} could not be resolved (110: Operation timed out)", "upstream-resolver-fails",
        f"the resolver does not understand the question for {{target}} ({{detail}}): {_RUN_TIME}",
        "check the DNS server of the resolver line", retried="",
    ),
    "DNS_NOTIMP": _fails(
        "dns", 502, "{host} could not be resolved (4: Unimplemented)", "upstream-resolver-fails",
        f"the resolver cannot answer for {{target}} ({{detail}}): {_RUN_TIME}",
        "check the DNS server of the resolver line", retried="",
    ),
    "DNS_TIMEOUT": _fails(
        "dns", 502, "{host} could not be resolved (110: Operation timed out)", "upstream-resolver-fails",
        "the resolver gives no answer for {target} ({detail}): requests wait for resolver_timeout and get 502",
        "check the address of the resolver and the way to it", retried="",
    ),
    "RESOLVER_SILENT": _fails(
        "dns", 502, "could not be resolved (110: Operation timed out)", "upstream-resolver-fails",
        "the DNS server {target} gives no answer ({detail}): requests whose address it has to look up get 502",
        "check the address of the resolver and the way to it", retried="timeout",
    ),
    "RESOLVER_REFUSES": _warns(
        "dns", "", "upstream-resolver-fails",
        "the DNS server {target} refuses questions of this machine ({detail}): where it refuses those of nginx, requests "
        "get 502", "let the DNS server answer this machine, or name another one in the resolver line",
    ),
    "RESOLVER_FAILS": _warns(
        "dns", "", "upstream-resolver-fails",
        "the DNS server {target} fails on a simple question ({detail}): where it fails on those of nginx, requests get 502",
        "check the DNS server of the resolver line",
    ),
    "DNS_NORESOLVER": _fails(
        "dns", 502, "no resolver defined to resolve {host}", "upstream-no-resolver",
        "{target} comes from a variable and no resolver is defined: every request gets 502",
        "add “resolver ADDRESS valid=30s;” here or above, or name an upstream group without a port", retried="",
    ),
    "DNS_UNEVEN": _warns(
        "dns", "", "upstream-resolvers-disagree",
        "some lookups of {target} fail ({detail}): nginx asks its resolvers in turn and does not try the next one, so "
        "the visitors who wait for that share of lookups get 502",
        "take the DNS server that fails out of the resolver line, or mend it",
    ),
    "DNS_SLOW": _warns(
        "dns", "", "upstream-resolvers-disagree",
        "some lookups of {target} wait ({detail}): nginx asks its resolvers in turn, and the next one after 5 s",
        "take the DNS server that is silent out of the resolver line",
    ),
    "DNS_DIFFERS": _warns(
        "dns", "", "upstream-resolvers-disagree",
        "the resolvers give different addresses for {target} ({detail}): nginx asks them in turn, so visitors come to "
        "different machines",
        "name only resolvers that hold the same view of the zone",
    ),
    "DNS_STALE": _warns(
        "dns", "", "upstream-dns-stale",
        "the running nginx uses an old address of {target} ({detail}): it looks names up when it starts or reloads",
        "reload nginx: nginx -s reload",
        "let nginx follow the name: a variable in proxy_pass and a resolver, or “server {host} resolve;” (nginx 1.27.3)",
    ),
    "DNS_MOVED": _warns(
        "dns", "", "upstream-dns-stale",
        "the address of {target} has changed ({detail}): an nginx that was not reloaded since uses the old one",
        "reload nginx: nginx -s reload", severity=INFO,
    ),
    "DNS_ROTATES": _warns(
        "dns", "", "upstream-dns-turns",
        "the answers for {target} turn ({detail}): what was probed may not be what nginx gets next", severity=INFO,
    ),
    "DNS_VALID": _warns(
        "dns", "", "upstream-dns-turns",
        "nginx keeps the address of {target} longer than its record allows ({detail}): after a move visitors go to the "
        "old address for as long", "shorten valid=, or leave it away: nginx then keeps to the TTL", severity=INFO,
    ),
    "DNS_NOIPV6": _warns(
        "dns", "connect() failed (101: Network is unreachable) while connecting to upstream",
        "upstream-unreachable",
        "{target} also has IPv6 addresses and this machine has no IPv6 ({detail}): an nginx here tries them in turn "
        "and loses time, or the request",
        "write ipv6=off in the resolver line",
    ),
    "DNS_PENDING": _unknown(
        "unknown", "upstream-not-checked", "{target} could not be looked up from here ({detail}); where nginx meets "
        "the same, it refuses to start", WARNING, stage="dns",
    ),
    # --- connecting ----------------------------------------------------------------------------------------------
    "L4_REFUSED": _fails(
        "tcp", 502, f"connect() failed (111: Connection refused){_CONNECTING}", "upstream-refused",
        "{target} refuses the connection ({detail}): visitors get 502",
        "start the service, or correct address and port; a service bound to another address refuses as well",
    ),
    "L4_TIMEOUT": _fails(
        "tcp", 504, f"upstream timed out (110: Connection timed out){_CONNECTING}", "upstream-timeout",
        "{target} does not take the connection ({detail}): visitors wait and get 504",
        "check address, routes and firewalls on the way; a full accept queue looks the same", retried="timeout",
    ),
    "L4_BIND": _fails(
        "tcp", 500, "", "upstream-unreachable",
        "nginx cannot connect to {target} from the address it is given ({detail}): visitors get 500",
        "correct {family}_bind, or give this machine that address", retried="",
    ),
    "L4_UNREACH": _fails(
        "tcp", 502, f"connect() failed (113: No route to host){_CONNECTING}", "upstream-unreachable",
        "{target} cannot be reached ({detail}): visitors get 502", "check address, routes and firewalls on the way",
    ),
    "L4_RESET": _fails(
        "tcp", 502, f"connect() failed (104: Connection reset by peer){_CONNECTING}", "upstream-reset",
        "{target} resets new connections ({detail}): visitors get 502", "look for a firewall or proxy on the way",
    ),
    "L4_UNIX_MISSING": _fails(
        "tcp", 502, f"connect() to {{label}} failed (2: No such file or directory){_CONNECTING}", "upstream-socket",
        "the socket {target} does not exist ({detail}): visitors get 502", "start the service, or correct the path",
    ),
    "L4_UNIX_PERM": _fails(
        "tcp", 502, f"connect() to {{label}} failed (13: Permission denied){_CONNECTING}", "upstream-socket",
        "nginx may not open {target}: {detail}; visitors get 502",
        "give the worker user the right to write to the socket and to enter every folder above it",
    ),
    "L4_UNIX_STALE": _fails(
        "tcp", 502, f"connect() to {{label}} failed (111: Connection refused){_CONNECTING}", "upstream-socket",
        "nobody listens on {target} ({detail}): visitors get 502", "start the service that owns the socket",
    ),
    "L4_UNIX_FULL": _fails(
        "tcp", 502, f"connect() to {{label}} failed (11: Resource temporarily unavailable){_CONNECTING}",
        "upstream-socket", "the queue of {target} is full: visitors get 502",
        "raise the listen backlog and the number of workers behind it",
    ),
    "LOAD_PORTS": _warns(
        "tcp", "", "upstream-ports-run-out",
        "the local ports towards {target} run out ({detail}): without one connect() fails with “99: Cannot assign "
        "requested address” and visitors get 502",
        "keep connections: keepalive in the group, HTTP/1.1 and no Connection: close; or let the service listen on more "
        "addresses",
    ),
    "LOAD_QUEUE": _warns(
        "tcp", "", "upstream-queue-long",
        "{target} does not accept connections fast enough ({detail}): when its queue is full, visitors wait and get 504",
        "give it more workers, or a longer queue (listen backlog, net.core.somaxconn)",
    ),
    "LOAD_MAX_CONNS": _warns(
        "tcp", "", "upstream-limit-reached",
        "{target} is close to its max_conns ({detail}): beyond it nginx takes the next server, and where all are full "
        "visitors get 502", "raise max_conns, or add servers",
    ),
    "LOAD_FILES": _warns(
        "", "", "nginx-limits-reached",
        "the running nginx is close to its limit of open files ({detail}): beyond it nothing is accepted or passed on "
        "(24: Too many open files)", "raise worker_rlimit_nofile",
    ),
    "LOAD_CONNECTIONS": _warns(
        "", "", "nginx-limits-reached",
        "the running nginx is close to worker_connections ({detail}): beyond it visitors get 500 or nothing",
        "raise worker_connections, and worker_rlimit_nofile with it",
    ),
    "LOAD_FEW_FILES": _warns(
        "", "", "nginx-limits-reached",
        "a worker may not open as many files as it may have connections ({detail}): under load accepting and connecting "
        "fail (24: Too many open files)", "raise worker_rlimit_nofile, to twice worker_connections or more",
    ),
    # --- TLS -----------------------------------------------------------------------------------------------------
    "L6_TIMEOUT": _fails(
        "tls", 504, f"upstream timed out (110: Connection timed out){_SHAKING}", "upstream-timeout",
        "{target} does not answer the TLS handshake ({detail}): visitors wait and get 504",
        "check that the port speaks TLS", retried="timeout",
    ),
    "L6_NOTTLS": _fails(
        "tls", 502, f"SSL_do_handshake() failed (SSL: error:…:wrong version number){_SHAKING}",
        "upstream-tls-mismatch", "{target} does not speak TLS ({detail}): visitors get 502",
        "write http:// in proxy_pass, or the port that speaks TLS",
    ),
    "L6_CLOSED": _fails(
        "tls", 502, f"peer closed connection in SSL handshake{_SHAKING}", "upstream-tls-handshake",
        "{target} ends the TLS handshake ({detail}): visitors get 502",
    ),
    "L6_CLIENTCERT": _fails(
        "tls", 502, f"SSL_do_handshake() failed (SSL: error:…:handshake failure){_SHAKING}",
        "upstream-client-certificate", "{target} turns nginx away: {detail}; visitors get 502", _CLIENT_CERT,
    ),
    "L6_NAME": _fails(
        "tls", 502, f'upstream SSL certificate does not match "{{host}}"{_SHAKING}', "upstream-certificate-rejected",
        "nginx will not accept the certificate of {target} ({detail}): visitors get 502",
        "set proxy_ssl_name to a name in the certificate",
    ),
    **{
        f"L6_VERIFY_{name}": _fails(
            "tls", 502, f"upstream SSL certificate verify error: ({number}:{{detail}}){_SHAKING}",
            "upstream-certificate-rejected",
            "nginx will not accept the certificate of {target} ({detail}): visitors get 502", cure,
        )
        for name, number, cure in (
            ("EXPIRED", 10, "renew the certificate of the upstream"),
            ("NOTYET", 9, "install a certificate that is valid now, and check the clocks"),
            ("SELFSIGNED", 18, "put that certificate, or its authority, into proxy_ssl_trusted_certificate"),
            ("ISSUER", 20, "put its authority into proxy_ssl_trusted_certificate, or let the server send the chain"),
            ("OTHER", 1, "check proxy_ssl_trusted_certificate, proxy_ssl_verify_depth and proxy_ssl_crl"),
        )
    },
    "L6_CERT_WARN": _warns(
        "tls", "", "upstream-certificate-doubtful",
        "the certificate of {target} would not stand verification: {detail}; nginx does not look "
        "(proxy_ssl_verify is off)",
        "renew or replace the certificate before you turn proxy_ssl_verify on",
    ),
    "L6_CERT_EXPIRING": _warns(
        "tls", "", "upstream-certificate-expiring", "the certificate of {target} expires soon: {detail}",
        "renew it",
    ),
    # --- HTTP ----------------------------------------------------------------------------------------------------
    "L7_SCHEME": _fails(
        "http", None, f"upstream prematurely closed connection{_RESPONSE}", "upstream-tls-mismatch",
        "{target} speaks TLS and nginx talks plain HTTP to it ({detail})", "write https:// in proxy_pass",
    ),
    "L7_RESET": _fails(
        "http", 502, f"recv() failed (104: Connection reset by peer){_RESPONSE}", "upstream-reset",
        "{target} resets the connection instead of answering ({detail}): visitors get 502",
        "look into the log of the service; a wrong protocol on the port looks the same",
    ),
    "L7_CLOSED": _fails(
        "http", 502, f"upstream prematurely closed connection{_RESPONSE}", "upstream-closes-early",
        "{target} hangs up before it has answered ({detail}): visitors get 502",
        "look into the log of the service; a wrong protocol on the port looks the same",
    ),
    "L7_TIMEOUT": _fails(
        "http", 504, f"upstream timed out (110: Connection timed out){_RESPONSE}", "upstream-timeout",
        "{target} takes the request and does not answer ({detail}): visitors wait and get 504",
        "look into the service: it accepts connections and does not answer", retried="timeout",
    ),
    "L7_SLOWHEADER": _fails(
        "http", 504, f"upstream timed out (110: Connection timed out){_RESPONSE}", "upstream-timeout",
        "{target} starts an answer and never ends its head ({detail})", "look into the service", retried="timeout",
    ),
    "L7_TOOBIG": _fails(
        "http", 502, f"upstream sent too big header{_RESPONSE}", "upstream-header-too-big",
        "the response head of {target} does not fit into {buffer} ({detail}): visitors get 502",
        "raise {family}_buffer_size, and {family}_buffers and {family}_busy_buffers_size with it; or send fewer and "
        "smaller cookies and headers",
        retried="invalid_header",
    ),
    "L7_NEARBUFFER": _warns(
        "http", "", "upstream-header-near-limit",
        "the response head of {target} almost fills {buffer} ({detail})",
        "raise {family}_buffer_size before a longer cookie turns answers into 502",
    ),
    "L7_BADHEADER": _fails(
        "http", 502, f"upstream sent invalid header{_RESPONSE}", "upstream-header-invalid",
        "{target} sends a header line nginx refuses ({detail}): visitors get 502", "mend the header in the service",
        retried="invalid_header",
    ),
    "L7_FRAMING": _fails(
        "http", 502, "upstream sent invalid framing headers", "upstream-framing",
        "{target} frames its answer in a way nginx refuses since 1.23.0 ({detail}): visitors get 502",
        "send either one Content-Length or Transfer-Encoding: chunked", retried="invalid_header",
    ),
    "L7_NOTHTTP": _fails(
        "http", None, f"upstream sent no valid HTTP/1.0 header{_RESPONSE}", "upstream-not-http",
        "{target} does not speak HTTP/1 ({detail}): nginx passes the bytes on without a status line, and browsers "
        "show an invalid response", retried="",
    ),
    "L7_H2ONLY": _fails(
        "http", None, f"upstream sent no valid HTTP/1.0 header{_RESPONSE}", "upstream-http2-only",
        "{target} speaks only HTTP/2 ({detail}): visitors get an invalid response or 502",
        "use grpc_pass for gRPC, or proxy_http_version 2 (nginx 1.29.4), or let the server speak HTTP/1.1",
        retried="",
    ),
    "L7_INTERIM": Outcome(
        "degraded", WARNING, "http", None, "", "upstream-interim-answer",
        "{target} sends an interim answer nobody asked for ({detail})",
        ("let the service send 1xx answers only to clients that asked for them",),
    ),
    "L7_H1_UNDER_GRPC": _fails(
        "http", 502, f"upstream sent too large http2 frame: 4740180{_RESPONSE}", "upstream-wrong-protocol",
        "{target} answers in HTTP/1, this pass speaks HTTP/2 ({detail}): visitors get 502",
        "use proxy_pass http://…, or the port that speaks gRPC",
    ),
    "L7_H2_REJECTED": _fails(
        "http", 502, "upstream rejected request", "upstream-wrong-protocol",
        "{target} ends the HTTP/2 exchange ({detail}): visitors get 502", "look into the log of the service",
    ),
    "L7_H2_BROKEN": _fails(
        "http", None, "", "upstream-wrong-protocol",
        "{target} breaks the HTTP/2 exchange off after the head ({detail}): visitors get no answer",
        "look into the log of the service", retried="",
    ),
    "L7_WRONGPROTO": _fails(
        "http", None, "", "upstream-wrong-protocol",
        "{target} does not speak what {directive} speaks ({detail})", "use the pass directive of its protocol",
    ),
    "L7_PROXY_UNWANTED": _warns(
        "http", "", "upstream-needs-proxy-protocol",
        "{target} does not know the PROXY protocol header nginx sends ({detail}): visitors get an error or nothing",
        "write: proxy_protocol off; or let the service expect the header",
    ),
    "L7_NOT_SERVING": _fails(
        "http", None, "", "upstream-not-serving",
        "{target} is up, but {detail}: nginx passes requests to it all the same", "look into the service behind it",
        retried="",
    ),
    "L7_SERVICE_UNKNOWN": _warns(
        "http", "", "upstream-not-serving",
        "{target} speaks gRPC, but {detail}: who checks its health takes it for dead",
        "let the health service know the server as a whole, the empty name",
    ),
    "L7_NO_TRAILERS": _unknown(
        "unknown", "upstream-not-serving",
        "{target} ends a gRPC answer without a status ({detail}): nobody can say whether its calls succeed",
    ),
    "L7_NEEDS_PROXY": _fails(
        "http", 502, f"upstream prematurely closed connection{_RESPONSE}", "upstream-needs-proxy-protocol",
        "{target} waits for a PROXY protocol header ({detail}): visitors get an error",
    ),
    "L7_STATUS_5XX": _warns(
        "http", "", "upstream-server-error", "{target} answers {status} to the request nginx would send ({detail})",
        "look into the log of the service",
    ),
    "L7_UNEXPECTED": _warns(
        "http", "", "upstream-status-unexpected",
        "{target} answers the request of the health check otherwise than nginxlint.toml expects ({detail})",
        "look into the log of the service, or correct expect-status",
    ),
    "L7_OVERLOAD": _warns(
        "http", "", "upstream-overloaded", "{target} is overloaded or out of service: it answers {status} ({detail})",
        "give it more capacity, or look at its own limits",
    ),
    "L7_STATUS_4XX": _fails(
        "http", None, "", "upstream-host-rejected",
        "{target} rejects the Host nginx sends: it {detail}", retried="",
    ),
    "L7_SHORTBODY": _warns(
        "http", "", "upstream-body-broken",
        "{target} does not send the whole body it announces ({detail}): visitors get a truncated answer",
        "look into the log of the service: it fails while it answers",
    ),
    "L7_BADCHUNK": _warns(
        "http", "", "upstream-body-broken",
        "{target} sends a chunked body nginx cannot read ({detail}): visitors get a truncated or no answer",
        "mend the chunked encoding in the service, or let it send Content-Length",
    ),
    "L7_BADRECORD": _warns(
        "http", "", "upstream-body-broken",
        "{target} sends behind the head what is no FastCGI record ({detail}): visitors get no answer",
        "look for what writes to the same output as the FastCGI library",
    ),
    "L7_LOOP": _warns(
        "http", "", "upstream-redirect-loop",
        "{target} redirects visitors to the page they asked for ({detail}): browsers report too many redirects",
        "let the service know the visitor's scheme: proxy_set_header X-Forwarded-Proto $scheme;",
        severity=INFO,
    ),
    "L7_REDIRECT": _warns(
        "http", "", "upstream-redirect-inside",
        "{target} redirects visitors to where no visitor may go ({detail})", "look into the service",
    ),
    "L7_HTTP10": _fails(
        "http", None, "", "upstream-http10-rejected",
        "{target} rejects HTTP/1.0, which nginx speaks unless told otherwise: it {detail}", retried="",
    ),
    "L7_WEBSOCKET": _warns(
        "http", "", "upstream-websocket", "{target} answers WebSocket handshakes in a way browsers refuse ({detail})",
        "look for what answers in place of the WebSocket service",
    ),
    "L7_NO_WEBSOCKET": _warns(
        "http", "", "upstream-websocket",
        "this location passes WebSocket handshakes on, and {target} takes none ({detail})",
        "check the path that is passed on, and what the service expects", severity=INFO,
    ),
    "L7_NOT_KEPT": _warns(
        "http", "", "upstream-keepalive-refused",
        "{target} does not keep the connections its group wants to keep ({detail}): every request opens a new one",
        "let the service answer in HTTP/1.1 without Connection: close, or take keepalive out of the group", severity=INFO,
    ),
    "L7_KEPT_BROKEN": _warns(
        "http", "", "upstream-keepalive-refused",
        "{target} does not keep the connections its group wants to keep, and does not say so ({detail}): a request that "
        "comes at that moment gets 502",
        "let the service announce Connection: close, or keep connections for longer than keepalive_timeout of the group",
    ),
    "L7_SLOW": _warns(
        "http", "", "upstream-slow", "{target} is close to nginx's time limit ({detail})",
        "make it faster, or raise {family}_read_timeout",
    ),
    "ACCEL_LOST": _warns(
        "http", "", "upstream-accel-redirect",
        "{target} hands visitors on to {inner} (X-Accel-Redirect), and they get {status}",
        "let the internal location stand for that URI, and its root or alias for the folder with the files",
    ),
    "AUTH_STATUS": _warns(
        "http", "", "upstream-auth-request",
        "{target} answers {status} to auth_request ({detail}), which understands 2xx, 401 and 403 only: visitors get 500",
        "let the service answer 401 or 403 to who may not enter; a redirect to a login belongs into error_page 401",
    ),
    "MAIL_AUTH": _warns(
        "http", "", "upstream-mail-auth",
        "{target} answers {detail} to auth_http, which needs 200 and Auth-Status: logins fail with “internal server error”",
        "correct the path in auth_http, or look into the service behind it",
    ),
    # --- not judged ----------------------------------------------------------------------------------------------
    "SKIP_POLICY": _unknown("not-probed", "upstream-not-checked", "{target} was not contacted: {detail}"),
    "SKIP_VARIABLE": _unknown("not-probed", "upstream-not-checked", "{target} {detail}", None),
    "SKIP_ASKED": _unknown("not-probed", "upstream-not-checked", "{target} was not contacted: {detail}", None),
    "SKIP_UNCHANGED": _unknown("not-probed", "upstream-not-checked", "{target} was not contacted: {detail}", None),
    "SKIP_SNIPPET": _unknown("not-probed", "upstream-not-checked", "{target} was not judged: {detail}", None),
    "SKIP_DOWN": _unknown("not-probed", "upstream-not-checked", "{target} is marked down", None),
    "SKIP_UDP": _unknown("not-probed", "upstream-not-checked", "{target}: {detail}", None),
    "SKIP_SERVICE": _unknown("not-probed", "upstream-not-checked", "{target}: {detail}", None),
    "NOT_CHECKED": _unknown("unknown", "upstream-not-checked", "{target} was not checked: {detail}"),
    "NOT_FROM_HERE": Outcome(
        "unknown", INFO, "", None, "", "upstream-not-checked", "{target} cannot be judged from here: {detail}",
        (
            "check where nginx runs (--export-plan), or say where it is: --resolve, --hosts-file, --map-from",
            "--vantage server: here is what nginx will see, so that what fails here fails there",
        ),
    ),
    "TOOL_FAULT": _unknown("unknown", "upstream-not-checked", "{target} cannot be judged from here: {detail}"),
    # --- groups --------------------------------------------------------------------------------------------------
    "GRP_NONE_LIVE": _fails(
        "", 502, f"no live upstreams{_CONNECTING}", "upstream-no-live-peer",
        "no server of upstream {target} answers ({detail}): visitors get an error on every request", retried="",
    ),
    "GRP_MAX_CONNS": _warns(
        "", "", "upstream-limit-reached",
        "upstream {target} takes fewer requests than nginx may accept ({detail}): the others get 502 at once",
        "raise max_conns where the servers bear more", severity=INFO,
    ),
    "GRP_DRIFT": _warns(
        "", "", "upstream-peers-differ", "the servers of upstream {target} differ: {detail}",
        "bring them to the same state, or write the odd one as backup", severity=INFO,
    ),
    "GRP_PARTIAL": _warns("", "", "upstream-partly-down", "upstream {target}: {detail}"),
}  # fmt: skip
