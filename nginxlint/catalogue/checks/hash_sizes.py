"""Hash tables nginx cannot lay out well: "could not build optimal …" (`ngx_hash_init`).

It tries all numbers of buckets up to the largest allowed for one in which no bucket holds more than its size, and warns where
there is none. Nothing hangs on the values: names, their lengths and the hash `h * 31 + character` decide. `hashes.py` asks
only where there are so many names that it may be.
"""

from __future__ import annotations

from nginxlint.catalogue.checks.hashes import bucket_size, may_overflow, names_in_bucket, number_setting
from nginxlint.catalogue.checks.merging import effective
from nginxlint.catalogue.checks.server_names import with_default_port
from nginxlint.catalogue.names import variables_of
from nginxlint.catalogue.numbers import parse_number
from nginxlint.catalogue.table import VARIABLES
from nginxlint.catalogue.variant import parse_version
from nginxlint.syntax import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_POINTER = 8
_MASK = (1 << 64) - 1
_STEPS = 1_000_000  # names put into buckets in one run; nothing is said of what takes longer
_LARGEST = 1 << 16  # the largest number of buckets advised
_LONGEST = 1 << 15  # the longest; nginx refuses 65536 bytes

# Variables with NGX_HTTP_VAR_NOHASH (nginx 1.26.3)
_NOT_HASHED = frozenset(
    "fastcgi_path_info fastcgi_script_name grpc_internal_trailers gzip_ratio proxy_add_via proxy_add_x_forwarded_for "
    "proxy_host proxy_internal_body_length proxy_internal_chunked proxy_port upstream_cache_etag "
    "upstream_cache_last_modified".split()
)

Trie = dict[str, "Trie"]


