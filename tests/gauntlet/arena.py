"""One nginx with a location per scenario, and both opinions about it: what nginxlint predicts and what nginx does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from nginxlint.demo import dns
from nginxlint.demo.upstreams import World
from tests.gauntlet import authority
from tests.gauntlet.scenario import Scenario, log_class
from tests.oracle.nginx import STREAM_MODULE, Nginx, Reply, free_port

_GOOD = dns.addresses("127.0.0.1")
NAMES = {
    "good.demo.test": dns.addresses("127.0.0.1"),
    "alias.demo.test": dns.alias("target.demo.test", address="127.0.0.1"),
    "alias-only.demo.test": dns.alias("good.demo.test"),
    "truncated.demo.test": dns.truncated("127.0.0.1"),
    "missing.demo.test": dns.fails("NXDOMAIN"),
    "odd-code.demo.test": dns.fails("YXDOMAIN"),
    "alias-missing.demo.test": dns.alias("missing.demo.test"),
    "no-data.demo.test": dns.no_data(),
    "loop.demo.test": dns.alias("other.demo.test", "loop.demo.test"),
    "other.demo.test": dns.alias("loop.demo.test", "other.demo.test"),
    "only-v6.demo.test": dns.addresses("::1"),
    "server-failure.demo.test": dns.fails("SERVFAIL"),
    "refused.demo.test": dns.fails("REFUSED"),
    "silent.demo.test": dns.silence(),
    "wrong-id.demo.test": dns.wrong_id("127.0.0.1"),
    # the two families are not answered alike
    **{f"v6-{code.lower()}.demo.test": dns.by_type(A=_GOOD, AAAA=dns.fails(code)) for code in dns.CODES},
    "v6-servfail-alias.demo.test": dns.by_type(A=dns.alias("a.test", address="127.0.0.1"), AAAA=dns.fails("SERVFAIL")),
    "v6-behind-alias.demo.test": dns.alias("v6-servfail.demo.test"),
    "v6-silent.demo.test": dns.by_type(A=_GOOD, AAAA=dns.silence()),
    "v6-gets-v4.demo.test": dns.by_type(A=_GOOD, AAAA=dns.records("A", "127.0.0.1")),
    "v4-nxdomain.demo.test": dns.by_type(A=dns.fails("NXDOMAIN"), AAAA=dns.addresses("::1")),
    # replies that nginx drops
    "no-question.demo.test": dns.asks_back(_GOOD, 0),
    "two-questions.demo.test": dns.asks_back(_GOOD, 2),
    "truncated-twice.demo.test": dns.always_truncated(_GOOD),
    "other-records.demo.test": dns.records("TXT", "hello"),
}
"""What the name server of the gauntlet knows."""

AT_ONCE = 12
_PLACE = re.compile(r"\{(port|path|dns|name|made)(?::([a-z0-9.-]+))?\}")
_LIMITS = "\n".join(
    f"{family}_connect_timeout 1s; {family}_read_timeout 1s; {family}_send_timeout 1s; {family}_buffer_size 4k;"
    for family in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")
)


class Observed:
    """What real nginx did: the client's status and the log class."""

    def __init__(self, reply: Reply, lines: list[str]) -> None:
        self.status = reply.status
        self.lines = lines
        self.log = log_class(lines)


class Arena:
    """The configuration text of a set of scenarios, and which line belongs to which."""

    def __init__(self, scenarios: Iterable[Scenario], world: World, names_port: int) -> None:
        self.scenarios = list(scenarios)
        self.world = world
        self.names_port = names_port
        self.stream_ports = {s.name: free_port() for s in self.scenarios if s.stream}
        # Every scenario gets servers of its own: nginx shares sessions and failure counts by address.
        self.blocks = [self._block(s, number) for number, s in enumerate(self.scenarios)]
        self.around = [self._filled(s.around, s, number) for number, s in enumerate(self.scenarios)]

    def nginx(self) -> Nginx:
        """An nginx (not started) with one location, or stream server, per scenario."""
        pairs = list(zip(self.scenarios, self.blocks, self.around, strict=True))
        locations = "\n".join(
            f"{block}\n{self._filled(s.beside, s, number)}"
            for number, (s, block, _) in enumerate(pairs)
            if not s.stream
        )
        around = "\n".join(text for s, _, text in pairs if text and not s.stream)
        caches = "proxy_cache_path {folder}/cache keys_zone=gauntlet:1m;"
        http = f"{_LIMITS}\n{caches}\n{around}\nserver {{\nlisten 127.0.0.1:{{port}};\nserver_name demo.test;\n{locations}\n}}"
        streams = "\n".join(text for s, _, text in pairs if text and s.stream)
        streams += "\n" + "\n".join(block for s, block, _ in pairs if s.stream)
        if not self.stream_ports:
            return Nginx(http)
        return Nginx(
            http,
            main=f"load_module {STREAM_MODULE};",
            rest='stream {\nlog_format status "$server_port $status";\naccess_log {folder}/stream.log status;\n'
            f"proxy_connect_timeout 1s; proxy_timeout 1s;\n{streams}\n}}",
        )

    def lines(self, text: str) -> dict[int, str]:
        """Line number → scenario, in the text of the configuration file."""
        wanted = {block: s.name for block, s in zip(self.blocks, self.scenarios, strict=True)}
        return {number: wanted[line] for number, line in enumerate(text.splitlines(), 1) if line in wanted}

    def observe(self, nginx: Nginx) -> dict[str, Observed]:
        """Ask the running nginx once per scenario."""

        def ask(scenario: Scenario) -> tuple[str, Observed]:
            return scenario.name, self._ask_stream(nginx, scenario) if scenario.stream else _ask(nginx, scenario)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(pool.map(ask, self.scenarios))

    def _ask_stream(self, nginx: Nginx, scenario: Scenario) -> Observed:
        port = self.stream_ports[scenario.name]
        reply = nginx.exchange(b"GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n", port=port, limit=4.0)
        lines = [line for line in nginx.log() if f"server: 127.0.0.1:{port}," in line]
        written = [line.split() for line in nginx.log("stream.log") if line.startswith(f"{port} ")]
        status = int(written[-1][1]) if written else reply.status
        return Observed(Reply(reply.raw, status, reply.closed), lines)

    def _block(self, scenario: Scenario, number: int) -> str:
        inside = self._filled(scenario.passes, scenario, number)
        if scenario.stream:
            return f"server {{ listen 127.0.0.1:{self.stream_ports[scenario.name]}; {inside} }}"
        return f"location = /{scenario.name} {{ {inside} }}"

    def _filled(self, text: str, scenario: Scenario, number: int) -> str:
        def fill(found: re.Match[str]) -> str:
            kind, name = found[1], found[2] or scenario.upstream
            if kind == "port":
                return str(self.world.port(name, copy=number))
            if kind == "made":
                return authority.path(name)
            if kind == "path":
                return str(self.world.path(name))
            return str(self.names_port) if kind == "dns" else scenario.name

        return _PLACE.sub(fill, text)


def _ask(nginx: Nginx, scenario: Scenario) -> Observed:
    path = f"/{scenario.name}"
    reply = nginx.ask(path, limit=4.0)
    return Observed(reply, nginx.log_of(path) if scenario.log else [x for x in nginx.log() if f"GET {path} HTTP" in x])
