"""What the online stage passes on: Target → Resolution and Phases → Observation → Verdict → GroupVerdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nginxlint.diagnostic import Severity

if TYPE_CHECKING:
    from nginxlint.source import Span
    from nginxlint.syntax import Directive

# How far a probe goes, in order. A failure belongs to one of them.
STAGES = ("dns", "tcp", "tls", "http")
# How sure a predicted status is.
CERTAINTIES = ("observed", "predicted", "assumed")
# From where it is looked: where nginx runs, from some machine, from a container, from where nginx surely does not run.
SERVER, LOCAL, CONTAINER, ELSEWHERE = VANTAGES = ("server", "local", "container", "elsewhere")


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the configuration that leads to a target."""

    directive: Directive
    span: Span


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """How nginx would shake hands: `server_name` is the SNI sent (empty: none), `name` what a certificate is matched
    against, `protocols` the versions allowed (`TLSv1.2`), `alpn` the protocols offered."""

    server_name: str = ""
    name: str = ""
    verify: bool = False
    depth: int = 1
    ca: str = ""
    crl: str = ""
    certificate: str = ""
    key: str = ""
    password_file: str = ""
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    ciphers: str = "DEFAULT"
    alpn: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files it is read from."""
        return tuple(path for path in (self.ca, self.crl, self.certificate, self.key, self.password_file) if path)


@dataclass(frozen=True, slots=True)
class ResolverSet:
    """A `resolver` line: servers as (host, port), `valid` in seconds (None: the TTL), the families asked for."""

    servers: tuple[tuple[str, int], ...]
    ipv4: bool = True
    ipv6: bool = True
    timeout: float = 30.0
    valid: float | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """nginx's own limits in seconds, before ours are applied."""

    connect: float = 60.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class PeerRole:
    """What an upstream group says of one of its servers; `max_conns` for all workers together (0: no limit known)."""

    group: str
    kind: str = "http"
    weight: int = 1
    backup: bool = False
    down: bool = False
    max_fails: int = 1
    max_conns: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """One thing nginx would talk to, and how it would do it.

    `directive` is the pass directive's name (`stream` for a pass in stream, as in the JSON contract); `protocol` what
    is spoken: http, grpc, fastcgi, uwsgi, scgi, memcached, tcp, udp. `resolution`: startup, runtime, literal, unix,
    dynamic. `skip` says why it is not probed (a verdict code and a sentence), `note` explains more. `maybe_group`:
    a bare name in a snippet, which may be an upstream group defined in another file. `next_upstream`
    are the conditions under which nginx tries the next peer, `tries` and `next_timeout` what bounds it (0: nothing).
    `surroundings` names the places of what may show visitors something else: `error_page`, `auth_request`.
    `defined_at` is where host and port are written. `method` is asked instead of GET, `patience` is the user's
    own limit in seconds (settings).
    `cache_head` is what the entry of a cache takes of the buffer. `keeps`: nginx would keep the connection for
    further requests (of FastCGI: asks the server to keep it). `upgrades`: WebSocket handshakes are passed on, in a location
    of any name (`any`) or one that is named for them (`named`). `source` is the local address nginx connects from.
    """

    id: str
    directive: str
    protocol: str
    scheme: str
    host: str
    port: int | None
    path: str
    host_header: str | None
    defined_at: Where
    used_at: tuple[Where, ...]
    resolution: str
    unix: str = ""
    upstream: str = ""
    role: PeerRole | None = None
    tls: TlsProfile | None = None
    http_version: str = "1.0"
    buffer_size: int = 4096
    cache_head: int = 0
    timeouts: Timeouts = Timeouts()
    resolver: ResolverSet | None = None
    proxy_protocol: bool = False
    next_upstream: frozenset[str] = frozenset(("error", "timeout"))
    tries: int = 0
    next_timeout: float = 0.0
    buffering: bool = True
    surroundings: str = ""
    worker_user: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    client_url: str = ""
    pass_url: str = ""
    skip: tuple[str, str] | None = None
    note: str = ""
    maybe_group: bool = False
    method: str = ""
    patience: float | None = None
    keeps: bool = False
    upgrades: str = ""
    source: str = ""

    @property
    def room(self) -> int:
        """How many bytes of a response head nginx can take."""
        return max(1, self.buffer_size - self.cache_head)

    @property
    def label(self) -> str:
        """How an operator names it."""
        if self.unix:
            return f"unix:{self.unix}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """What is dialled: a literal and a port, or the path of a unix socket."""

    host: str
    port: int = 0
    unix: str = ""

    def __str__(self) -> str:
        if self.unix:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class Answer:
    """What a lookup gave while it is put together: addresses, or a verdict code with a sentence."""

    addresses: list[str] = field(default_factory=list)
    code: str = ""
    error: str = ""
    ttl: int | None = None
    chain: list[str] = field(default_factory=list)
    failed_families: list[str] = field(default_factory=list)
    authoritative: bool = False
    rotates: bool = False
    remarks: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to one name: `how` is startup, runtime, override, literal or unix; `code` empty where it worked,
    else a verdict code; `error` is the sentence for an operator; `total` counts addresses before the cap; `remarks` are
    codes with details of what is worth knowing though it worked. `port` is dialled instead of the target's."""

    name: str
    how: str
    addresses: tuple[str, ...] = ()
    ms: float = 0.0
    code: str = ""
    error: str = ""
    ttl: int | None = None
    chain: tuple[str, ...] = ()
    total: int = 0
    failed_families: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of one probe. `code` is empty where it worked."""

    name: str
    ms: float
    code: str = ""
    detail: str = ""

    @property
    def ok(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the peer's certificate says (times as seconds since 1970, names as written)."""

    not_before: float
    not_after: float
    subject: str
    common_names: tuple[str, ...]
    dns_names: tuple[str, ...]
    self_signed: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What one probe of one address saw. The last phase tells how it ended; `body` is what is wrong after a good head
    (a verdict code and a detail; nginx's message is then `log`). `server` is its Server header; `further` what more questions
    showed, to a peer that answers (a verdict code and a detail). `certainty` is that of the predicted status; `inner` an
    X-Accel-Redirect: nginx then serves that URI of its own instead."""

    address: Address
    phases: tuple[Phase, ...]
    status: int | None = None
    header_bytes: int = 0
    location: str = ""
    certificate: Certificate | None = None
    tls_version: str = ""
    log: str = ""
    predicted_status: int | None = None
    hints: tuple[str, ...] = ()
    tries: int = 1
    clipped: bool = False
    server: str = ""
    further: tuple[str, str] = ("", "")
    body: tuple[str, str] | None = None
    certainty: str = "observed"
    inner: str = ""

    @property
    def failure(self) -> Phase | None:
        return next((phase for phase in self.phases if phase.code), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of one target. `word` is ok, degraded, failed, unknown or not-probed; `predicted_status` what a
    visitor sees (an HTTP status, "blocks-start" or None), `observed_status` what the upstream itself answered;
    `certainty` is observed, predicted or assumed; `inner` as in Observation."""

    target: Target
    word: str
    code: str
    severity: Severity | None
    failed_stage: str | None = None
    predicted_status: int | str | None = None
    observed_status: int | None = None
    predicted_log: str = ""
    certainty: str = "observed"
    message: str = ""
    label: str = ""
    help: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    stages: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    inner: str = ""
    end: Verdict | None = None
    """The verdict of the server of the group whose answer a request gets in the end, where that is another one."""

    @property
    def own_answer(self) -> bool:
        """Does the visitor get what an upstream itself answered?"""
        return self.predicted_status == (self.end or self).observed_status


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """How many peers of an upstream group answer. `lost` is the share of new requests that first meet a dead peer."""

    group: str
    kind: str
    up: int
    total: int
    judged: int
    backups_up: int
    backups: int
    lost: float
    dead: tuple[str, ...] = ()
    none_live: bool = False
    worst_wait: float = 0.0
