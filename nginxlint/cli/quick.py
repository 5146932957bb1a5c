"""Options read without argparse, which costs as much to import as a small configuration to check.

What is written plainly is read here; help, mistakes and everything unusual are left to argparse. Both are told the same
options by `nginxlint.cli.options`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Option:
    """One option: the attribute it sets, how, and what it takes."""

    __slots__ = ("action", "choices", "convert", "name")

    def __init__(self, name: str, action: str, choices: Sequence[str], convert: Callable[[str], Any]) -> None:
        self.name = name
        self.action = action
        self.choices = choices
        self.convert = convert


class Quick:
    """Takes options as an ArgumentParser does, those of the kinds we use."""

    def __init__(self) -> None:
        self._defaults: dict[str, Any] = {}
        self._options: dict[str, Option] = {}

    def add_argument_group(self, title: str) -> Quick:
        return self

    def add_argument(
        self,
        *flags: str,
        action: str = "store",
        default: Any = None,
        choices: Sequence[str] = (),
        type: Callable[[str], Any] = str,
        **_: Any,
    ) -> None:
        name = flags[-1].lstrip("-").replace("-", "_")
        self._defaults[name] = False if action == "store_true" else default
        option = Option(name, action, choices, type)
        self._options.update((flag, option) for flag in flags if flag.startswith("-"))

    def parse(self, argv: Sequence[str]) -> dict[str, Any] | None:
        """What a command line says; None where argparse has to look at it."""
        values = dict(self._defaults)
        paths: list[str] = []
        last_path = 0
        words = iter(enumerate(argv, 1))
        for at, word in words:
            if word == "-" or not word.startswith("-"):
                if paths and at != last_path + 1:
                    return None  # argparse takes paths in one place only
                paths.append(word)
                last_path = at
                continue
            flag, equals, text = word.partition("=")
            option = self._options.get(flag)
            if option is None or (equals and not flag.startswith("--")):
                return None
            if option.action == "store_true":
                if equals:
                    return None
                values[option.name] = True
                continue
            if not equals:
                _, text = next(words, (0, "-"))
                if text.startswith("-"):
                    return None
            if option.choices and text not in option.choices:
                return None
            try:
                value = option.convert(text)
            except ValueError:
                return None
            values[option.name] = [*values[option.name], value] if option.action == "append" else value
        values["paths"] = paths
        return values
