"""The simulator held against real nginx: generated configurations, odd requests, everything a visitor can see."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from nginxlint.error import NginxlintError
from nginxlint.routing.answer import Answer
from nginxlint.routing.request import Lines, Request, request_of_url, split_port
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION
from tests.routing.echo import Echo
from tests.routing.generator import Case, World
from tests.routing.outcome import allows, difference
from tests.routing.real import Site, free_ports, look, new_folder, remove, send

CONFIGURATIONS = int(os.environ.get("NGINXLINT_ROUTE_CONFIGURATIONS", "320"))
PER_CONFIGURATION = 17
SEED = int(os.environ.get("NGINXLINT_ROUTE_SEED", "4"))
SHOW = bool(os.environ.get("NGINXLINT_ROUTE_SHOW"))
HTTP = "server_names_hash_bucket_size 128; map_hash_bucket_size 128; variables_hash_max_size 16384; variables_hash_bucket_size 128;\n"


class Town:
    """The generated configurations in front of every kind of backend, and the model of the same text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        www = folder / "www"
        (www / "dir" / "sub").mkdir(parents=True)
        for name in ("here.txt", "dir/index.html", "run", "a.php", "dir/here.txt"):
            (www / name).write_text(name)
        (www / "run").chmod(0o755)
        certificate = folder / "certificate.pem"
        subprocess.run(
            [*"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=route.test -keyout".split(), certificate, "-out", folder / "c.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        certificate.write_text(certificate.read_text() + (folder / "c.pem").read_text())
        self.echoes = [Echo("up"), Echo("sock", path=str(folder / "sock")), Echo("tls", "http", tls=str(certificate))]
        self.echoes += [Echo(name, name) for name in ("fastcgi", "uwsgi", "scgi", "memcached", "grpc")]
        (folder / "sock").chmod(0o666)
        backends = {echo.name: echo.path or f"127.0.0.1:{echo.port}" for echo in self.echoes}
        random = Random(SEED)
        ports = free_ports(2 * CONFIGURATIONS + 1)
        world = World(backends, str(www), str(certificate))
        self.cases = [
            Case(Random(random.random()), n, (ports[2 * n], ports[2 * n + 1]), world) for n in range(CONFIGURATIONS)
        ]
        text = "\n".join(case.text for case in self.cases)
        self.site = Site(f"{HTTP}server {{ listen 127.0.0.1:{ports[-1]}; }}\n{text}", ports[-1], folder)
        self.config = config_of(self.site.text, version=VERSION)

    def can_reply(self, request: Request, answer: Answer) -> bool:
        """Tell the backend that is asked first what to answer with. Not where subrequests are asked before."""
        for echo in self.echoes:
            echo.answer = b""
        if not request.reply:
            return True
        first = answer.upstreams[0] if answer.upstreams else None
        if first is None or answer.subrequests or first.scheme in ("grpc", "memcached"):
            return False
        for echo in self.echoes:
            if f"127.0.0.1:{echo.port}" in first.peers or f"unix:{echo.path}" in first.peers:
                echo.answer = "".join(f"{name}: {value}\r\n" for name, value in request.reply.items()).encode()
        return True

    def close(self) -> None:
        for echo in self.echoes:
            echo.close()
        remove(self.folder)


@pytest.mark.skipif(
    not PROGRAM or not shutil.which("openssl"), reason="no nginx or openssl: about 5,400 requests not compared"
)
def test_generated_configurations_route_as_in_nginx() -> None:
    town = Town(new_folder())
    try:
        informed, ignorant = Router(town.config, look), Router(town.config)
        all_known, command_line = Tally(), Tally()
        with town.site.nginx:
            for case in town.cases:
                for request in case.requests(PER_CONFIGURATION):
                    answer = informed.route(request)
                    if not answer.listen or not town.can_reply(request, answer):
                        continue  # nobody listens there, or the backend cannot know whose turn it is
                    seen = send(request, town.echoes)
                    wrong = difference(town.config, answer, seen, town.echoes) if answer.certain else ""
                    all_known.add(answer, wrong, case, request)
                    asked = as_on_the_command_line(request)
                    if asked is None:
                        continue
                    answer = ignorant.route(asked)
                    wrong = "" if answer.open or allows(town.config, answer, seen, town.echoes) else difference(
                        town.config, answer, seen, town.echoes, headers=False
                    )  # fmt: skip
                    command_line.add(answer, wrong, case, request)
        print(f"{len(town.cases)} configurations; all known: {all_known}; as the command line sees it: {command_line}")
        assert all_known.compared >= 0.85 * PER_CONFIGURATION * CONFIGURATIONS
        assert all_known.certain >= 0.9 * all_known.compared
        assert len(all_known.misses) <= 0.001 * all_known.certain, "\n".join(all_known.misses[:20])
        assert command_line.compared >= 0.65 * PER_CONFIGURATION * CONFIGURATIONS
        assert command_line.open <= 0.1 * command_line.compared
        assert len(command_line.misses) <= 0.001 * command_line.compared, "\n".join(command_line.misses[:20])
    finally:
        town.close()


class Tally:
    """How many answers were compared with nginx, were called certain, were left open, and were wrong."""

    def __init__(self) -> None:
        self.compared = self.certain = self.open = 0
        self.misses: list[str] = []

    def add(self, answer: Answer, wrong: str, case: Case, request: Request) -> None:
        self.compared += 1
        self.certain += answer.certain
        self.open += answer.open
        if wrong:
            line = f"{request.method} {request.target} HTTP/{request.version} {request.headers} {request.reply}"
            self.misses.append(f"{line} {request.scheme} {request.sni} at {request.address}: {wrong}\n{case.number}")
            if SHOW:
                print("-----\n", self.misses[-1], "\n", answer.to_text(request.target), case.text)

    def __str__(self) -> str:
        return f"{self.compared} compared, {self.certain} certain, {self.open} open, {len(self.misses)} misses"


def as_on_the_command_line(request: Request) -> Request | None:
    """What `nginxlint route URL --on PORT -X METHOD` makes of a request, with -H for what is sent twice and every other
    time with --client; None where a URL cannot say it."""
    ordinary = request.version == "1.1" and not request.reply and request.target.startswith("/")
    if (
        not ordinary
        or "#" in request.target
        or not request.host
        or "/" in request.host
        or request.host[-1] == ":"
        or "[" in request.host
    ):
        return None
    if request.scheme == "https" and request.sni != split_port(request.host)[0]:
        return None
    try:
        url = f"{request.scheme}://{request.host}{request.target}"
        client = request.client if len(request.target) % 2 else ""
        twice = {name: value for name, value in request.headers.items() if isinstance(value, Lines)}
        return request_of_url(url, method=request.method, headers=twice, on=str(request.port), client=client)
    except NginxlintError:
        return None
