"""The scene of `nginxlint demo`: a rendered shop, its upstreams and its name server, all on loopback."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from nginxlint.demo import dns
from nginxlint.demo.dns import NameServer
from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.demo.upstreams import World

NAMES: dict[str, dns.Script] = {
    "stock.demo.test": dns.addresses("127.0.0.1"),
    "reviews.demo.test": dns.alias("reviews-eu.demo.test", address="127.0.0.1"),
    "wishlist.demo.test": dns.fails("NXDOMAIN"),
    "loyalty.demo.test": dns.fails("SERVFAIL"),
    "warehouse.demo.test": dns.fails("NXDOMAIN"),
}
"""What the demo's name server knows."""

EDGE_PORT = 8080
_PLACE = re.compile(r"@(port:)?([a-z0-9-]+)(?::(\d+))?@")


class Scene:
    """Where the rendered configuration is and how to look names up."""

    def __init__(self, folder: Path, resolver: str) -> None:
        self.folder = folder
        self.resolver = resolver


@contextmanager
def scene(edge_port: int = EDGE_PORT) -> Iterator[Scene]:
    """Upstreams run and the configuration is there while the `with` block does."""
    folder = Path(tempfile.mkdtemp(prefix="nginxlint-shop-"))
    try:
        folder.chmod(0o755)
        with World() as world, NameServer(NAMES) as names:
            words = {
                "dns": str(names.port),
                "ca": certificate_path("ca"),
                "edge": str(edge_port),
                "folder": str(folder),
            }
            _render(folder, words, world)
            yield Scene(folder, f"127.0.0.1:{names.port}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _render(folder: Path, words: dict[str, str], world: World) -> None:
    def fill(found: re.Match[str]) -> str:
        kind, name, copy = found.groups()
        return str(world.port(name, int(copy or 0))) if kind else words[name]

    with as_file(files("nginxlint.demo") / "shop") as template:
        for source in sorted(template.rglob("*.conf")):
            target = folder / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_PLACE.sub(fill, source.read_text("utf-8")), "utf-8")
