"""Write down what `re` makes of our regular expressions: the table of `nginxlint.expressions`."""

from __future__ import annotations

import ast
import os

from nginxlint.expressions import ENGINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.expressions import Row

_TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PACKAGES = {"nginxlint": "nginxlint", "rules": "nginxlint_rules"}


def table() -> str | None:
    """The text of nginxlint/_expressions.py; None where another engine is below our `re` than below those it is for."""
    import _sre  # type: ignore[import-not-found]

    if _sre.MAGIC not in ENGINES:
        return None
    rows = "".join(f"    {expression!a}: {row(expression)!a},\n" for expression in expressions())
    head = '"""What `re` makes of our expressions: flags, code, names of groups. Generated: make docs."""\n\n'
    head += "from __future__ import annotations\n\n# fmt: off\n"
    return f"{head}ROWS: dict[str | bytes, tuple[int, tuple[int, ...], tuple[str | None, ...]]] = {{\n{rows}}}\n"


def expressions() -> list[str | bytes]:
    """What our modules hand to `compiled`: constants all of them."""
    found: set[str | bytes] = set()
    for folder in _PACKAGES:
        for path, _, names in os.walk(os.path.join(_TOP, folder)):
            for name in names:
                if name.endswith(".py") and name != "expressions.py":
                    found.update(_expressions_in(os.path.relpath(os.path.join(path, name), _TOP)))
    return sorted(found, key=ascii)


def _expressions_in(path: str) -> list[str | bytes]:
    with open(os.path.join(_TOP, path), encoding="utf-8") as file:
        text = file.read()
    calls = [
        node.args[0]
        for node in (ast.walk(ast.parse(text)) if "compiled(" in text else ())
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "compiled"
    ]
    if not calls:
        return []
    from importlib import import_module

    folder, *names = path.removesuffix(".py").split(os.sep)
    constants = vars(import_module(".".join([_PACKAGES[folder], *names])))
    return [eval(compile(ast.Expression(call), path, "eval"), constants) for call in calls]


def row(expression: str | bytes) -> Row:
    """What `re` hands to the engine for an expression."""
    import _sre
    from re import _compiler  # type: ignore[attr-defined]

    handed: list[tuple[str | bytes, int, list[int], int, dict[str, int], tuple[str | None, ...]]] = []
    whole, _sre.compile = _sre.compile, lambda *given: handed.append(given)
    try:
        _compiler.compile(expression)
    finally:
        _sre.compile = whole
    _, flags, code, _, _, names = handed[0]
    return flags, tuple(map(int, code)), names
