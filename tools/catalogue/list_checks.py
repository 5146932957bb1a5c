"""Write nginxlint/catalogue/checks/owners.py: which family module checks which directive.

    python tools/catalogue/list_checks.py

imports every family module, so that the linter itself has to import only those of the directives that occur.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

CHECKS = Path(__file__).resolve().parents[2] / "nginxlint" / "catalogue" / "checks"

# What nginx finds when a block closes, it finds in the order of its modules: first the mergers of values, then names.
ORDER = (
    "pools",
    "upstreams",
    "listen",
    "mail",
    "passes",
    "tls_servers",
    "buffers",
    "tls_upstreams",
    "access",
    "headers",
    "hashes",
    "locations",
    "tls_sockets",
)


def render() -> str:
    """The text of owners.py."""
    owners: dict[str, str] = {}
    ends: dict[str, list[str]] = {}
    own: list[tuple[str, str]] = []
    families = sorted(path.stem for path in CHECKS.glob("*.py") if path.stem not in ("__init__", "owners"))
    families.sort(key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    for family in families:
        module = importlib.import_module(f"nginxlint.catalogue.checks.{family}")
        for key in getattr(module, "CHECKS", ()):
            owners[key] = f"{owners[key]} {family}" if key in owners else family
        for key in getattr(module, "BLOCK_END", ()):
            ends.setdefault(key, []).append(family)
        own += [(key, family) for key in sorted(getattr(module, "ENDS_OF_OWN", ()))]
    lines = [
        '"""Which family checks which directive. Written by tools/catalogue/list_checks.py; do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        "# key of CHECKS -> family, or families",
        "FAMILY_OF: dict[str, str] = {",
        *(f'    "{key}": "{family}",' for key, family in sorted(owners.items())),
        "}",
        "",
        "# context name -> families with a BLOCK_END for it, in calling order",
        "BLOCK_ENDS: dict[str, tuple[str, ...]] = {",
        *(
            f'    "{key}": ({", ".join(chr(34) + name + chr(34) for name in names)},),'
            for key, names in sorted(ends.items())
        ),
        "}",
        "",
        "# (context name, family) where a family finds at the end only what its own checks have remembered",
        "ENDS_OF_OWN = frozenset(",
        "    (",
        *(f'        ("{key}", "{family}"),' for key, family in sorted(own)),
        "    )",
        ")",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    (CHECKS / "owners.py").write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKS.parents[2]))
    sys.exit(main())
