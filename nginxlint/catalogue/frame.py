"""The walk over the tree, as `ngx_conf_handler()` judges every statement: known, allowed here, block or not, how many
arguments, once only, values; then the directive's own parser, and what turns up when a block closes."""

from __future__ import annotations

from importlib import import_module

from nginxlint.catalogue.checks.owners import BLOCK_ENDS
from nginxlint.catalogue.context import Context
from nginxlint.catalogue.deprecation import deprecation
from nginxlint.catalogue.entry import DATA_BODIES, Entry
from nginxlint.catalogue.faults import Misplaced, bad_count, bad_value, no_block, not_a_block, repeated
from nginxlint.catalogue.names import variables_of
from nginxlint.catalogue.swallowed import attribute
from nginxlint.catalogue.variant import Variant, variants
from nginxlint.diagnostic import Note, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.target import Target
    from nginxlint.syntax import Block, Directive



class Frame:
    """One run over one tree."""

    def __init__(self, root: Block, target: Target, *, complete: bool = True) -> None:
        self.root = root
        self.target = target
        self.context = Context(root, target, complete=complete)
        self.found: list[Refusal] = []
        self.misplaced = Misplaced(self.context)
        self._tables: dict[str, dict[str, Entry | None]] = {}
        self._variants: dict[str, list[Variant]] = {}

    def run(self) -> list[Refusal]:
        self._body(self.root, "main")
        self._end()
        for order, refusal in enumerate(self.found):
            refusal.order = order
            self._point_to_nginx(refusal)
        return self.found

    def add(self, refusals: Iterable[Refusal]) -> None:
        self.found.extend(refusals)

    def _body(self, block: Block, place: str) -> None:
        """Judge what stands inside a block, then what nginx finds when it closes."""
        context = self.context
        table = self._tables.get(place)
        if table is None:
            table = self._tables[place] = {}
        seen: dict[str, Directive] = {}
        for directive in block.body:
            name = directive.name
            entry = table.get(name)
            if entry is None:
                if name not in table:
                    entry = table[name] = self._entry(name, place)
                if entry is None:
                    self._foreign(directive, place)
                    continue
            values = directive.values
            if not entry.counts >> len(values) & 1 or entry.block is (directive.body is None):
                self._refuse_form(directive, entry, place)
            elif not entry.plain:
                context.place = place
                self._look_closer(directive, entry, seen)
            if directive.body is not None and entry.block and entry.enters not in DATA_BODIES:
                self._body(directive, entry.enters or place)  # type: ignore[arg-type]
        for family in BLOCK_ENDS.get(place, ()):
            context.place = place
            module = import_module(f"nginxlint.catalogue.checks.{family}")
            self.add(module.BLOCK_END[place](block, context))
        if place == "http" or place == "stream":
            variables = variables_of(context, place)
            if variables is not None and context.complete:
                self.add(variables.unknown())

    def _look_closer(self, directive: Directive, entry: Entry, seen: dict[str, Directive]) -> None:
        """The counts are right: is it the only one, are its values right, what do they name?"""
        values = directive.values
        if entry.once:
            first = seen.setdefault(directive.name, directive)
            if first is not directive:
                self.found.append(repeated(self.context, directive, first))
                return
        if entry.names is not None:
            entry.names(directive)
        if values in entry.accepted:
            return
        if entry.value_fault is not None:
            fault = entry.value_fault(entry.variant, values)
            if fault is not None:
                refusal = bad_value(self.context, directive, fault)
                self.found.append(attribute(refusal, directive, self._fits) or refusal)
                return
        if entry.check is not None:
            refusals = list(entry.check(directive, self.context))
            if refusals:
                if refusals[0].blocks_start and (moved := attribute(refusals[0], directive, self._fits)):
                    refusals = [moved]
                self.found.extend(refusals)
                return
        if entry.variant.deprecated is not None:
            self.add(deprecation(self.context, directive, entry.variant))
        elif entry.check is None or entry.pure:
            entry.accepted.add(values)

    def _refuse_form(self, directive: Directive, entry: Entry, place: str) -> None:
        context = self.context
        context.place = place
        if directive.body is not None and not entry.block:
            refusal = not_a_block(context, directive)
        elif directive.body is None and entry.block:
            refusal = no_block(context, directive)
        else:
            refusal = bad_count(context, directive, entry)
        self.found.append(attribute(refusal, directive, self._fits) or refusal)
        if directive.body is not None and not entry.block:
            return
        if entry.names is not None and entry.counts >> len(directive.values) & 1:
            entry.names(directive)

    # --- what the catalogue says ------------------------------------------------------------------------------

    def _known(self, name: str) -> list[Variant]:
        found = self._variants.get(name)
        if found is None:
            found = self._variants[name] = variants(name, self.target)
        return found

    def _entry(self, name: str, place: str) -> Entry | None:
        present = [variant for variant in self._known(name) if not variant.why_absent and place in variant.contexts]
        if not present:
            return None
        # the modules of nginx itself come first in its list of modules
        present.sort(key=lambda variant: variant.kind in ("third-party", "plus"))
        entry = Entry(present, place, name)
        variables = variables_of(self.context, place)
        if variables is not None:
            entry.names = variables.hook(name, present[0])
        entry.plain = not (
            entry.once or entry.value_fault or entry.check or entry.names or entry.variant.deprecated is not None
        )
        return entry

    def _fits(self, name: str) -> bool:
        """Could a directive of this name stand where the check is at work?"""
        place = self.context.place
        return any(not variant.why_absent and place in variant.contexts for variant in self._known(name))

    def _foreign(self, directive: Directive, place: str) -> None:
        """A directive that does not exist, or not here. What is inside is judged as where it belongs, if it is known."""
        context = self.context
        context.place = place
        if not directive.name and directive.source.text[directive.start : directive.start + 1] not in ('"', "'"):
            return  # a brace without a name: the lexer has reported it
        present = [variant for variant in self._known(directive.name) if not variant.why_absent]
        refusal = self.misplaced.judge(directive, place, self._known(directive.name), present)
        if refusal is not None:
            self.found.append(attribute(refusal, directive, self._fits) or refusal)
        home = next((variant for variant in present if variant.block and variant.enters), None)
        if directive.body is None or home is None or home.enters in DATA_BODIES:
            return
        inside = {"if": "if-in-location"}.get(home.enters, home.enters)
        mark = len(self.found)
        self._body(directive, inside)  # type: ignore[arg-type]
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

    def _point_to_nginx(self, refusal: Refusal) -> None:
        """Where nginx names another line than the cause, say which."""
        place = refusal.nginx_at
        if place is None or refusal.severity is not Severity.ERROR:
            return
        if place.source is refusal.span.source and place.line == refusal.span.line:
            return
        refusal.related = (*refusal.related, Note(place, "nginx reports it here"))
