"""Where rules come from: the built-in package, installed plugins, and folders the user names."""

from __future__ import annotations

import os
import sys

from nginxlint.error import NginxlintError
from nginxlint.rule import Rule

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

# Rule id, group, opt-in, directives, texts, judges.
IndexRow = tuple[str, str, bool, tuple[str, ...], tuple[str, ...], str]
_ROW = 6

# The folder rules/ is installed under this name (see pyproject.toml).
BUILT_IN = "nginxlint_rules"
ENTRY_POINTS = "nginxlint.rules"


class Entry:
    """A rule that is known but perhaps not imported: its id, the directives without which it has nothing to say
    (empty: always runs), the texts without which they give it nothing to say, what it judges, and how to get its class."""

    __slots__ = ("directives", "group", "id", "judges", "load", "opt_in", "origin", "texts")

    def __init__(
        self,
        id: str,
        group: str,
        opt_in: bool,
        directives: tuple[str, ...],
        texts: tuple[str, ...],
        judges: str,
        load: Callable[[], type[Rule]],
        origin: str,
    ) -> None:
        self.id = id
        self.group = group
        self.opt_in = opt_in
        self.directives = directives
        self.texts = texts
        self.judges = judges
        self.load = load
        self.origin = origin


def all_rules(folders: Iterable[str] = ()) -> dict[str, Entry]:
    """Every rule by id: built-in ones, those of installed packages that declare the entry point `nginxlint.rules`,
    and those in the *.py files of `folders`. Raises NginxlintError for a broken plugin and for two rules of one id."""
    found: dict[str, Entry] = {}
    for entry in (*_built_in(), *_installed(), *_from_folders(folders)):
        if entry.id in found:
            raise NginxlintError(f"two rules are called {entry.id}: in {found[entry.id].origin} and {entry.origin}")
        found[entry.id] = entry
    return found


def rules_of(module: ModuleType) -> list[type[Rule]]:
    """The rule classes a module defines (not those it imports)."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__ and value.id
    ]


def _module(name: str) -> ModuleType:
    """`importlib.import_module`, without the import of importlib."""
    __import__(name)
    return sys.modules[name]


def built_in_names() -> list[str]:
    """The module names in the built-in package, without the package."""
    try:
        package = _module(BUILT_IN)
    except ModuleNotFoundError:
        raise NginxlintError("the rules are not installed: run pip install -e . in the checkout") from None
    return sorted(
        name[:-3]
        for folder in package.__path__
        for name in os.listdir(folder)
        if name.endswith(".py") and not name.startswith("_")
    )


def _built_in() -> Iterator[Entry]:
    """From the generated index, so that a rule is imported only when it may fire; from the modules themselves where
    the index does not know all of them (a rule is being written) or is of an older form."""
    names = built_in_names()
    try:
        index: dict[str, IndexRow] = _module(f"{BUILT_IN}._index").RULES
    except (ModuleNotFoundError, SyntaxError):  # (a merge may have mixed two of them)
        index = {}
    if set(index) != set(names) or any(len(row) != _ROW for row in index.values()):
        index = build_index()
    for module, (id, group, opt_in, directives, texts, judges) in index.items():
        yield Entry(id, group, opt_in, directives, texts, judges, _loader(module), f"the built-in {module}.py")


def build_index() -> dict[str, IndexRow]:
    """Module → (rule id, group, opt-in, directives, texts, judges) of every built-in rule, by importing them all."""
    index: dict[str, IndexRow] = {}
    for name in built_in_names():
        for rule in rules_of(_module(f"{BUILT_IN}.{name}")):
            index[name] = (rule.id, rule.group, rule.opt_in, rule.directives, rule.texts, rule.judges)
    return index


def _loader(name: str) -> Callable[[], type[Rule]]:
    """Of a built-in rule: its class has the name of its module."""
    return lambda: getattr(_module(f"{BUILT_IN}.{name}"), name.title().replace("_", ""))


def _installed() -> Iterator[Entry]:
    if not any(_declares_rules(folder) for folder in sys.path):
        return
    from importlib.metadata import entry_points  # 80 ms: only where a plugin is installed

    for point in entry_points(group=ENTRY_POINTS):
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:
            raise NginxlintError(f"the plugin {point.name} ({point.value}) cannot be loaded: {_why(error)}") from error
        modules = [loaded]
        for folder in getattr(loaded, "__path__", ()):
            modules.extend(
                _module(f"{loaded.__name__}.{name[:-3]}")
                for name in sorted(os.listdir(folder))
                if name.endswith(".py") and not name.startswith("_")
            )
        for module in modules:
            yield from _entries(module, f"the plugin {point.name}")


def _declares_rules(folder: str) -> bool:
    """Does a distribution in this folder of sys.path declare our entry point? importlib.metadata tells the same,
    but to import it takes four times as long as a whole check."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    for name in names:
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                if f"[{ENTRY_POINTS}]".encode() in file.read():
                    return True
        except OSError:
            continue
    return False


def _from_folders(folders: Iterable[str]) -> Iterator[Entry]:
    for folder in folders:
        from importlib.util import module_from_spec, spec_from_file_location  # 1 ms

        if not os.path.isdir(folder):
            raise NginxlintError(f"--rules {folder}: no such folder")
        for file in sorted(os.listdir(folder)):
            if not file.endswith(".py") or file.startswith("_"):
                continue
            path = os.path.join(folder, file)
            spec = spec_from_file_location(f"nginxlint_local_{file[:-3]}", path)
            if spec is None or spec.loader is None:
                continue
            module = module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except (Exception, SystemExit) as error:
                raise NginxlintError(f"the rule file {path} cannot be loaded: {_why(error)}") from error
            yield from _entries(module, path)


def _why(error: BaseException) -> str:
    return "it ends the program" if isinstance(error, SystemExit) else str(error)


def _entries(module: ModuleType, origin: str) -> Iterator[Entry]:
    for rule in rules_of(module):
        yield Entry(rule.id, rule.group, rule.opt_in, rule.directives, rule.texts, rule.judges, _loaded(rule), origin)


def _loaded(rule: type[Rule]) -> Callable[[], type[Rule]]:
    return lambda: rule
