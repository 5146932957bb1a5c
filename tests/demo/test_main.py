"""The demo sets its scene, hands it to the check, and clears everything away."""

from __future__ import annotations

import asyncio
import os
import re
import socket

import pytest

from nginxlint.demo.main import LoopbackNetwork, run
from nginxlint.demo.scene import scene
from nginxlint.online.network import Network
from nginxlint.online.types import Address


def test_the_check_is_given_a_rendered_configuration_and_its_exit_code_is_the_answer() -> None:
    seen: dict[str, object] = {}

    def check(arguments: list[str], network: Network) -> int:
        folder = arguments[-1]
        seen.update(arguments=arguments, folder=folder, network=network)
        texts = [
            open(os.path.join(base, name), encoding="utf-8").read()  # noqa: SIM115
            for base, _, names in os.walk(folder)
            for name in names
        ]
        seen["texts"] = texts
        ports = {int(port) for text in texts for port in re.findall(r"server 127\.0\.0\.1:(\d+);", text)}
        seen["open"] = sum(_listens(port) for port in ports)
        return 1

    assert run(check, ["-o", "json"]) == 1
    arguments = seen["arguments"]
    assert isinstance(arguments, list)
    assert arguments[0] == "--online"
    assert arguments[arguments.index("-o") + 1] == "json"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", arguments[arguments.index("--resolver") + 1])
    texts = seen["texts"]
    assert isinstance(texts, list)
    assert len(texts) == 5
    assert not [text for text in texts if re.search(r"@(port|dns|ca|edge|folder)", text)]
    # Two storefronts, a cart and the payments listen; the other cart refuses.
    assert seen["open"] == 4
    assert isinstance(seen["network"], LoopbackNetwork)
    assert not os.path.exists(str(seen["folder"]))


def test_a_check_that_fails_leaves_nothing_behind() -> None:
    folders = []

    def check(arguments: list[str], _network: Network) -> int:
        folders.append(arguments[-1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(check)
    assert not os.path.exists(folders[0])


def test_the_demo_connects_to_this_machine_only_and_asks_no_system_resolver() -> None:
    network = LoopbackNetwork()
    with pytest.raises(PermissionError):
        asyncio.run(network.connect(Address("192.0.2.1", 80)))
    with pytest.raises(socket.gaierror):
        asyncio.run(network.lookup("localhost"))
    network.close()


def test_two_scenes_at_once_do_not_meet() -> None:
    with scene() as one, scene() as two:
        assert one.folder != two.folder
        assert one.resolver != two.resolver


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True
