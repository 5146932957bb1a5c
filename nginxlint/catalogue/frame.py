"""The walk over the tree, as `ngx_conf_handler()` judges every statement: known, allowed here, block or not, how many
arguments, once only, values; then the directive's own parser, and what turns up when a block closes."""

from __future__ import annotations

import sys
from _operator import attrgetter

from nginxlint.catalogue.checks.owners import BLOCK_ENDS, ENDS_OF_OWN
from nginxlint.catalogue.context import Context, closing
from nginxlint.catalogue.entry import DATA_BODIES, Entry, checks_of
from nginxlint.catalogue.names import variables_of
from nginxlint.catalogue.namesakes import MANY, Namesakes
from nginxlint.catalogue.variant import Variant, variants
from nginxlint.diagnostic import Note, Severity

TYPE_CHECKING = False  # what words a refusal is imported where there is one
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nginxlint.catalogue.faults import Misplaced
    from nginxlint.catalogue.names import Variables
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

    BlockEnd = Callable[[Block, Context], Iterable[Refusal]]


_name = attrgetter("name")
_FORM_FIRST = frozenset(("return", "rewrite"))  # their codes and flags come before their texts


def _ending(place: str) -> list[str]:
    """The families that may find something when a block of this place is closed."""
    return [
        family
        for family in BLOCK_ENDS.get(place, ())
        if (place, family) not in ENDS_OF_OWN or f"nginxlint.catalogue.checks.{family}" in sys.modules
    ]


class World:
    """What is known of one place: the entries of the names met there; the names that need no look at all (see
    `Namesakes`; of blocks that is, nothing inside any of them either), and of other blocks that need none themselves what
    is inside; the variables; and whether nginx finds something when its block is closed."""

    __slots__ = ("closes", "inside", "place", "settled", "table", "variables")

    def __init__(self, place: str, variables: Variables | None) -> None:
        self.place = place
        self.closes = place in BLOCK_ENDS or place == "http" or place == "stream"
        self.table: dict[str, Entry | None] = {}
        self.settled: set[str] = set()
        self.inside: dict[str, World] = {}
        self.variables = variables

    def passes(self, body: Iterable[Directive]) -> bool:
        """Does nothing in there need a look?"""
        return not self.closes and self.settled.issuperset(map(_name, body))


