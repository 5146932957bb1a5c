"""Lists in which a word counts once: the flags of `ngx_conf_set_bitmask_slot`, the MIME types of `ngx_http_types_slot`.

Directives of one name in one block make one list. nginx warns of a word it has already, and goes on.
"""

from __future__ import annotations

from itertools import islice

from nginxlint.catalogue.checks.hashes import LONGEST, remember_long
from nginxlint.diagnostic import Fix, Note
from nginxlint.edits import delete, delete_word
from nginxlint.source import Span
from nginxlint.syntax import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllFine, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

    Place = tuple[Directive, int] | None  # an argument; None: it is in every such list

_EVERY = "*"
_TOLD = 50  # of one statement: each costs a look at the whole of it


def _flags(directive: Directive, context: Context) -> Iterator[Refusal]:
    known = _list_of(directive, context)
    again = {}
    for index, word in enumerate(directive.values):
        key = _flag(word)
        if key in known:
            again[index] = known[key]
        else:
            known[key] = directive, index
    for index, first in islice(again.items(), _TOLD):
        word = directive.values[index]
        yield _repeated(context, directive, index, f'duplicate value "{word}"', first, again)


def _flag(word: str) -> str:
    """What a word sets: all samesite flags of `userid_flags` have one bit in common, so nginx takes only the first."""
    word = word.lower()
    return "samesite=" if word.startswith("samesite=") else word


def _mime_types(directive: Directive, context: Context) -> Iterator[Refusal]:
    known = _list_of(directive, context)
    if not known and (default := _default_type(directive.name)):
        known[default] = None
    again = {}
    for index, word in enumerate(directive.values):
        if _EVERY in known:
            break
        if (key := word.lower()) in known:
            again[index] = known[key]
            continue
        known[key] = directive, index
        if len(word) > LONGEST:
            remember_long(context, directive, word, "test_types_hash", "")
    for index, first in islice(again.items(), _TOLD):
        word = directive.values[index].lower()
        yield _repeated(context, directive, index, f'duplicate MIME type "{word}"', first, again)


def _default_type(name: str) -> str:
    """The type that is on the list before any is named: the `post` of the module's command."""
    return "text/xml" if name == "xslt_types" else "text/html"


def _list_of(directive: Directive, context: Context) -> dict[str, Place]:
    """The words of this directive's list so far."""
    lists = context.state.setdefault("lists", {})
    assert isinstance(lists, dict)
    known: dict[str, Place] = lists.setdefault((directive.name, directive.parent), {})
    return known


def _repeated(
    context: Context, directive: Directive, index: int, nginx_message: str, first: Place, again: dict[int, Place]
) -> Refusal:
    word, name = directive.values[index], directive.name
    related: tuple[Note, ...] = ()
    message = f'"{word}" is in {name} by itself: it need not be named'
    if first is not None:
        line, at = first
        # of another statement only the name: to find the place of its word is to read the whole of it again
        here = _word(line, at).span if line is directive else Span(line.source, line.start, line.start + len(name))
        related = (Note(here, "it stands here already"),)
        message = f'"{word}" has no effect: {name} has {"it" if line.values[at] == word else line.values[at]} already'
    return context.warn(
        "value-duplicate",
        directive,
        message,
        nginx_message,
        word=_word(directive, index),
        related=related,
        help=("remove it",),
        fixes=_without(directive, index, again),
    )


def _word(directive: Directive, index: int) -> Word:
    """One argument, without the others."""
    return Word(directive, index + 1, directive.values[index])


def _without(directive: Directive, index: int, again: dict[int, Place]) -> tuple[Fix, ...]:
    """Take the word out. Where nothing is left, the line goes, if it is not the one that makes the list."""
    if len(again) < len(directive.values):
        edit = delete_word(_word(directive, index))
    elif index == 0 and all(first is not None and first[0] is not directive for first in again.values()):
        edit = delete(directive)
    else:
        return ()
    return (Fix("remove it", (edit,), safe=True),)


def _each_alone(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Is there one directive of the name in a block, wherever there is one?"""
    everywhere = context.find(next(iter(examples.values())).name)
    return len({one.parent for one in everywhere}) == len(everywhere)


def _flags_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    return _each_alone(examples, context) and all(
        len(words) == 1 or len(set(map(_flag, words))) == len(words) for words in examples
    )


def _types_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    if not _each_alone(examples, context):
        return False
    for words, one in examples.items():
        types = {_default_type(one.name), *map(str.lower, words)}
        if len(types) != len(words) + 1 or max(map(len, words)) > LONGEST:
            return False
    return True


# by the type of the values, as the catalogue has it
OF_TYPE: dict[str, Check] = {"bitmask": _flags, "mime-types": _mime_types}
ALL_FINE: dict[str, AllFine] = {"bitmask": _flags_fine, "mime-types": _types_fine}
# Directives of other modules that are set by the same two functions (read in their sources).
FOREIGN = frozenset(("brotli_types", "dav_ext_methods", "lua_ssl_protocols", "subs_filter_types", "zstd_types"))
