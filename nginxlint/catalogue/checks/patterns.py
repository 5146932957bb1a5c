"""Regular expressions in arguments: compile them, word what PCRE2 finds."""

from __future__ import annotations

from nginxlint.expressions import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

# Only these make a pattern of plain text and escaped dots: whatever has none of them compiles (and starts up without
# PCRE2 and the expression below).
_SPECIAL = frozenset("()[{*+?\\")
# What people write most compiles too, if its brackets match: escaped punctuation, classes, quantifiers, groups.
_DEEP = 100  # PCRE2 takes 250
_COUNT = r"\{(?:\d\d?,?|[01],[1-9]\d?|[2-9],[1-9]\d)\}"  # the first number is not the larger one
_CLASS = r"\[(?![:.=])\^?(?:0-9|a-z|A-Z|a-f|A-F|[\w./%~@,;:=+ ]|\\[^A-Za-z0-9])++-?\]"
_PIECE = rf"""(?x)
      (?: [^\\()\[\]{{}}*+?|^$] | \\[^A-Za-z0-9] | \\[dws] | {_CLASS} ) (?:(?:[*+?]|{_COUNT})\??)?
    | [\^$|]
    | (?<=\()\?[:!=]
    | (?<=\))[*+?]\??
"""


def is_usual(pattern: str) -> bool:
    """Does it certainly compile, and name no group?"""
    depth = 0
    for bracket in compiled(_PIECE).sub("", pattern):
        if bracket not in "()":
            return False
        depth += 1 if bracket == "(" else -1
        if not 0 <= depth < _DEEP:
            return False
    return depth == 0


def pattern_fault(
    context: Context, directive: Directive, index: int, pattern: str, *, caseless: bool = False
) -> Refusal | None:
    """A refusal where `pattern` (the argument, or its end) does not compile."""
    fine = context.state.setdefault("patterns.fine", set())
    if (pattern, caseless) in fine or _SPECIAL.isdisjoint(pattern.replace("\\.", "")):
        return None
    if is_usual(pattern):
        fine.add((pattern, caseless))
        return None
    from nginxlint.regex import RegexError, compile_regex

    found = compile_regex(pattern, caseless=caseless)
    if not isinstance(found, RegexError):
        if not found.names:
            fine.add((pattern, caseless))
        return _fixed_capture(context, directive, index, found.names) if found.names else None
    word = directive.args[index] if index >= 0 else None
    span = None
    if word is not None:
        begin = word.text.rfind(pattern)
        at = begin + min(found.character_offset, max(len(pattern) - 1, 0))
        if pattern and begin >= 0:
            span = word.part(at, at + 1)
    return context.refuse(
        "regex-invalid",
        directive,
        f'"{pattern}" is no valid regular expression: {found.text}',
        found.nginx_message,
        span=span or (word.span if word is not None else directive.name_span),
        help=_advice(pattern, found.text),
    )


def _fixed_capture(context: Context, directive: Directive, index: int, names: dict[str, int]) -> Refusal | None:
    """A named capture is a variable: it cannot have the name of one that nobody may assign."""
    from nginxlint.catalogue.names import variables_of

    variables = variables_of(context, context.place)
    for name in names:
        if variables is not None and variables.is_fixed(name.lower()):
            word = directive.args[index] if index >= 0 else None
            return context.refuse(
                "variable-redefined",
                directive,
                f"the capture ?<{name}> would set ${name}, a variable of nginx itself",
                f'the duplicate "{name}" variable',
                span=word.span if word is not None else directive.name_span,
                help=("choose another name for the capture",),
            )
    return None


def _advice(pattern: str, text: str) -> tuple[str, ...]:
    if "quantifier does not follow" in text and pattern.startswith("*"):
        return (f'a regular expression is no file name pattern: write ".{pattern}"',)
    if "missing closing parenthesis" in text:
        return ("close the parenthesis, or write \\( for a literal one",)
    if "missing terminating ]" in text:
        return ("close the bracket, or write \\[ for a literal one",)
    return ()
