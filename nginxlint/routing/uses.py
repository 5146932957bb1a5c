"""Which passes lead to which upstream group, variables followed."""

from __future__ import annotations

from nginxlint.routing.destinations import destinations
from nginxlint.routing.grouped import Grouped
from nginxlint.routing.passes import TLS_SCHEMES, Pass
from nginxlint.routing.upstreams import Upstream

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class Use:
    """One way a pass leads to a group: `target` is the pass as written, `scheme` what it speaks to the group (empty
    where the directive takes none, `$scheme` where it is the client's), `tls` whether that is TLS; in stream
    `proxy_ssl` decides."""

    __slots__ = ("scheme", "target", "tls")

    def __init__(self, config: Config, target: Pass, scheme: str) -> None:
        self.target = target
        self.scheme = scheme
        if target.kind == "stream":
            self.tls = config.scope(target.directive).on("proxy_ssl")
        else:
            self.tls = scheme in TLS_SCHEMES

    def __repr__(self) -> str:
        return f"Use({self.target.directive!r}, {self.scheme!r})"


class Uses:
    """All uses of all groups. `all_known` is false where a pass hangs on the request: it may lead to any group."""

    __slots__ = ("all_known", "by_group")

    def __init__(self, config: Config) -> None:
        self.all_known = True
        uses: list[tuple[Upstream, Use]] = []
        for target in config.passes(*PASSES):
            if target.kind == "http" and target.directive.enclosing("location") is None:
                continue  # nginx refuses it there; likely a piece of stream taken for http
            if "$" not in target.text:
                if (group := target.group(config)) is not None:
                    uses.append((group, Use(config, target, target.scheme)))
                continue
            ends = destinations(config, target)
            self.all_known = self.all_known and ends is not None
            for end in ends or ():
                named = config.upstream(end.host, target.kind) if end.port is None and end.host else None
                if named is not None:
                    uses.append((named, Use(config, target, end.scheme)))
        self.by_group = Grouped([group for group, _ in uses], [use for _, use in uses])
