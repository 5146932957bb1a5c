"""What has to hold for a directive at one place: the variants there, melted into few comparisons."""

from __future__ import annotations

from nginxlint.catalogue.checks.owners import FAMILY_OF
from nginxlint.catalogue.context import SUBSYSTEM
from nginxlint.catalogue.values import VALUE_CHECKS
from nginxlint.catalogue.variant import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from nginxlint.catalogue.checks.faults import AllFine
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.values import Fault
    from nginxlint.syntax import Directive

    Check = Callable[[Directive, Context], Iterable[Refusal]]

# Bodies that are not directives: their own check reads them (map, geo, types, …), or nobody does (Lua).
DATA_BODIES = frozenset(
    ("map", "geo", "types", "split_clients", "charset_map", "match", "num_map", "geoip2", "ldap_server", "lua")
)


def checks_of(family: str) -> ModuleType:
    """The module of a family of checks."""
    return __import__(f"nginxlint.catalogue.checks.{family}", fromlist=["CHECKS"])


class Entry:
    """A directive at a place. `plain`: nothing but its arguments' number and its block matters. `simple`: nothing but
    this check matters besides.

    `accepted` remembers arguments that passed all that hangs on the arguments alone (`pure`). `names_of_all` and
    `all_fine` say of many directives at once that `names` and `check` have nothing to do with them.
    """

    __slots__ = (
        "accepted",
        "all_fine",
        "block",
        "check",
        "counts",
        "descend",
        "enters",
        "names",
        "names_of_all",
        "once",
        "plain",
        "pure",
        "simple",
        "value_fault",
        "variant",
    )

    def __init__(self, present: list[Variant], place: str, name: str) -> None:
        variant = self.variant = present[0]
        self.counts = variant.counts
        for other in present[1:]:
            self.counts |= other.counts
        self.block = variant.block
        self.enters = variant.enters
        if variant.enters == "lua":
            # the tree has the code of a Lua block as one more argument
            self.counts <<= 1
            self.block = False
        elif variant.enters == "if":
            self.enters = "if-in-server" if place == "server" else "if-in-location"
        self.descend = self.block and self.enters not in DATA_BODIES
        self.once = variant.duplicate == "error"
        self.value_fault: Callable[[Variant, tuple[str, ...]], Fault | None] | None = None
        if len(present) == 1 and variant.kind not in ("plus", "third-party"):
            self.value_fault = VALUE_CHECKS.get(variant.value_type)
        elif variant.value_type == "flag" and len(present) == 1:
            self.value_fault = VALUE_CHECKS["flag"]
        self.check: Check | None = None
        self.pure = True
        self.all_fine: AllFine | None = None
        if variant.kind not in ("plus", "third-party"):
            self._find_check(place, name)
        if self.check is None and variant.value_type in ("bitmask", "mime-types") and len(present) == 1:
            self._find_list(variant)
        # What to do with the names in the arguments: set by the frame, which knows the tables.
        self.names: Callable[[Directive], Refusal | None] | None = None
        self.names_of_all: Callable[[str], bool] | None = None
        self.accepted: set[tuple[str, ...]] = set()
        self.plain = False
        self.simple: Check | None = None

    def is_plain(self) -> bool:
        return not (self.once or self.value_fault or self.check or self.names or self.variant.deprecated is not None)

    def _find_check(self, place: str, name: str) -> None:
        for key in (f"{place}:{name}", f"{SUBSYSTEM.get(place, 'main')}:{name}", name):
            if families := FAMILY_OF.get(key):
                modules = [checks_of(family) for family in families.split()]
                checks = [module.CHECKS[key] for module in modules]
                self.check = checks[0] if len(checks) == 1 else _all_of(checks)
                self.pure = all(key in getattr(module, "PURE", ()) for module in modules)
                if len(modules) == 1:
                    self.all_fine = getattr(modules[0], "ALL_FINE", {}).get(key)
                return

    def _find_list(self, variant: Variant) -> None:
        lists = checks_of("lists")
        if variant.kind not in ("plus", "third-party") or variant.name in lists.FOREIGN:
            self.check = lists.OF_TYPE[variant.value_type]
            self.all_fine = lists.ALL_FINE[variant.value_type]
            self.pure = False


def _all_of(checks: list[Check]) -> Check:
    """The checks one after the other, up to the first that refuses."""

    def run(directive: Directive, context: Context) -> Iterator[Refusal]:
        for check in checks:
            refused = False
            for refusal in check(directive, context):
                refused = True
                yield refusal
            if refused:
                return

    return run
