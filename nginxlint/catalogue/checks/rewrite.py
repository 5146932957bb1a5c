"""The rewrite module's directives: `rewrite`, `return` and the conditions of `if`."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.numbers import parse_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllFine, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_FLAGS = ("last", "break", "redirect", "permanent")
_FILE_TESTS = frozenset(("-f", "-d", "-e", "-x", "!-f", "!-d", "!-e", "!-x"))
_MATCHES = frozenset(("~", "~*", "!~", "!~*"))


def _rewrite(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if not values[1]:
        yield fault(
            context, directive, 1, "empty replacement", "the replacement is empty", "write the new URI, such as /"
        )
        return
    refusal = pattern_fault(context, directive, 0, values[0])
    if refusal is not None:
        yield refusal
    elif len(values) > 2 and values[2] not in _FLAGS:
        yield fault(
            context,
            directive,
            2,
            f'invalid parameter "{values[2]}"',
            f'rewrite knows no flag "{values[2]}"',
            "the flags are last, break, redirect (302) and permanent (301)",
        )


def _return(directive: Directive, context: Context) -> Iterable[Refusal]:
    code = parse_number(directive.values[0])
    return () if code is not None and code <= 999 else _look_at_return(directive, context, code)


def _all_have_codes(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    codes = [parse_number(text) for text in {values[0] for values in examples}]
    return all(code is not None and code <= 999 for code in codes)


def _look_at_return(directive: Directive, context: Context, code: int | None) -> Iterator[Refusal]:
    values = directive.values
    if code is None and len(values) == 1 and values[0].startswith(("http://", "https://", "$scheme")):
        return
    if code is not None:
        message, help = f"{code} is no HTTP status", "statuses have three digits"
    elif len(values) == 1:
        message = f'"{values[0]}" is neither a status nor a URL that begins with http://, https:// or $scheme'
        help = f"write `return 302 {values[0]};`" if values[0] else "write for example `return 204;`"
    else:
        message, help = f'"{values[0]}" is no status', "the status comes first: return 301 https://example.com/;"
    yield fault(context, directive, 0, f'invalid return code "{values[0]}"', message, help)


def _if(directive: Directive, context: Context) -> Iterator[Refusal]:
    """A transcription of `ngx_http_rewrite_if_condition`."""
    words = list(directive.values)
    last = len(words) - 1
    at = 0
    if not words[0].startswith("("):
        yield _invalid(context, directive, 0, words[0])
        return
    if words[0] == "(":
        at = 1
    else:
        words[0] = words[0][1:]
    if not words[last].endswith(")"):
        yield _invalid(context, directive, last, words[last])
        return
    if words[last] == ")":
        last -= 1
    else:
        words[last] = words[last][:-1]
    first = words[at] if at < len(words) else ""
    if len(first) > 1 and first[0] == "$":
        if at not in (last, last - 2):
            yield _invalid(context, directive, at, first)
            return
        if at == last:
            return
        operator = words[at + 1]
        if operator in ("=", "!="):
            return
        if operator in _MATCHES:
            refusal = pattern_fault(context, directive, last, words[last], caseless=operator[-1] == "*")
            if refusal is not None:
                yield refusal
            return
        meant = {"==": "=", "===": "=", "=~": "~", "eq": "=", "is": "=", "<>": "!="}.get(operator)
        help = (f"write {meant}",) if meant else ("the comparisons are =, !=, ~, ~*, !~ and !~*",)
        if operator in ("&&", "and", "||", "or"):
            help = ("`if` takes one condition; combine several with `map`, or with a variable set in two `if`s",)
        yield fault(
            context,
            directive,
            at + 1,
            f'unexpected "{operator}" in condition',
            f'`if` knows no "{operator}"',
            *help,
            rule="condition-invalid",
        )
        return
    is_test = (len(first) == 2 and first[0] == "-") or (len(first) == 3 and first[:2] == "!-")
    if is_test and at + 1 == last and first in _FILE_TESTS:
        return
    yield _invalid(context, directive, at, first)


def _invalid(context: Context, directive: Directive, index: int, shown: str) -> Refusal:
    words = directive.values
    text = " ".join(words)
    if not words[0].startswith("("):
        message, help = "the condition must stand in parentheses", f"if ({text.lstrip('!')})"
    elif not words[-1].endswith(")"):
        message, help = "the condition must end with a closing parenthesis", f"if {text})"
    elif shown.startswith("!$"):
        message, help = "`if` has no negation of a variable", f'if ({shown[1:]} = "") is true for an empty value'
    elif not shown.startswith(("$", "-", "!-")):
        message, help = f'a condition begins with a variable or a file test such as -f, not with "{shown}"', ""
    elif shown.startswith("$"):
        message = "this is no condition nginx reads: it takes one variable, or variable, operator and one value"
        help = "quote a value with blanks, and put blanks around the operator"
    else:
        message, help = (
            f'"{shown}" is no file test with one argument',
            "file tests are -f, -d, -e and -x, each also with !",
        )
    return fault(
        context,
        directive,
        min(index, len(words) - 1),
        f'invalid condition "{shown}"',
        message,
        *((help,) if help else ()),
        rule="condition-invalid",
    )


CHECKS: dict[str, Check] = {
    "rewrite": _rewrite,
    "server:return": _return,
    "location:return": _return,
    "if-in-server:return": _return,
    "if-in-location:return": _return,
    "if": _if,
}

PURE = frozenset(CHECKS)
ALL_FINE: dict[str, AllFine] = {key: _all_have_codes for key in CHECKS if key.endswith(":return")}
