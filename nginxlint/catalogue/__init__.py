"""What nginx knows: directives and variables as data, and the check "would nginx refuse it?"."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.target import Target
    from nginxlint.syntax import Block, Index


def check(
    root: Block,
    target: Target,
    *,
    complete: bool = True,
    index: Index | None = None,
) -> list[Refusal]:
    """All that nginx would refuse (or warn about) in this tree, in the order in which it would meet it.

    The first refusal with `blocks_start` is what `nginx -t` prints. `complete` is false for a loose snippet: names
    that are not defined in it may be defined elsewhere, and are not reported. `index` has its directives by name, for
    who has it at hand.
    """
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.frame import Frame

    if loaded := [line.values[0] for line in root.children("load_module") if len(line.values) == 1]:
        target = target.with_loaded(loaded)
    return Frame(Context(root, target, complete=complete, index=index)).run()
