"""Where files are for a CI system: it wants their paths from the folder that it has the project in."""

from __future__ import annotations

import os

_VARIABLES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def folder() -> str:
    """The project's folder where we are in one; else the folder we are in."""
    here = os.getcwd()
    given = (os.environ.get(name, "").rstrip("/") for name in _VARIABLES)
    return next((path for path in given if path and f"{here}/".startswith(f"{path}/")), here)


def below(path: str) -> str:
    """A path as seen from there; absolute where it leads out."""
    absolute = os.path.abspath(path)
    inside = os.path.relpath(absolute, folder())
    return absolute if inside.split("/", 1)[0] == os.pardir else inside