class Frame:
    """One run over one tree."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.found: list[Refusal] = []
        self._read = 0  # so many refusals come before what is found when all is read
        self._misplaced: Misplaced | None = None
        self._ends: dict[str, list[BlockEnd]] = {}
        self._worlds: dict[str, World] = {}
        self._namesakes: dict[tuple[str, bool], Namesakes | None] = {}
        self._variants: dict[str, list[Variant]] = {}

    def run(self) -> list[Refusal]:
        self._body(self.context.root, self._world("main"))
        self._end()
        for order, refusal in enumerate(self.found):
            refusal.order = order
            self._point_to_nginx(refusal)
        self.context.state.clear()  # what it holds refers to it: nobody else would free it
        return self.found

    def add(self, refusals: Iterable[Refusal]) -> None:
        self.found.extend(refusals)

    def _world(self, place: str) -> World:
        world = self._worlds.get(place)
        if world is None:
            world = self._worlds[place] = World(place, variables_of(self.context, place))
        return world

    def _body(self, block: Block, world: World) -> None:
        """Judge what stands inside a block, then what nginx finds when it closes."""
        context = self.context
        place, table, settled, known_blocks = world.place, world.table, world.settled, world.inside
        seen: dict[str, Directive] = {}
        for directive in block.body:
            name = directive.name
            if name in settled:
                continue
            if (inside := known_blocks.get(name)) is not None:
                if not inside.passes(directive.body):  # type: ignore[arg-type]
                    self._body(directive, inside)  # type: ignore[arg-type]
                continue
            entry = table.get(name)
            if entry is None:
                if name not in table:
                    entry = self._meet(name, world)
                if entry is None:
                    self._foreign(directive, place)
                    continue
            values = directive.values
            body = directive.body
            if not entry.counts >> len(values) & 1 or entry.block is (body is None):
                self._refuse_form(directive, entry, place)
            elif not entry.plain:
                if entry.once:
                    if name in seen:
                        context.place = place
                        self._repeated(directive, seen[name])
                        continue
                    seen[name] = directive
                if entry.simple is not None:
                    context.place = place
                    if found := entry.simple(directive, context):  # mostly an empty tuple
                        self._take(list(found), directive)
                elif values not in entry.accepted:
                    context.place = place
                    self._look_closer(directive, entry, world.variables)
            if body is not None and entry.descend:
                self._body(directive, self._world(entry.enters or place))  # type: ignore[arg-type]
        if world.closes:
            self._close(block, place)

    def _close(self, block: Block, place: str) -> None:
        """What nginx finds when a block is closed."""
        context = self.context
        mark = len(self.found)
        ends = self._ends.get(place)
        if ends is None:
            ends = self._ends[place] = [checks_of(family).BLOCK_END[place] for family in _ending(place)]
        for end in ends:
            context.place = place
            if found := end(block, context):
                self.found.extend(found)
        if place == "http" or place == "stream":
            self._close_world(block, place)
            if len(self.found) > mark + 1:
                from nginxlint.catalogue.sequence import as_blocks_close

                self.found[mark:] = as_blocks_close(self.found[mark:], block)
        elif place == "main":
            self._read = mark
        for refusal in self.found[mark:]:
            refusal.met_at = closing(block) if not block.synthetic else None

    def _close_world(self, block: Block, place: str) -> None:
        """What nginx finds of names and variables when all of http or stream is read."""
        context = self.context
        variables = variables_of(context, place)
        if not context.complete:
            return
        if "zones" in context.state and place == "http":
            from nginxlint.catalogue.ending import unknown_caches

            self.add(unknown_caches(context, block))
        if variables is not None:
            self.add(variables.unknown(block))

    def _look_closer(self, directive: Directive, entry: Entry, variables: Variables | None) -> None:
        """The counts are right: are its values right, what do they name?"""
        values = directive.values
        settled = True
        if entry.names is not None and variables is not None:
            open_reads = variables.open_reads
            fault = entry.names(directive)
            if fault is not None:
                if entry.check is not None and (directive.name in _FORM_FIRST or directive.body is not None):
                    fault = self._first(fault, entry.check(directive, self.context), directive.name in _FORM_FIRST)
                self.found.append(fault)
                return
            settled = variables.open_reads == open_reads and directive.body is None
        if entry.value_fault is not None:
            bad = entry.value_fault(entry.variant, values)
            if bad is not None:
                from nginxlint.catalogue.faults import bad_value

                self._refuse(bad_value(self.context, directive, bad), directive)
                return
        if entry.check is not None:
            found = entry.check(directive, self.context)
            if found and self._take(list(found), directive):
                return
        if entry.variant.deprecated is not None:
            from nginxlint.catalogue.deprecation import deprecation

            self.add(deprecation(self.context, directive, entry.variant))
        elif settled and (entry.check is None or entry.pure):
            entry.accepted.add(values)

    def _first(self, fault: Refusal, found: Iterable[Refusal], form_first: bool) -> Refusal:
        """Which of both nginx meets first, where one is about a variable and the other about the rest of the statement."""
        other = next(iter(found), None)
        if other is None or other.nginx_at is None or fault.nginx_at is None:
            return fault
        if other.nginx_at.start < fault.nginx_at.start or (form_first and other.nginx_at.start == fault.nginx_at.start):
            return other
        return fault

    def _take(self, refusals: list[Refusal], directive: Directive) -> bool:
        """Note what a check has found, if anything."""
        if refusals and refusals[0].blocks_start and (moved := self._swallowed(refusals[0], directive)):
            refusals = [moved]
        self.found.extend(refusals)
        return bool(refusals)

    def _refuse(self, refusal: Refusal, directive: Directive) -> None:
        self.found.append(self._swallowed(refusal, directive) or refusal)

    def _swallowed(self, refusal: Refusal, directive: Directive) -> Refusal | None:
        from nginxlint.catalogue.swallowed import attribute

        return attribute(refusal, directive, self._fits)

    def _repeated(self, directive: Directive, first: Directive) -> None:
        from nginxlint.catalogue.faults import repeated

        self.found.append(repeated(self.context, directive, first))

    def _refuse_form(self, directive: Directive, entry: Entry, place: str) -> None:
        from nginxlint.catalogue.faults import bad_count, no_block, not_a_block

        context = self.context
        context.place = place
        if directive.body is not None and not entry.block:
            refusal = not_a_block(context, directive)
        elif directive.body is None and entry.block:
            refusal = no_block(context, directive)
        else:
            refusal = bad_count(context, directive, entry)
        self._refuse(refusal, directive)
        if directive.body is not None and not entry.block:
            return
        if entry.names is not None and entry.counts >> len(directive.values) & 1:
            entry.names(directive)

    # --- what the catalogue says ------------------------------------------------------------------------------

    def _known(self, name: str) -> list[Variant]:
        found = self._variants.get(name)
        if found is None:
            found = self._variants[name] = variants(name, self.context.target)
        return found

    def _meet(self, name: str, world: World) -> Entry | None:
        """The entry of a name that was not met in this world before."""
        self.context.names.add(name)
        entry = world.table[name] = self._entry(name, world)
        return entry

    def _entry(self, name: str, world: World) -> Entry | None:
        place, variables = world.place, world.variables
        present = [variant for variant in self._known(name) if not variant.why_absent and place in variant.contexts]
        if not present:
            return None
        # the modules of nginx itself come first in its list of modules
        present.sort(key=lambda variant: variant.kind in ("third-party", "plus"))
        entry = Entry(present, place, name)
        if variables is not None:
            entry.names = variables.hook(name, present[0])
            entry.names_of_all = variables.hook_for_all(name, present[0])
        self._relieve(entry, name, world)
        entry.plain = entry.is_plain()
        if entry.check is not None and not (entry.pure or entry.names or entry.value_fault or entry.variant.deprecated):
            entry.simple = entry.check
        return entry

    def _relieve(self, entry: Entry, name: str, world: World) -> None:
        """Ask at once what can be asked of all directives of a name, wherever they stand."""
        self.context.place = world.place
        key = name, entry.block
        if key not in self._namesakes:
            many = len(self.context.find(name)) >= MANY
            self._namesakes[key] = Namesakes(self.context.index, name, entry.block) if many else None
        namesakes = self._namesakes[key]
        if namesakes is None or not namesakes.relieve(entry, self.context):
            return
        if not entry.descend:
            world.settled.add(name)
            return
        inside = world.inside[name] = self._world(entry.enters or world.place)
        inside.closes = inside.closes and not self._all_end_well(inside.place)
        if not inside.closes:
            # lines before blocks: what they define may be read there
            names = sorted(self.context.index.inside.get(name, ()), key=self._opens)
            if all(self._is_settled(one, inside) for one in names):
                world.settled.add(name)

    def _opens(self, name: str) -> bool:
        return any(variant.block for variant in self._known(name))

    def _is_settled(self, name: str, world: World) -> bool:
        """Does no directive of this name need a look in this world, as far as is known?"""
        if name not in world.table and name not in world.inside:  # there before its entry while what is in it is judged
            self._meet(name, world)
        return name in world.settled

    def _all_end_well(self, place: str) -> bool:
        """Does nginx find nothing when it closes the blocks of this place, whichever?"""
        families = [checks_of(family) for family in BLOCK_ENDS.get(place, ())]
        tests = [getattr(family, "ALL_END_WELL", {}).get(place) for family in families]
        return all(test is not None and test(self.context) for test in tests)

    def _fits(self, name: str) -> bool:
        """Could a directive of this name stand where the check is at work?"""
        place = self.context.place
        return any(not variant.why_absent and place in variant.contexts for variant in self._known(name))

    def _foreign(self, directive: Directive, place: str) -> None:
        """A directive that does not exist, or not here. What is inside is judged as where it belongs."""
        context = self.context
        context.place = place
        if not directive.name and directive.source.text[directive.start : directive.start + 1] not in ('"', "'"):
            return  # a brace without a name: the lexer has reported it
        present = [variant for variant in self._known(directive.name) if not variant.why_absent]
        if self._misplaced is None:
            from nginxlint.catalogue.faults import Misplaced

            self._misplaced = Misplaced(context)
        refusal = self._misplaced.judge(directive, place, self._known(directive.name), present)
        if refusal is not None:
            self._refuse(refusal, directive)
        home = next((variant for variant in present if variant.block and variant.enters), None)
        if directive.body is None or home is None or home.enters in DATA_BODIES:
            return
        inside = {"if": "if-in-location"}.get(home.enters, home.enters)
        mark = len(self.found)
        self._body(directive, self._world(inside))  # type: ignore[arg-type]
        # names that would be declared around it are not there: only what hangs on the statement alone is said
        self.found[mark:] = [one for one in self.found[mark:] if one.nginx_at is not None]

    # --- the end ----------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """What nginx finds after it has read everything."""
        context = self.context
        context.place = "main"
        if not context.complete:
            return
        from nginxlint.catalogue.ending import after_all

        self.add(after_all(context))
        if len(self.found) > self._read + 1:
            from nginxlint.catalogue.sequence import at_last

            self.found[self._read :] = at_last(self.found[self._read :])

    def _point_to_nginx(self, refusal: Refusal) -> None:
        """Where nginx names another line than the cause, say which."""
        place = refusal.nginx_at
        if place is None or refusal.severity is not Severity.ERROR:
            return
        if place.source is refusal.span.source and place.line == refusal.span.line:
            return
        refusal.related = (*refusal.related, Note(place, "nginx reports it here"))
