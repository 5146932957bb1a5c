"""The page of everything that can be reported: rules, refusals of nginx, syntax faults, probes, suppressions."""

from __future__ import annotations

from nginxlint.faults import LIMITS, SYNTAX_RULES
from nginxlint.registry import Entry
from nginxlint.rule import Bad, Good, Rule
from nginxlint.suppressions import SUPPRESSION_RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Page:
    """`body` is the docstring; only rules have `examples` and `options`."""

    __slots__ = ("body", "examples", "fixes", "group", "id", "opt_in", "options", "severity")

    def __init__(
        self,
        id: str,
        group: str,
        severity: str,
        body: str,
        *,
        opt_in: bool = False,
        examples: tuple[Bad | Good, ...] = (),
        options: dict[str, object] | None = None,
    ) -> None:
        self.id = id
        self.group = group
        self.severity = severity
        self.body = _dedented(body)
        self.opt_in = opt_in
        self.examples = examples
        self.options = options or {}
        self.fixes = any(isinstance(example, Bad) and example.fixed is not None for example in examples)

    @property
    def summary(self) -> str:
        """The first paragraph of the page, on one line."""
        return " ".join(self.body.split("\n\n", 1)[0].split())

    def text(self, *, markdown: bool = False) -> str:
        """The page for a terminal, or as Markdown."""
        facts = f"{self.severity} · {self.group}" + (" · off unless selected" if self.opt_in else "")
        parts = [f"# {self.id}" if markdown else self.id, facts, self.body]
        for example in self.examples:
            kind = "Reported" if isinstance(example, Bad) else "Not reported"
            parts += [kind + ":", _code(example.text, markdown)]
            if isinstance(example, Bad) and example.fixed is not None:
                parts += ["After the fix:", _code(example.fixed, markdown)]
        for name, value in self.options.items():
            parts.append(f"Option `{name}` (default `{value!r}`), in `[rules.{self.id}]` of nginxlint.toml.")
        if self.id in SUPPRESSION_RULES:
            parts.append(f'To silence it: `ignore = ["{self.id}"]` in nginxlint.toml.')
        else:
            comment = f"# nginxlint: ignore[{self.id}] - why this is meant"
            parts += ["To silence it at one place:", _code(comment, markdown)]
        return "\n\n".join(parts) + "\n"


def all_pages(entries: dict[str, Entry]) -> dict[str, Page]:
    """Every page by id, in the order of ids."""
    found: dict[str, Page] = {}
    for page in (*(_rule_page(entry.load()) for entry in entries.values()), *_pages_without_class()):
        found.setdefault(page.id, page)  # a rule explains better what the catalogue check refuses as well
    return dict(sorted(found.items()))


def pages_of(ids: Iterable[str], entries: dict[str, Entry]) -> dict[str, Page]:
    """The pages of these ids, as far as there are any; other rules are not imported."""
    beyond = {page.id: page for page in _pages_without_class()}
    pages = {id: _rule_page(entries[id].load()) if id in entries else beyond.get(id) for id in sorted(ids)}
    return {id: page for id, page in pages.items() if page is not None}


_known_groups: dict[str, str] = {}  # read when somebody asks


def _groups_without_class() -> dict[str, str]:
    if not _known_groups:
        _known_groups.update((page.id, page.group) for page in _pages_without_class())
    return _known_groups


def ids_without_class() -> frozenset[str]:
    """The ids of findings that do not come from a rule class."""
    return frozenset(_groups_without_class())


def group_without_class(id: str) -> str | None:
    """The group of such a finding; None where there is none of this id. A group is its own."""
    return _groups_without_class().get(id) or (id if id in _groups_without_class().values() else None)


def _pages_without_class() -> Iterable[Page]:
    from nginxlint.catalogue.rules import RULES as REFUSALS
    from nginxlint.online.rules import RULES as PROBES

    yield from (Page(id, "syntax", "error", text) for id, text in SYNTAX_RULES.items())
    yield from (Page(id, "syntax", "warning", text) for id, text in LIMITS.items())
    yield from (Page(id, "style", "warning", text) for id, text in SUPPRESSION_RULES.items())
    yield from (Page(id, group, severity, text) for id, (group, severity, text) in REFUSALS.items())
    yield from (Page(rule.id, rule.group, rule.severity.word, rule.docs) for rule in PROBES)


def _rule_page(rule: type[Rule]) -> Page:
    return Page(
        rule.id,
        rule.group,
        rule.severity.word,
        rule.__doc__ or "",
        opt_in=rule.opt_in,
        examples=rule.examples,
        options=rule.options,
    )


def _dedented(text: str) -> str:
    """A docstring without the indentation of its class."""
    lines = text.expandtabs().strip().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0], *(line[margin:].rstrip() for line in lines[1:])])


def _code(text: str, markdown: bool) -> str:
    return f"```nginx\n{text}\n```" if markdown else "\n".join(f"    {line}" for line in text.split("\n"))
