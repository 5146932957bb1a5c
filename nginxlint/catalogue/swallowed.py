"""A semicolon that is missing: the next statement became arguments, and nginx complains about something else."""

from __future__ import annotations

from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.refusal import Refusal
from nginxlint.diagnostic import Edit, Fix, Note
from nginxlint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.syntax import Directive


def attribute(refusal: Refusal, directive: Directive, fits: Callable[[str], bool]) -> Refusal | None:
    """The refusal in terms of its cause, when a later line of the statement begins with a directive that fits here.

    None where the statement is what it looks like.
    """
    values = directive.values
    if not values:
        return None
    words = directive.raw_words()
    text = directive.source.text
    for index in range(1, len(words)):
        gap = text[words[index - 1].end : words[index].start]
        if "\n" not in gap or words[index].quote or not fits(words[index].text):
            continue
        before = words[index - 1]
        end = Span(directive.source, before.end, before.end)
        swallowed = words[index]
        nginx = refusal.nginx_at or terminator(directive)
        return Refusal(
            "semicolon-missing",
            f'"{directive.name}" is not ended by a semicolon: nginx reads "{swallowed.text}" as its argument',
            end,
            refusal.nginx_message,
            nginx,
            at=directive,
            group="syntax",
            label='";" is missing here',
            related=(Note(Span(directive.source, swallowed.start, swallowed.end), "this became an argument"),),
            help=("end the line with ;",),
            fixes=(Fix("add the semicolon", (Edit(end, ";"),), safe=True),),
        )
    return None