class Table:
    """Names as `ngx_hash_init` has them: the hash of each with the bytes its element takes."""

    def __init__(self, names: Collection[str], context: Context) -> None:
        self.context = context
        self.count = len(names)
        self.elements = sorted(((8 + (len(raw) + 9) // 8 * 8), _hash(raw)) for raw in map(_bytes, names))[::-1]

    def is_optimal(self, largest: int, bucket: int) -> bool | None:
        """Is there a number of buckets up to `largest` with which each name finds room? None: it would take too long to
        tell, or a name is too long for any bucket."""
        room = bucket - _POINTER
        if not self.elements or self.elements[0][0] > room:
            return None
        alone = sum(1 for size, _ in self.elements if 2 * size > room)
        if alone > largest or sum(size for size, _ in self.elements) > largest * room:
            return False
        first = self.count // (room // (2 * _POINTER)) or 1
        if largest > 10000 and largest // self.count < 100:
            first = largest - 1000
        for buckets in range(largest, first - 1, -1):
            fits = self._fit(buckets, room)
            if fits or fits is None:
                return fits
        return False

    def is_roomy(self, largest: int, bucket: int) -> bool:
        """Will they find room, as far as chance tells?"""
        mean = -(-sum(size for size, _ in self.elements) // self.count)
        return not may_overflow(self.count, (bucket - _POINTER) // mean, largest)

    def _fit(self, buckets: int, room: int) -> bool | None:
        state = self.context.state
        left: int = state.get("hash.steps", _STEPS)
        if left <= 0:
            return None
        taken: dict[int, int] = {}
        steps = 0
        for size, key in self.elements:
            steps += 1
            bucket = key % buckets
            size += taken.get(bucket, 0)
            if size > room:
                state["hash.steps"] = left - steps
                return False
            taken[bucket] = size
        state["hash.steps"] = left - steps
        return True


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _hash(raw: bytes) -> int:
    """`ngx_hash_key`."""
    key = 0
    for character in raw:
        key = key * 31 + character & _MASK
    return key


def judge(
    context: Context,
    names: Collection[str],
    table: str,
    largest: int,
    bucket: int,
    at: Directive,
    perhaps: Collection[str] = (),
) -> Refusal | None:
    """A warning at `at`, if these names (in lower case) make nginx say so of its table. What is advised is enough for
    those too that are `perhaps` there."""
    longest = max(map(len, names), default=0)
    if not names or not may_overflow(len(names), names_in_bucket(longest, bucket), largest):
        return None
    built = Table(names, context)
    if built.is_optimal(largest, bucket) is not False:
        return None
    wider = Table({*names, *perhaps}, context) if perhaps else built
    before = " before the map" if table == "map_hash" else ""
    advice = " ".join(f"{table}_{what}_size {size};" for what, size in _enough(wider, largest, bucket).items())
    return context.warn(
        "hash-not-optimal",
        at,
        f"{len(names)} names do not fit into {largest} buckets of {bucket} bytes: nginx makes the buckets longer",
        f"could not build optimal {table}, you should increase either {table}_max_size: {largest} or "
        f"{table}_bucket_size: {bucket}; ignoring {table}_bucket_size",
        span=at.name_span if at.body is not None else at.head_span,
        nginx_at=None,
        help=(f"write `{advice}` in {context.subsystem} {{}}{before}",) if advice else (),
    )


def _enough(table: Table, largest: int, bucket: int) -> dict[str, int]:
    """Sizes with which the names find room: more buckets if that will do, else longer ones, too."""
    longer = bucket
    while longer <= _LONGEST:
        more = largest * 2
        while more <= _LARGEST:
            if table.is_roomy(more, longer) and table.is_optimal(more, longer) is not False:
                return {"max": more} if longer == bucket else {"max": more, "bucket": longer}
            more *= 2
        longer *= 2
    return {}


def server_names(block: Block, context: Context) -> Iterator[Refusal]:
    """The tables of the sockets that several servers share; nginx says the same of each, so one is enough."""
    sockets = context.state.get(f"listen.{context.subsystem}", {})
    assert isinstance(sockets, dict)
    if context.subsystem == "http":
        sockets = with_default_port(block, sockets)
    largest = number_setting(block, "server_names_hash_max_size", 512)
    bucket = bucket_size(block, "server_names_hash_bucket_size")
    at = block.child("server_names_hash_max_size") or block
    seen = set()
    for socket in sockets.values():
        servers = frozenset(socket.servers)
        if len(servers) < 2 or servers in seen:
            continue
        seen.add(servers)
        for names in _tables(socket.servers.values()):
            if refusal := judge(context, names, "server_names_hash", largest, bucket, at):
                yield refusal
                return


def _tables(servers: Iterable[Directive]) -> Iterator[Collection[str]]:
    """What goes into the tables of a socket: whole names, and of wildcards the labels of each level."""
    exact: dict[str, None] = {}
    covered = set()  # what `.example.com` covers is taken, too
    heads: Trie = {}
    tails: Trie = {}
    for known in servers:  # servers, or their `listen`
        server = known.parent if known.body is None else known
        lines = server.named("server_name") if isinstance(server, Block) else []
        for name in (word.lower() for line in lines for word in line.values) if lines else ("",):
            if name[:1] == "~":
                continue
            if name[:1] == ".":
                if name[1:] not in exact:
                    covered.add(name[1:])
                    _plant(heads, name[1:].split(".")[::-1])
            elif name[:2] == "*.":
                _plant(heads, name[2:].split(".")[::-1])
            elif name[-2:] == ".*":
                _plant(tails, name[:-2].split("."))
            elif name not in covered and name != "$hostname":
                exact[name] = None
    yield exact
    for trie in (heads, tails):
        yield from _levels(trie)


def _plant(trie: Trie, labels: list[str]) -> None:
    for label in labels:
        trie = trie.setdefault(label, {})


def _levels(trie: Trie) -> Iterator[Collection[str]]:
    levels = [trie]
    while levels:
        level = levels.pop()
        if level:
            yield level
        levels += level.values()


def map_keys(context: Context, block: Directive, keys: Collection[str]) -> Iterator[Refusal]:
    """The whole keys of a map."""
    around = block.parent
    assert around is not None
    largest = number_setting(around, "map_hash_max_size", 2048, block)
    bucket = bucket_size(around, "map_hash_bucket_size", block)
    if refusal := judge(context, keys, "map_hash", largest, bucket, block):
        yield refusal


def extensions(block: Block, context: Context, around: Block, names: dict[str, Directive]) -> Iterator[Refusal]:
    """The extensions of `types` at one place. Those of http are put into a table with the sizes of the first server."""
    first = next(iter(names.values())).parent
    assert first is not None
    asked: Block | None = around
    if around is block:
        asked = block.child("server")  # type: ignore[assignment]
    if asked is None:
        return
    sizes = [effective(asked, f"types_hash_{size}_size") for size in ("max", "bucket")]
    largest = (parse_number(sizes[0].values[0]) or 0) if sizes[0] is not None else 1024
    bucket = bucket_size(sizes[1].parent, "types_hash_bucket_size") if sizes[1] is not None and sizes[1].parent else 64
    if refusal := judge(context, names, "types_hash", largest, bucket, first):
        yield refusal


def variables(block: Block, context: Context) -> Iterator[Refusal]:
    """The variables that are certainly there: those the configuration makes, and nginx's own."""
    known = variables_of(context, context.place)
    assert known is not None
    core = f"ngx_{context.subsystem}_core_module"
    modules = context.target.modules or ()
    names = set(known.defined)
    perhaps = set()
    for name, rows in VARIABLES.items():
        for row in rows:
            if not row.get("prefix") and known.exists(row):
                if row["module"] == core or (row["module"] in modules and name not in _NOT_HASHED and _is_read(row)):
                    names.add(name)
                else:
                    perhaps.add(name)
    largest = number_setting(block, "variables_hash_max_size", 1024)
    bucket = bucket_size(block, "variables_hash_bucket_size")
    at = block.child("variables_hash_max_size") or block
    if refusal := judge(context, names, "variables_hash", largest, bucket, at, perhaps):
        yield refusal


def _is_read(row: dict[str, Any]) -> bool:
    """Is it a variable of the sources that were looked through for NGX_HTTP_VAR_NOHASH?"""
    return not row.get("kind") and parse_version(row.get("since", "0.5.0")) <= (1, 26, 3)
