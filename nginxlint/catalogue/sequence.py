"""Which of several faults nginx meets first, where it finds them only when http or stream is closed, or at the very end.

`ngx_http_block` merges the values of all servers and locations, one module after the other, then sorts the locations, lets
the modules finish (their `postconfiguration`), looks the variables up and lays the server names out. What one module
says comes in the order of the servers and of their locations; so does `ngx_stream_block`. Source: those two,
`ngx_http_merge_servers`, and the order of modules in auto/modules.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

    _Key = tuple[int, tuple[int, ...], int]

# Modules whose values are merged behind ngx_http_ssl_module, by how the names of their directives begin.
_MERGED_LATE = ("proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_", "tunnel_", "memcached_", "secure_link")
_CORE, _UPSTREAM, _REFERER, _TLS, _PASSES, _FILTERS = 10, 20, 30, 40, 50, 60
_LOCATIONS, _FINISHED, _CHARSETS, _VARIABLES, _TABLE, _NAMES = 70, 80, 81, 90, 91, 100
# What stands in the message -> when it comes; all else goes by the directive.
_STEPS = (
    ("could not build types_hash", _CORE),
    ("no handler for server", _CORE),
    ("_pool_size", _CORE),
    ("no servers in", _UPSTREAM),
    ("no servers are inside upstream", _UPSTREAM),
    ("no port in upstream", _UPSTREAM),
    ("referers are specified", _REFERER),
    ("could not build referer_hash", _REFERER),
    ("duplicate location", _LOCATIONS),
    ('"listen ... ', _FINISHED),
    ('no "charset_map"', _CHARSETS),
    ("could not build variables_hash", _TABLE),
    ("invalid server name", _NAMES),
    ("could not build server_names_hash", _NAMES),
)
# Within the merge of one location by one module: sizes, then zones, TLS, and the tables of headers.
_WITHIN = (("types_hash", 1), ("is unknown", 1), ("ssl", 2), ("SSL", 2), ("hide_headers_hash", 3), ("headers_hash", 4))
_AT_LAST = ('no "events"', "worker_connections are not enough", "unknown thread pool", "zero size shared memory zone")


def as_blocks_close(found: list[Refusal], block: Block) -> list[Refusal]:
    """What was found when http or stream was closed, as nginx would come to it."""
    places: dict[int, dict[int, int]] = {}
    in_stream = block.name == "stream"

    def key(refusal: Refusal) -> _Key:
        message = refusal.nginx_message or ""
        at = refusal.at
        step = next((step for words, step in _STEPS if words in message), 0)
        if message.startswith('unknown "') and message.endswith('" variable'):
            step = _VARIABLES
        elif step == _FINISHED and in_stream:  # before 1.25.5 found with the merge, and later the last of these anyway
            step = _TLS
        elif not step:
            step = _step_of(at.name if at is not None else "")
            if step >= _PASSES and in_stream:
                step = _UPSTREAM - 1  # ngx_stream_proxy_module stands before ngx_stream_upstream_module
        if step >= _LOCATIONS:
            return step, (), 0
        within = next((within for words, within in _WITHIN if words in message), 0)
        return step, _place(at, block, places) if at is not None else (), within

    return sorted(found, key=key)


def at_last(found: list[Refusal]) -> list[Refusal]:
    """What was found after all had been read: `init_conf` of the modules, then the shared memory."""

    def key(refusal: Refusal) -> int:
        message = refusal.nginx_message or ""
        return next((index for index, words in enumerate(_AT_LAST) if words in message), -1)

    return sorted(found, key=key)


def _step_of(name: str) -> int:
    for index, start in enumerate(_MERGED_LATE):
        if name.startswith(start):
            return _PASSES + index
    if name.endswith("_types"):
        return _FILTERS
    return _TLS if name.startswith(("ssl", "listen")) else _CORE


def _place(directive: Directive, around: Block, places: dict[int, dict[int, int]]) -> tuple[int, ...]:
    """Where it is merged: the numbers of the blocks around it, of the first server for what stands in http itself."""
    path: list[int] = []
    block = directive.parent
    if block is around:
        return (next((number for number, child in enumerate(around.body) if child.name == "server"), 0),)
    while block is not None and block is not around:
        outer = block.parent
        if outer is not None:
            numbers = places.get(id(outer))
            if numbers is None:
                numbers = places[id(outer)] = {id(child): number for number, child in enumerate(outer.body)}
            path.append(numbers.get(id(block), 0))
        block = outer
    return tuple(reversed(path))
