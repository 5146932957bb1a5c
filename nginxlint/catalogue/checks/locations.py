"""`location` and what stands in it: patterns, nesting, duplicates, `root` and `alias`, `limit_except`."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.numbers import parse_number
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllFine, BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_MODIFIERS = ("=", "^~", "~", "~*")
_METHODS = frozenset(
    [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "MKCOL",
        "COPY",
        "MOVE",
        "OPTIONS",
        "PROPFIND",
        "PROPPATCH",
        "LOCK",
        "UNLOCK",
        "PATCH",
    ]
)
_OWN_ROOT = ("document_root", "realpath_root")


def split_location(values: tuple[str, ...]) -> tuple[str, str]:
    """The modifier ("", "=", "^~", "~", "~*", "@") and the name or pattern, as `ngx_http_core_location` reads them."""
    if len(values) == 2:
        return values[0], values[1]
    text = values[0]
    if text[:1] == "=":
        return "=", text[1:]
    if text[:2] == "^~":
        return "^~", text[2:]
    if text[:2] == "~*":
        return "~*", text[2:]
    if text[:1] == "~":
        return "~", text[1:]
    return ("@" if text[:1] == "@" else ""), text


def _location(block: Directive, context: Context) -> Iterable[Refusal]:
    values = block.values
    if len(values) == 1 and values[0][:1] == "/" and context.place != "location":
        _remember(context, block, exact=False, name=values[0])
        return ()
    return _look_at(block, context)


def _all_locations_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Are those of servers right, and does no server have two of one name?"""
    if context.place == "location":
        return False
    names: dict[tuple[str, ...], tuple[bool, str] | None] = {}
    for values, example in examples.items():
        modifier, name = split_location(values)
        if len(values) == 2 and modifier not in _MODIFIERS:
            return False
        if modifier in ("~", "~*") and pattern_fault(context, example, -1, name, caseless=modifier == "~*") is not None:
            return False
        names[values] = (modifier == "=", name) if modifier in ("", "=", "^~") else None
    places = context.find("location")
    found = [(block.parent, key) for block in places if (key := names.get(block.values)) is not None]
    return len(set(found)) == len(found)


def _remember(context: Context, block: Directive, *, exact: bool, name: str) -> None:
    """Keep a location that is found by its name, and those that another one has already."""
    seen = context.state.setdefault("locations", {})
    assert isinstance(seen, dict)
    first = seen.setdefault((id(block.parent), exact, name), block)
    if first is not block:
        duplicates = context.state.setdefault("locations.duplicate", [])
        assert isinstance(duplicates, list)
        duplicates.append((first, block, name))


def _look_at(block: Directive, context: Context) -> Iterator[Refusal]:
    values = block.values
    modifier, name = split_location(values)
    if len(values) == 2 and modifier not in _MODIFIERS:
        help = "the modifiers are =, ^~, ~ and ~*"
        if modifier.startswith("!~"):
            help = "a location cannot be negated: give the opposite case a location of its own"
        yield fault(
            context,
            block,
            0,
            f'invalid location modifier "{modifier}"',
            f'location knows no modifier "{modifier}"',
            help,
            rule="location-modifier-invalid",
        )
        return
    if modifier in ("~", "~*"):
        refusal = pattern_fault(context, block, len(values) - 1, name, caseless=modifier == "~*")
        if refusal is not None:
            yield refusal
            return
    parent = block.parent
    if context.place == "location" and parent is not None and parent.values:
        refusal = _nesting(context, block, modifier, name, parent)
        if refusal is not None:
            yield refusal
            return
    if modifier in ("", "=", "^~"):
        _remember(context, block, exact=modifier == "=", name=name)


def _nesting(context: Context, block: Directive, modifier: str, name: str, parent: Directive) -> Refusal | None:
    outer_modifier, outer = split_location(parent.values)
    if outer_modifier in ("=", "@"):
        kind = "exact" if outer_modifier == "=" else "named"
        nginx_message = f'location "{name}" cannot be inside the {kind} location "{outer}"'
        message = f'no location may stand inside the {kind} location "{outer}"'
        help = "move it to the server"
    elif modifier == "@":
        nginx_message = f'named location "{name}" can be on the server level only'
        message, help = f'the named location "{name}" may stand in server {{}} only', "move it to the server"
    elif modifier in ("~", "~*") or name.startswith(outer):
        return None
    else:
        nginx_message = f'location "{name}" is outside location "{outer}"'
        message = f'"{name}" can never be reached inside location "{outer}": it does not begin with "{outer}"'
        help = "nested locations repeat the whole prefix: location " + outer.rstrip("/") + "/" + name.lstrip("/")
        if outer_modifier in ("~", "~*"):
            message = f'a location inside the regular expression "{outer}" must be a regular expression too'
            help = "move it to the server, or write it as a regular expression"
    return context.refuse(
        "location-nesting-invalid",
        block,
        message,
        nginx_message,
        word=block.args[-1],
        related=(Note(parent.head_span, "the location around it"),),
        help=(help,),
    )


