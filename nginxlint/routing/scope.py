"""What is in effect in a block: its own directives and, by nginx's kinds of inheritance, those of the blocks around."""

from __future__ import annotations

from _operator import attrgetter
from itertools import chain, groupby

from nginxlint.catalogue.inheritance import ANONYMOUS, NEVER, PASSES, SET_OF
from nginxlint.catalogue.numbers import parse_offset, parse_time
from nginxlint.routing.grouped import Grouped
from nginxlint.syntax import Block, Directive, Index

_INHERIT_SWITCH = {"add_header": "add_header_inherit", "add_trailer": "add_trailer_inherit"}
# Other names of the set a directive belongs to: one of them replaces what is inherited, too.
_TWINS = {name: tuple(twin for twin in names if twin != name) for name, names in SET_OF.items() if len(names) > 1}

_GUARDS = ("auth_basic", "auth_request", "auth_jwt", "auth_ldap", "auth_pam", "ssl_verify_client") + (
    "auth_digest",
    "auth_gss",
    "auth_spnego",
    "auth_ldap_servers",
    "auth_jwt_enabled",
    "access_by_lua",
    "access_by_lua_block",
    "access_by_lua_file",
    "js_access",
)

# What these say is mostly said once: to look for repeats takes longer than to read them.
_VARIED = frozenset((*PASSES, "server"))
_parent = attrgetter("parent")


class Known(Index):
    """All directives of a configuration by name, in file order; those of one name also by their block, by what they
    say, and by what their blocks say, once somebody asks: most lines and most blocks repeat others."""

    __slots__ = ("_alike", "_holders", "_sets")

    def __init__(self, root: Block) -> None:
        super().__init__(root)
        self._holders: dict[str, set[Block | None]] = {}
        self._alike: dict[str, Grouped[tuple[str, ...], Directive]] = {}
        self._sets: dict[str, Grouped[tuple[tuple[str, ...], ...], Block]] = {}

    def said(self, name: str) -> str:
        """All arguments of the directives of that name in one text, each between two zeros; mostly each one once."""
        varied = name in _VARIED and name not in self._alike
        different = [line.values for line in self.get(name, ())] if varied else self.alike(name)
        return "\0".join(("", *chain.from_iterable(different), ""))

    def spelled(self, name: str) -> str:
        """The same, repeated or not: quicker for one look."""
        different = self._alike.get(name) or [line.values for line in self.get(name, ())]
        return "\0".join(chain.from_iterable(different))

    def alike(self, name: str) -> Grouped[tuple[str, ...], Directive]:
        """The directives of that name by their arguments."""
        found = self._alike.get(name)
        if found is None:
            lines = self.get(name, [])
            found = self._alike[name] = Grouped([line.values for line in lines], lines)
        return found

    def examples(self, name: str) -> dict[tuple[str, ...], Directive]:
        return self.alike(name).examples()

    def sets(self, name: str) -> Grouped[tuple[tuple[str, ...], ...], Block]:
        """The blocks that hold directives of that name, by the arguments of all of these."""
        found = self._sets.get(name)
        if found is None:
            said: dict[Block, list[tuple[str, ...]]] = {}
            for block, lines in groupby(self.get(name, ()), _parent):  # those of one block mostly follow one another
                if block in said:
                    said[block] += [line.values for line in lines]
                else:
                    said[block] = [line.values for line in lines]
            self._holders[name] = set(said)
            found = self._sets[name] = Grouped(list(map(tuple, said.values())), list(said))
        return found

    def holders(self, name: str) -> set[Block | None]:
        """The blocks that hold directives of that name."""
        found = self._holders.get(name)
        if found is None:
            found = self._holders[name] = {line.parent for line in self.get(name, ())}
        return found


class Scope:
    """A block and the scope around it. `outer` is None for the root block; `known` holds all directives of the
    configuration: most questions are about names that do not occur."""

    __slots__ = ("block", "known", "outer")

    def __init__(self, block: Block, outer: Scope | None, known: Known) -> None:
        self.block = block
        self.outer = outer
        self.known = known

    def own(self, name: str) -> list[Directive]:
        """The directives of that name written directly in this block."""
        return self.block.named(name) if name in self.known and self.block in self.known.holders(name) else []

    def effective(self, name: str) -> list[Directive]:
        """The directives of that name in effect here, own or inherited (ngx_conf_merge_* of its module).

        For `add_header` and `add_trailer`, `*_inherit merge|off` (nginx 1.29.3) is honoured.
        """
        if name not in self.known:
            return []
        if name in NEVER:
            own = self.own(name)
            if not own and name in PASSES and self.block.name in ANONYMOUS and self.outer is not None:
                return self.outer.effective(name)
            return own
        if _INHERIT_SWITCH.get(name) in self.known:
            return self._switched(name)
        twins, holders = _TWINS.get(name, ()), self.known.holders(name)
        scope: Scope | None = self
        while scope is not None:
            if scope.block in holders:
                return scope.block.named(name)
            if any(scope.own(twin) for twin in twins):
                return []
            scope = scope.outer
        return []

    def _switched(self, name: str) -> list[Directive]:
        """What `effective` says where something says how headers are inherited."""
        own, outer = self.own(name), self.outer
        mode = self.value(_INHERIT_SWITCH[name])
        if outer is None or mode == "off" or (own and mode != "merge"):
            return own
        return outer.effective(name) + own

    def directive(self, name: str) -> Directive | None:
        """The one directive in effect here; where a name is repeated, the last one."""
        found = self.effective(name)
        return found[-1] if found else None

    def value(self, name: str, default: str = "") -> str:
        """The first argument of the directive in effect, or `default` (also where it has no argument)."""
        found = self.directive(name)
        return found.values[0] if found is not None and found.values else default

    def on(self, name: str, default: bool = False) -> bool:
        """A flag directive in effect: `on` or `off`."""
        value = self.value(name)
        return value.lower() == "on" if value else default

    @property
    def guards(self) -> list[Directive]:
        """What keeps somebody out here: by address, password, subrequest, token, client certificate or a script."""
        switched = (self.directive(name) for name in _GUARDS)
        return self.effective("deny")[:1] + [one for one in switched if one is not None and one.values[:1] != ("off",)]

    @property
    def is_restricted(self) -> bool:
        """Is anybody kept out here?"""
        return bool(self.guards)

    def size(self, name: str, default: int) -> int:
        """A size in effect in bytes (`8k` is 8192); `default` where none is set, or none that nginx reads."""
        size = parse_offset(self.value(name))
        return default if size is None else size

    def milliseconds(self, name: str, default: int) -> int:
        """A time in effect (`1m 30s` is 90000); `default` where none is set, or none that nginx reads."""
        found = self.directive(name)
        time = milliseconds(found) if found is not None else None
        return default if time is None else time

    def origin(self, name: str) -> Scope | None:
        """The nearest scope, this one included, that sets `name` itself."""
        scope: Scope | None = self
        while scope is not None and not scope.own(name):
            scope = scope.outer
        return scope

    def __repr__(self) -> str:
        return f"Scope({self.block!r})"


def milliseconds(setting: Directive) -> int | None:
    """The time a directive sets; None where it is none that nginx reads."""
    return parse_time(setting.values[0]) if setting.values else None
