"""What the captures of regular expressions can hold, and which expressions can have filled them at a place."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.regex import Regex, compile_regex
from nginxlint.routing.servers import split_condition, split_location
from nginxlint.syntax import Directive

# One item of a pattern: quoted text, an escape, a class, the head of a group, a quantifier, any other character.
# Compiled when it is needed.
_ITEM = (
    r"(?s)\(\*[A-Z0-9_=]+\)|\\Q.*?\\E"
    r"|\\(?:x\{\w+\}|x[0-9a-fA-F]{1,2}|[pP]\{\^?\w+\}|[kg](?:\{\w+\}|<\w+>|'\w+'|\d+)|.)"
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"
    r"|\((?:\?(?:P?<(?P<name>[A-Za-z_]\w*)>|'(?P<quoted>\w+)'|(?P<around><?[=!])|[^()]*?[:)>|]))?"
    r"|[*+?]|\{\d*,?\d*\}|."
)
_alphabets: dict[str, dict[str, list[str]]] = {}


def can_hold(pattern: str, group: str, characters: str) -> bool:
    """Can the group of a pattern (a number or a name) capture any of these characters? False where it has no such
    group. The items inside the group are asked one by one; what lookarounds forbid beside them is not taken off."""
    for item in _alphabet(pattern).get(group, ()):
        single = compile_regex(f"^(?:{item})$")
        if isinstance(single, Regex) and any(single.search(character) for character in characters):
            return True
    return False


def group_text(pattern: str, group: str) -> str | None:
    """The part of a pattern that a group (a number or a name) holds; None where it has no such group."""
    opened: list[tuple[tuple[str, ...], int]] = []
    count = 0
    for match in compiled(_ITEM).finditer(pattern):
        item = match[0]
        if item == ")" and opened:
            names, start = opened.pop()
            if group in names:
                return pattern[start : match.start()]
        elif item.startswith("(") and not item.startswith("(*") and not (item.endswith(")") and len(item) > 1):
            name = match["name"] or match["quoted"]
            captures = item == "(" or name is not None
            count += captures
            names = (str(count), *([name] if name else ())) if captures else ()
            opened.append((names, match.end()))
    return None


def _alphabet(pattern: str) -> dict[str, list[str]]:
    """The items that can put characters into each group, by its number and by its name."""
    known = _alphabets.get(pattern)
    if known is not None:
        return known
    found = _alphabets[pattern] = {"0": []}
    open_groups: list[tuple[str, ...]] = [("0",)]
    around = 0  # how many lookarounds we are in: what they match is not captured
    count = 0
    for match in compiled(_ITEM).finditer(pattern):
        item = match[0]
        if item.startswith("(*"):
            continue
        if item.startswith("("):
            if match["around"] or around:
                around += 1
            name = match["name"] or match["quoted"]
            if item == "(" or name:
                count += 1
                names: tuple[str, ...] = (str(count), name) if name else (str(count),)
                found.update({one: [] for one in names})
                open_groups.append(names)
            elif not item.endswith(")"):
                open_groups.append(())
        elif item == ")":
            around -= around > 0
            if len(open_groups) > 1:
                open_groups.pop()
        elif not around and item not in "*+?^$|" and not compiled(r"\{\d*,?\d*\}").fullmatch(item):
            for names in open_groups:
                for one in names:
                    found[one].append(item)
    return found


def patterns_behind(place: Directive, name: str) -> list[tuple[str, Directive]]:
    """The regular expressions that can have filled a capture at a place (`name` is a digit or a named group), each
    with the location, rewrite, if or server_name that holds it.

    `$1` is of the last expression that matched: of the `if` around the place, of the rewrites and conditions beside
    it, else of the location itself, else of the blocks around. A named group is one of its server.
    """
    if not name.isdigit():
        server = place.enclosing("server")
        marks = (f"<{name}>", f"'{name}'")
        found = [one for directive in server.walk() for one in _patterns(directive)] if server is not None else []
        return [one for one in found if any(mark in one[0].lower() for mark in marks)]
    block = place.parent
    while block is not None and block.parent is not None:
        found = [one for child in block.children("rewrite", "if") for one in _patterns(child)] + _patterns(block)
        if found or block.name == "server":
            return found
        block = block.parent
    return []


def _patterns(directive: Directive) -> list[tuple[str, Directive]]:
    values = directive.values
    if directive.name == "rewrite":
        return [(values[0], directive)] if values else []
    if directive.name == "if":
        words = split_condition(values)
        return [(words[2], directive)] if len(words) == 3 and "~" in words[1] else []
    if directive.name == "location":
        modifier, pattern = split_location(values)
        return [(pattern, directive)] if modifier.startswith("~") else []
    if directive.name == "server_name":
        return [(value[1:], directive) for value in values if value.startswith("~")]
    return []
