"""One nginx with a location per scenario, and both opinions about it: what nginxlint predicts and what nginx does."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from nginxlint.demo import dns
from nginxlint.demo.upstreams import World
from tests.oracle.nginx import Nginx, Reply
from tests.oracle.scenarios import Scenario, log_class

NAMES = {
    "good.demo.test": dns.addresses("127.0.0.1"),
    "alias.demo.test": dns.alias("target.demo.test", address="127.0.0.1"),
    "alias-only.demo.test": dns.alias("good.demo.test"),
    "truncated.demo.test": dns.truncated("127.0.0.1"),
    "missing.demo.test": dns.fails("NXDOMAIN"),
    "no-data.demo.test": dns.no_data(),
    "loop.demo.test": dns.alias("other.demo.test", "loop.demo.test"),
    "other.demo.test": dns.alias("loop.demo.test", "other.demo.test"),
    "only-v6.demo.test": dns.addresses("::1"),
    "server-failure.demo.test": dns.fails("SERVFAIL"),
    "refused.demo.test": dns.fails("REFUSED"),
    "silent.demo.test": dns.silence(),
    "wrong-id.demo.test": dns.wrong_id("127.0.0.1"),
}
"""What the name server of the gauntlet knows."""

AT_ONCE = 8


class Observed:
    """What real nginx did: the client's status and the log class."""

    def __init__(self, reply: Reply, lines: list[str]) -> None:
        self.status = reply.status
        self.lines = lines
        self.log = log_class(lines)


class Gauntlet:
    """The configuration text of a set of scenarios, and which line belongs to which."""

    def __init__(self, scenarios: Iterable[Scenario], world: World, names_port: int) -> None:
        self.scenarios = list(scenarios)
        # Every scenario gets a server of its own: nginx shares sessions and failure counts by address.
        self.locations = [self._location(s, i, world, names_port) for i, s in enumerate(self.scenarios)]

    def nginx(self) -> Nginx:
        """An nginx (not started) with one location per scenario."""
        return Nginx(
            "proxy_buffer_size 4k; proxy_connect_timeout 1s; proxy_read_timeout 1s;\n"
            "fastcgi_connect_timeout 1s; uwsgi_connect_timeout 1s; scgi_connect_timeout 1s;\n"
            "fastcgi_read_timeout 1s; uwsgi_read_timeout 1s; scgi_read_timeout 1s;\n"
            "server {\nlisten 127.0.0.1:{port};\nserver_name demo.test;\n" + "\n".join(self.locations) + "\n}"
        )

    def lines(self, text: str) -> dict[int, str]:
        """Line number → scenario, in the text of the configuration file."""
        wanted = {line: s.name for line, s in zip(self.locations, self.scenarios, strict=True)}
        return {number: wanted[line] for number, line in enumerate(text.splitlines(), 1) if line in wanted}

    def observe(self, nginx: Nginx) -> dict[str, Observed]:
        """Ask the running nginx once per scenario."""

        def ask(scenario: Scenario) -> tuple[str, Observed]:
            path = f"/{scenario.name}"
            reply = nginx.ask(path, limit=4.0)
            lines = nginx.log_of(path) if scenario.log else [x for x in nginx.log() if f"GET {path} HTTP" in x]
            return scenario.name, Observed(reply, lines)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(pool.map(ask, self.scenarios))

    @staticmethod
    def _location(scenario: Scenario, index: int, world: World, names_port: int) -> str:
        passes = scenario.passes
        if "{path}" in passes:
            passes = passes.replace("{path}", str(world.path(scenario.upstream)))
        else:
            passes = passes.replace("{port}", str(world.port(scenario.upstream, copy=index)))
        return f"location = /{scenario.name} {{ {passes.replace('{dns}', str(names_port))} }}"
