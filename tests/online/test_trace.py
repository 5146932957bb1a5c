"""Where packets are lost, in network namespaces of our own: client, two routers, and a host that swallows everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nginxlint.online.trace import Hop, sentence
from tests.cli.conftest import REPOSITORY

# Runs in a new namespace, which is the client's. The routers' namespaces are held by sleeping processes.
SCENE = """
set -e
ip link set lo up
unshare -n sleep 120 & FIRST=$!
unshare -n sleep 120 & SECOND=$!
trap "kill $FIRST $SECOND" EXIT
for pid in $FIRST $SECOND; do
  while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
done
at() { nsenter -t $1 -n sh -ec "$2"; }
ip link add client type veth peer name near netns $FIRST
ip addr add 10.77.0.2/24 dev client; ip link set client up; ip route add default via 10.77.0.1
at $FIRST "ip addr add 10.77.0.1/24 dev near; ip link set near up; echo 1 > /proc/sys/net/ipv4/ip_forward"
at $FIRST "ip link add far type veth peer name near netns $SECOND; ip addr add 10.77.1.1/24 dev far; ip link set far up"
at $FIRST "ip route add 10.77.2.0/24 via 10.77.1.2; ip route add prohibit 10.77.3.0/24"
at $SECOND "ip addr add 10.77.1.2/24 dev near; ip link set near up; echo 1 > /proc/sys/net/ipv4/ip_forward"
at $SECOND "ip route add 10.77.0.0/24 via 10.77.1.1; ip link add hole type veth peer name other; ip link set other up"
at $SECOND "ip addr add 10.77.2.1/24 dev hole; ip link set hole up"
at $SECOND "ip neigh add 10.77.2.9 lladdr 02:00:00:00:00:09 dev hole nud permanent"


"$@"
"""


def usable() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "nsenter", "setpriv"))):
        return False
    made = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "one", "type", "veth", "peer", "name", "two"],
        capture_output=True,
        check=False,
    )
    return made.returncode == 0


needs_namespaces = pytest.mark.skipif(not usable(), reason="needs root and network namespaces")


def help_for(tmp_path: Path, address: str, *before: str) -> list[str]:
    """The help lines of the finding about a target at this address; `before` goes before the command."""
    file = tmp_path / "nginx.conf"
    file.write_text(f"events {{}}\nhttp {{ server {{ location / {{ proxy_pass http://{address}:81; }} }} }}\n")
    words = ["check", "--no-config", "--no-cache", "--online", "--trace", "--timeout", "1", "-o", "json", str(file)]
    environment = {**os.environ, "PYTHONPATH": REPOSITORY}
    command = ["unshare", "-n", "sh", "-c", SCENE, "scene", *before, sys.executable, "-m", "nginxlint", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 1, done.stderr
    return [line for finding in json.loads(done.stdout)["findings"] for line in finding["help"]]


@needs_namespaces
@pytest.mark.parametrize("before", [(), ("setpriv", "--bounding-set", "-all")])
def test_the_last_router_before_the_silence_is_named_without_privileges(
    tmp_path: Path, before: tuple[str, ...]
) -> None:
    [way] = [line for line in help_for(tmp_path, "10.77.2.9", *before) if line.startswith("the way")]
    assert way.startswith(
        "the way: from 10.77.0.2 by client; passes 10.77.0.1, 10.77.1.2; nothing answers behind 10.77.1.2"
    )


@pytest.mark.parametrize(
    ("hops", "said"),
    [
        ([Hop("silent")] * 3, "unknown"),
        ([Hop("passed", "10.0.0.1"), Hop("silent"), Hop("silent")], "nothing answers behind 10.0.0.1"),
        ([Hop("silent"), Hop("passed", "10.0.0.2"), Hop("silent")], "nothing answers behind 10.0.0.2"),
        ([Hop("passed", "10.0.0.1"), Hop("prohibited", "10.0.0.9")], "10.0.0.9 forbids it: a firewall there"),
        ([Hop("passed", "10.0.0.1"), Hop("answered", "10.0.0.9")], "it answers now"),
        ([Hop("unreachable", "10.0.0.1", "no route to host")], "10.0.0.1 says: no route to host"),
        ([Hop("unreachable", "", "network is unreachable")], "this machine says: network is unreachable"),
    ],
)
def test_what_the_hops_tell_is_said_and_no_more(hops: list[Hop], said: str) -> None:
    assert said in sentence(hops)
