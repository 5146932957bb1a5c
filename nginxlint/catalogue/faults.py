"""What `ngx_conf_handler()` says of a statement before its setter is asked, in words for an operator."""

from __future__ import annotations

from nginxlint.catalogue.modules import module_beyond
from nginxlint.catalogue.nearest import nearest
from nginxlint.catalogue.table import DIRECTIVES, DOCUMENTATION
from nginxlint.catalogue.variant import changed_in, variants
from nginxlint.diagnostic import Confidence, Edit, Fix, Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.entry import Entry
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.values import Fault
    from nginxlint.catalogue.variant import Variant
    from nginxlint.syntax import Directive

# So many places are listed of one cause.
_SHOWN = 20

# Contexts as people say them.
_SPOKEN = {
    "main": "the top level",
    "if-in-server": "an if in a server",
    "if-in-location": "an if in a location",
    "stream-server": "a server in stream",
    "stream-upstream": "an upstream in stream",
    "mail-server": "a server in mail",
}


def spoken(place: str) -> str:
    """A context as a person would say it."""
    return _SPOKEN.get(place, place)


def syntax_of(name: str, module: str) -> tuple[str, ...]:
    """The documented syntax of a directive, as help lines."""
    for page in DOCUMENTATION.rows(name):
        if page["module"] == module:
            return tuple(f"syntax: {name} {line};" for line in page.get("syntax", ())[:3])
    return ()


def bad_count(context: Context, directive: Directive, entry: Entry) -> Refusal:
    name, count = directive.name, len(directive.values)
    allowed = [number for number in range(9) if entry.counts >> number & 1]
    open_ended = entry.counts < 0
    if open_ended:
        wanted = f"at least {allowed[0]}"
    elif len(allowed) > 2 and allowed == list(range(allowed[0], allowed[-1] + 1)):
        wanted = f"{allowed[0]} to {allowed[-1]}"
    else:
        wanted = " or ".join(map(str, allowed)) if allowed != [0] else "none"
    return context.refuse(
        "arguments-invalid",
        directive,
        f'"{name}" takes {wanted} argument{"" if wanted == "1" else "s"}, here are {count}'
        if count
        else f'"{name}" needs {wanted} argument{"" if wanted == "1" else "s"}, here is none',
        f'invalid number of arguments in "{name}" directive',
        help=(*_counted_since(context, directive), *syntax_of(name, entry.variant.module)),
    )


def _counted_since(context: Context, directive: Directive) -> tuple[str, ...]:
    """Another version, or NGINX Plus, takes this number of arguments."""
    name, count, target = directive.name, len(directive.values), context.target
    if since := changed_in(name, target, lambda variant: bool(variant.counts >> count & 1)):
        return (f"it takes {count} since {since}; you target {target.version_text}",)
    if any(one.why_absent == "plus" and one.counts >> count & 1 for one in variants(name, target)):
        return (f"NGINX Plus takes {count}",)
    return ()


def no_block(context: Context, directive: Directive) -> Refusal:
    return context.refuse(
        "block-missing",
        directive,
        f'"{directive.name}" needs a block in braces',
        f'directive "{directive.name}" has no opening "{{"',
        help=(f"write {directive.name} … {{ … }}",),
    )


def not_a_block(context: Context, directive: Directive) -> Refusal:
    return context.refuse(
        "block-unexpected",
        directive,
        f'"{directive.name}" takes no block: end it with a semicolon',
        f'directive "{directive.name}" is not terminated by ";"',
    )


def bad_value(context: Context, directive: Directive, fault: Fault) -> Refusal:
    word = directive.args[fault.index]
    fixes: tuple[Fix, ...] = ()
    if fault.repair:
        fixes = (Fix(f"write {fault.repair}", (Edit(word.span, fault.repair),), safe=False),)
    return context.refuse(
        "arguments-invalid",
        directive,
        fault.message,
        fault.nginx_message,
        word=word,
        help=(fault.help,) if fault.help else (),
        fixes=fixes,
    )


def repeated(context: Context, directive: Directive, first: Directive) -> Refusal:
    same = directive.values == first.values
    fixes: tuple[Fix, ...] = ()
    if same and directive.body is None:
        fixes = (Fix("remove the second one", (Edit(directive.span, ""),), safe=True),)
    return context.refuse(
        "directive-repeat",
        directive,
        f'"{directive.name}" stands twice in this block',
        f'"{directive.name}" directive is duplicate',
        related=(Note(first.head_span, "first here"),),
        help=("remove one of the two" if not same else "remove it: the same line stands above",),
        fixes=fixes,
    )