def _duplicate_locations(block: Block, context: Context) -> Iterator[Refusal]:
    duplicates = context.state.pop("locations.duplicate", [])
    assert isinstance(duplicates, list)
    del block
    # nginx sorts the names of a block, and looks into a block before it looks at those beside it.
    for first, second, name in sorted(duplicates, key=lambda item: (-len(list(item[1].ancestors())), str(item[2]))):
        message = f'this server has the location "{name}" twice'
        if first.values != second.values:
            message += f" (`{' '.join(first.values)}` and `{' '.join(second.values)}` are the same to nginx)"
        yield context.refuse(
            "location-duplicate",
            second,
            message,
            f'duplicate location "{name}"',
            word=second.args[-1],
            related=(Note(first.head_span, "the first one"),),
            help=("merge the two blocks, or remove one",),
        )


def _root(directive: Directive, context: Context) -> Iterator[Refusal]:
    alias = directive.name == "alias"
    rival = "root" if alias else "alias"
    parent = directive.parent
    for child in (parent.body if parent is not None else None) or ():
        if child is directive:
            break
        if child.name in ("root", "alias"):
            if child.name == directive.name:
                nginx_message = f'"{directive.name}" directive is duplicate'
                message = f"{directive.name} is given twice in this block"
            else:
                nginx_message = f'"{directive.name}" directive is duplicate, "{rival}" directive was specified earlier'
                message = f"a location has either root or alias, and {rival} is already given"
            yield context.refuse(
                "directive-repeat",
                directive,
                message,
                nginx_message,
                related=(Note(child.head_span, "given here"),),
                help=("keep one of them",),
            )
            return
    if alias and parent is not None and parent.values and split_location(parent.values)[0] == "@":
        yield fault(
            context,
            directive,
            -1,
            'the "alias" directive cannot be used inside the named location',
            "a named location has no prefix that alias could replace",
            "use root",
        )
        return
    text = directive.values[0]
    if "$" in text:
        for name in _OWN_ROOT:
            if f"${name}" in text or f"${{{name}}}" in text:
                yield fault(
                    context,
                    directive,
                    0,
                    f'the ${name} variable cannot be used in the "{directive.name}" directive',
                    f"${name} is made from {directive.name}, so it cannot be part of it",
                    "write the folder itself",
                )
                return


def _all_roots_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Is no variable in any of them, and does no block have two, or an `alias` too?"""
    blocks = [directive.parent for name in ("root", "alias") for directive in context.find(name)]
    return len(set(blocks)) == len(blocks) and not any("$" in values[0] for values in examples)


def _limit_except(block: Directive, context: Context) -> Iterator[Refusal]:
    for index, method in enumerate(block.values):
        if method.upper() not in _METHODS:
            yield fault(
                context,
                block,
                index,
                f'invalid method "{method}"',
                f'limit_except knows no method "{method}"',
                "the methods are " + ", ".join(sorted(_METHODS)),
            )
            return


def _try_files(directive: Directive, context: Context) -> Iterator[Refusal]:
    last = directive.values[-1]
    if last[:1] != "=":
        return
    code = parse_number(last[1:])
    if code is None or code > 999:
        yield fault(
            context,
            directive,
            len(directive.values) - 1,
            f'invalid code "{last}"',
            f'"{last}" is no status to answer with',
            "write for example =404",
        )


def _error_page(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    codes = len(values) - 1
    overwrite = values[-2] if len(values) > 2 else ""
    if overwrite[:1] == "=":
        codes -= 1
        if len(overwrite) > 1 and parse_number(overwrite[1:]) is None:
            yield fault(
                context,
                directive,
                len(values) - 2,
                f'invalid value "{overwrite}"',
                f'"{overwrite}" is no status to answer with',
                "write for example =200, or = for the status of the page itself",
            )
            return
    for index in range(codes):
        text = values[index]
        code = parse_number(text)
        if code is None or code == 499:
            message = f'"{text}" is no status'
            help = "the statuses come first, then =status, then the page: error_page 502 504 =503 /down.html;"
            if code == 499:
                message, help = "no page can be sent for 499: the client is gone", "remove 499"
            yield fault(context, directive, index, f'invalid value "{text}"', message, help)
            return
        if not 300 <= code <= 599:
            yield fault(
                context,
                directive,
                index,
                f'value "{text}" must be between 300 and 599',
                f"error_page serves statuses from 300 to 599, not {text}",
                "remove it",
            )
            return


CHECKS: dict[str, Check] = {
    "location": _location,
    "root": _root,
    "alias": _root,
    "limit_except": _limit_except,
    "try_files": _try_files,
    "error_page": _error_page,
}
PURE = frozenset(("limit_except", "try_files", "error_page"))
ALL_FINE: dict[str, AllFine] = {"location": _all_locations_fine, "root": _all_roots_fine}
BLOCK_END: dict[str, BlockEnd] = {"http": _duplicate_locations}
ENDS_OF_OWN = frozenset(("http",))
