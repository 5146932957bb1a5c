"""The main context and `events`: workers, thread pools, event methods."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_network, parse_url
from nginxlint.catalogue.checks.faults import fault, host_bits
from nginxlint.catalogue.numbers import parse_number
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

# Event methods by platform; select and poll are there only where nothing better is, or on request.
_METHODS_LINUX = frozenset(("epoll", "io_uring"))
_METHODS_OTHER = {"kqueue": "FreeBSD and macOS", "eventport": "Solaris", "/dev/poll": "Solaris", "rtsig": "nginx < 1.9.1",
                  "iocp": "Windows"}  # fmt: skip


_COUNT_MODULES = frozenset(("events", "http", "stream", "mail"))


def _processes(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text != "auto" and parse_number(text) is None:
        yield fault(
            context,
            directive,
            0,
            '"worker_processes" directive invalid value',
            f'worker_processes is a number or auto, not "{text}"',
            "worker_processes auto;",
        )


def _priority(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if parse_number(text[1:] if text[:1] in ("-", "+") else text) is None:
        yield fault(
            context,
            directive,
            0,
            '"worker_priority" directive invalid number',
            f'worker_priority is a number from -20 to 20, not "{text}"',
        )


def _affinity(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    masks = list(enumerate(values))
    if values[0] == "auto":
        if len(values) > 2:
            yield fault(
                context,
                directive,
                -1,
                'invalid number of arguments in "worker_cpu_affinity" directive',
                "after auto worker_cpu_affinity takes one mask",
            )
            return
        masks = masks[1:]
    for index, text in masks:
        # nginx reads a mask from its end.
        strange = next((character for character in reversed(text) if character not in "01 "), "")
        if strange:
            yield fault(
                context,
                directive,
                index,
                f'invalid character "{strange}" in "worker_cpu_affinity"',
                f'"{text}" is no mask of processors: it has 0 and 1 only',
                "worker_cpu_affinity auto;",
            )
            return


def _thread_pool(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    pools = context.state.setdefault("thread_pools", {})
    assert isinstance(pools, dict)
    known = pools.setdefault(values[0], directive)
    if known is not directive:
        yield context.refuse(
            "thread-pool-duplicate",
            directive,
            f'the thread pool "{values[0]}" is defined twice',
            f'duplicate thread pool "{values[0]}"',
            word=directive.args[0],
            related=(Note(known.head_span, "defined here"),),
        )
        return
    threads = False
    for index, text in enumerate(values):
        name, equals, value = text.partition("=")
        if index == 0 or not equals or name not in ("threads", "max_queue"):
            continue
        number = parse_number(value)
        if number is None or (name == "threads" and number == 0):
            yield fault(
                context,
                directive,
                index,
                f'invalid {name} value "{text}"',
                f'{name} is a number{" from 1" if name == "threads" else ""}, not "{value}"',
            )
            return
        threads = threads or name == "threads"
    if not threads:
        yield fault(
            context,
            directive,
            -1,
            '"thread_pool" must have "threads" parameter',
            "thread_pool does not say how many threads it has",
            "add threads=32",
        )


def _connections(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if parse_number(text) is None:
        yield fault(
            context,
            directive,
            0,
            f'invalid number "{text}"',
            f'worker_connections is a number, not "{text}"',
            "worker_connections 1024;",
        )


def _use(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    asked = [option for option in context.target.options if option in (f"--with-{text}_module", f"--with-{text}")]
    if text in _METHODS_LINUX and (text != "io_uring" or context.version >= (1, 31, 0)):
        return
    if text in ("select", "poll") and asked:
        return
    where = _METHODS_OTHER.get(text)
    if text == "kqueue" and context.of_bsd:
        return
    yield fault(
        context,
        directive,
        0,
        f'invalid event type "{text}"',
        f"{text} exists on {where} only"
        if where
        else f'this nginx has no event method "{text}"'
        + (" unless it is built with it" if text in ("select", "poll") else ""),
        "remove the line: nginx takes the best method by itself",
    )


def _debug_connection(directive: Directive, context: Context) -> Iterator[Refusal]:
    if (options := context.target.options) and "--with-debug" not in options:
        yield context.warn(
            "directive-ignored",
            directive,
            "debug_connection has no effect: this nginx is built without --with-debug",
            '"debug_connection" is ignored, you need to rebuild nginx using --with-debug option to enable it',
            span=directive.name_span,
            help=("remove it, or run an nginx with debugging (nginx-debug in some packages)",),
        )
        return
    text = directive.values[0]
    network = parse_network(text)
    if network is not None:
        if network.host_bits:
            yield host_bits(context, directive, text, network, directive.args[0].span)
    elif text != "unix:" and ("/" in text or parse_url(text).error):
        yield fault(
            context,
            directive,
            0,
            f'host not found in debug_connection "{text}"',
            f'"{text}" is no address and no network',
            rule="network-invalid",
        )


def _load_module(directive: Directive, context: Context) -> Iterator[Refusal]:
    loaded = context.state.setdefault("modules.loaded", {})
    assert isinstance(loaded, dict)
    for child in context.root.body:
        if child is directive:
            break
        if child.name in _COUNT_MODULES and child.body is not None:
            yield context.refuse(
                "load-module-late",
                directive,
                f"modules must be loaded before the {child.name} block",
                '"load_module" directive is specified too late',
                related=(Note(child.name_span, "by now nginx has counted its modules"),),
                help=("move load_module to the top of the main configuration",),
            )
            return
    name = directive.values[0].rpartition("/")[2].removesuffix(".so")
    first = loaded.setdefault(name, directive)
    if first is not directive and name:
        yield context.refuse(
            "directive-repeat",
            directive,
            f"the module {name} is loaded twice",
            f'module "{name}" is already loaded',
            related=(Note(first.head_span, "loaded here"),),
            help=("remove one of the two lines",),
        )


def _masks_and_processes(block: Block, context: Context) -> Iterator[Refusal]:
    """`ngx_core_module_init_conf`: as many masks as processes, or one for all."""
    masks = block.child("worker_cpu_affinity")
    processes = block.child("worker_processes")
    if masks is None or len(masks.values) < 2 or masks.values[0] == "auto":
        return
    if processes is None and (block.has_gap or not context.complete):
        return
    text = processes.values[0] if processes is not None and processes.values else "1"
    if parse_number(text) in (None, len(masks.values)):
        return
    yield context.warn(
        "cpu-affinity-count",
        masks,
        f"worker_cpu_affinity has {len(masks.values)} masks for {text} worker processes",
        'the number of "worker_processes" is not equal to the number of "worker_cpu_affinity" masks, '
        "using last mask for remaining worker processes",
        nginx_at=None,
        related=(Note(processes.head_span, "so many processes"),) if processes is not None else (),
        help=("write worker_cpu_affinity auto, or a mask for each process",),
    )


def _end_of_main(block: Block, context: Context) -> Iterator[Refusal]:
    if context.occurs("worker_cpu_affinity"):
        yield from _masks_and_processes(block, context)
    pools = context.state.get("thread_pools", {})
    used = context.state.get("thread_pools.used", {})
    assert isinstance(pools, dict) and isinstance(used, dict)
    for name, directive in used.items():
        if name not in pools and name != "default" and context.complete:
            yield fault(
                context,
                directive,
                0,
                f'unknown thread pool "{name}"',
                f'no thread_pool defines "{name}"',
                f"add `thread_pool {name} threads=32;` at the top level",
                rule="thread-pool-undefined",
            )


CHECKS: dict[str, Check] = {
    "load_module": _load_module,
    "worker_processes": _processes,
    "worker_priority": _priority,
    "worker_cpu_affinity": _affinity,
    "thread_pool": _thread_pool,
    "events:worker_connections": _connections,
    "events:use": _use,
    "events:debug_connection": _debug_connection,
}

PURE = frozenset(CHECKS) - {"thread_pool", "load_module"}
BLOCK_END: dict[str, BlockEnd] = {"main": _end_of_main}