class Misplaced:
    """Directives nginx does not know, or not where they stand: one finding for one cause."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._by_name: dict[str, Refusal] = {}
        self._by_block: dict[int, Refusal] = {}

    def judge(self, directive: Directive, place: str, known: list[Variant], present: list[Variant]) -> Refusal | None:
        """The refusal, or None where it only adds a place to an earlier one."""
        if present:
            earlier = self._by_block.get(id(directive.parent))
            if earlier is not None:
                _also(earlier, directive, f'"{directive.name}" is not allowed here either')
                return None
            misplaced = self._not_here(directive, place, present, known)
            self._by_block[id(directive.parent)] = misplaced
            return misplaced
        earlier = self._by_name.get(directive.name)
        if earlier is not None:
            _also(earlier, directive, "and here")
            return None
        refusal = self._unknown(directive, place, known)
        if refusal is not None:
            self._by_name[directive.name] = refusal
        return refusal

    def _not_here(self, directive: Directive, place: str, present: list[Variant], known: list[Variant]) -> Refusal:
        allowed = [spoken(name) for variant in present for name in variant.contexts]
        where = ", ".join(dict.fromkeys(allowed))
        name, target = directive.name, self.context.target
        absent = []
        for variant in known:
            if variant.why_absent and place in variant.contexts:
                reason = _why_absent(self.context, variant)
                absent.append(reason.replace("works on", "may stand here in", 1))
        if since := changed_in(name, target, lambda variant: place in variant.contexts):
            absent.append(f'"{name}" may stand here in {since} and later; you target {target.version_text}')
        return self.context.refuse(
            "directive-context",
            directive,
            f'"{directive.name}" cannot stand in {spoken(place)}',
            f'"{directive.name}" directive is not allowed here',
            span=directive.name_span,
            help=(*dict.fromkeys(absent), f"it may stand in: {where}"),
        )

    def _unknown(self, directive: Directive, place: str, known: list[Variant]) -> Refusal | None:
        name = directive.name
        fixes: tuple[Fix, ...] = ()
        here = [variant for variant in known if place in variant.contexts] or known
        help = [_why_absent(self.context, variant) for variant in here]
        strangers = self.context.target.strangers if not known else ()
        beyond = module_beyond(name) if not known else ""
        if beyond and self.context.target.modules is None:
            return None
        if beyond:
            help = [f'"{name}" belongs to {beyond}, which this nginx lacks']
        elif not known:
            help, fixes = self._guess(directive, place)
            if strangers and not help:
                return None  # a directive of a module we do not know, for all we can tell
        refusal = self.context.refuse(
            "directive-unknown",
            directive,
            f'nginx {self.context.target.version_text} knows no directive "{_printable(name)}"'
            if known
            else f'nginx knows no directive "{_printable(name)}"',
            f'unknown directive "{name}"',
            span=directive.name_span,
            help=tuple(dict.fromkeys(help)),
            fixes=fixes,
        )
        if strangers:
            refusal.confidence = Confidence.MEDIUM
            refusal.help = (*refusal.help, f"unless it belongs to {', '.join(strangers)}, which is loaded")
        return refusal

    def _guess(self, directive: Directive, place: str) -> tuple[list[str], tuple[Fix, ...]]:
        name = directive.name
        strange = next((character for character in name if ord(character) > 127), "")
        if strange:
            plain = "".join(character for character in name if ord(character) < 128)
            what = {"\ufeff": "a byte order mark", "\u00a0": "a no-break space"}.get(strange, f'"{strange}"')
            if strange in ("\ufeff", "\u00a0"):
                word = directive.name_span
                fix = Fix(f"remove {what}", (Edit(word, plain),), safe=True)
                return [f"the name contains {what} (U+{ord(strange):04X}): remove it"], (fix,) if plain else ()
            return [f"the name contains {what} (U+{ord(strange):04X}), which is not ASCII"], ()
        if name.endswith(":") and DIRECTIVES.rows(name[:-1]):
            fix = Fix("remove the colon", (Edit(directive.name_span, name[:-1]),), safe=True)
            return [f'remove the colon: write "{name[:-1]}"'], (fix,)
        close = self._close(name, place)
        if not close:
            return [], ()
        fix = Fix(f"write {close}", (Edit(directive.name_span, close),), safe=False)
        return [f'did you mean "{close}"?'], (fix,)

    def _close(self, name: str, place: str) -> str:
        def here(candidate: str) -> bool:
            return any(
                not variant.why_absent and place in variant.contexts
                for variant in variants(candidate, self.context.target)
            )

        lower = name.lower()
        if lower != name and here(lower):
            return lower
        if not self.context.may_guess():
            return ""
        near = [word for word in DIRECTIVES.names() if abs(len(word) - len(name)) <= max(1, len(name) // 3)]
        shares = set(lower)
        near = [word for word in near if len(shares & set(word)) * 2 >= len(shares)]
        while near:
            close = nearest(name, near)
            if not close or here(close):
                return close
            near.remove(close)
        return ""


def _printable(name: str) -> str:
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def _also(earlier: Refusal, directive: Directive, label: str) -> None:
    if len(earlier.related) < _SHOWN:
        earlier.related = (*earlier.related, Note(directive.name_span, label))


def _why_absent(context: Context, variant: Variant) -> str:
    target = context.target.version_text
    replacement = f"; use {variant.replaced_by}" if variant.replaced_by else ""
    if variant.why_absent == "version":
        return f'"{variant.name}" works on {variant.since} and later; you target {target}'
    if variant.why_absent == "removed":
        return f'"{variant.name}" was removed in {variant.removed}{replacement}'
    if variant.why_absent == "plus":
        return f'"{variant.name}" is a directive of NGINX Plus: where that runs, give its nginx -V as --nginx-build'
    return f'"{variant.name}" belongs to {variant.module}, which this nginx lacks'
