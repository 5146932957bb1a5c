"""`server_name` in http and stream: wildcards, regular expressions, and the hash they are kept in."""

from __future__ import annotations

from itertools import chain

from nginxlint.catalogue.addresses import print_address
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.hashes import LONGEST, bucket_needed, bucket_size, longest_part
from nginxlint.catalogue.checks.listen import Socket
from nginxlint.catalogue.checks.patterns import pattern_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nginxlint.catalogue.checks.faults import AllFine, BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive


def _server_name(directive: Directive, context: Context) -> Iterable[Refusal]:
    return () if _are_plain(directive.values) else _look_at(directive, context)


def _are_plain(names: Sequence[str]) -> bool:
    """Are they names and nothing else, short enough for any table?"""
    lines = "\n".join(("", *names, ""))
    return max(map(len, names)) <= 46 and not any(mark in lines for mark in ("*", "~", "..", "\n.", "\n\n"))


def _look_at(directive: Directive, context: Context) -> Iterator[Refusal]:
    for index, name in enumerate(directive.values):
        first = name[:1]
        if (first == "*" and (len(name) < 3 or name[1] != ".")) or (first == "." and len(name) < 2):
            yield fault(
                context,
                directive,
                index,
                f'server name "{name}" is invalid',
                f'"{name}" is no server name: a wildcard is *.example.com or example.*',
                "write `server_name _;` for a server that is meant as default_server"
                if name in ("*", ".")
                else f"write *.{name.lstrip('*.')}",
                rule="server-name-invalid",
            )
            return
        if name == "~":
            yield fault(
                context,
                directive,
                index,
                f'empty regex in server name "{name}"',
                "the regular expression after ~ is empty",
                rule="server-name-invalid",
            )
            return
        if first == "~":
            refusal = pattern_fault(context, directive, index, name[1:])
            if refusal is not None:
                yield refusal
                return
        elif not hashable(name) or longest_part(name) > LONGEST:
            suspects = context.state.setdefault(f"server_names.{context.subsystem}", [])
            assert isinstance(suspects, list)
            suspects.append((directive, index))


def with_default_port(block: Block, sockets: dict[object, Socket]) -> dict[object, Socket]:
    """The sockets, with the http servers that have no `listen` on port 80 of all addresses."""
    quiet = [
        server
        for server in block.blocks("server")
        if not server.synthetic and all(child.name != "listen" for child in server.body)
    ]
    if quiet:
        key = (False, 80, bytes(4))
        socket = sockets.get(key) or Socket(quiet[0])
        for server in quiet:
            socket.servers[id(server)] = server
        sockets = {**sockets, key: socket}
    return sockets


def hashable(name: str) -> bool:
    """Would `ngx_hash_add_key` take it? One wildcard at most, at the beginning or the end, and no empty label."""
    if ".." in name or name.count("*") > 1:
        return False
    return "*" not in name or name[0] == "." or name.startswith("*.") or (len(name) > 2 and name.endswith(".*"))


def _end_of_subsystem(block: Block, context: Context) -> Iterator[Refusal]:
    """nginx looks at these names only on a socket that several servers share."""
    suspects = context.state.pop(f"server_names.{context.subsystem}", [])
    sockets = context.state.get(f"listen.{context.subsystem}", {})
    assert isinstance(suspects, list) and isinstance(sockets, dict)
    if suspects and context.subsystem == "http":
        sockets = with_default_port(block, sockets)
    for directive, index in suspects:
        name = directive.values[index]
        shared = [
            key for key, socket in sockets.items() if id(directive.parent) in socket.servers and len(socket.servers) > 1
        ]
        if not shared:
            continue
        _, port, where = shared[0]
        if not hashable(name):
            address = print_address(where, port) if isinstance(where, bytes) else f"unix:{where}"
            yield fault(
                context,
                directive,
                index,
                f'invalid server name or wildcard "{name}" on {address}',
                f'"{name}" is no name nginx can match: a wildcard stands for whole labels at the beginning or the end',
                "write a regular expression: ~^…$",
                rule="server-name-invalid",
                nginx_line=False,
            )
            continue
        bucket = bucket_size(block, "server_names_hash_bucket_size")
        needed = bucket_needed(longest_part(name))
        if needed > bucket:
            yield fault(
                context,
                directive,
                index,
                f"could not build server_names_hash, you should increase server_names_hash_bucket_size: {bucket}",
                f'"{name}" is too long for the table of server names',
                f"write `server_names_hash_bucket_size {needed};` in {context.subsystem} {{}}",
                rule="hash-too-small",
                nginx_line=False,
            )


CHECKS: dict[str, Check] = {"server_name": _server_name}
ALL_FINE: dict[str, AllFine] = {"server_name": lambda examples, _: _are_plain([*chain.from_iterable(examples)])}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_subsystem, "stream": _end_of_subsystem}
ENDS_OF_OWN = frozenset(("http", "stream"))
