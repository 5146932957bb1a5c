"""The package holds what the folders hold."""

from __future__ import annotations

import os
import tomllib

TOP = os.path.join(os.path.dirname(__file__), "..", "..")


def test_every_package_folder_is_listed_in_pyproject() -> None:
    with open(os.path.join(TOP, "pyproject.toml"), "rb") as file:
        listed = set(tomllib.load(file)["tool"]["setuptools"]["packages"])
    found = {"nginxlint_rules"}
    for folder, _, files in os.walk(os.path.join(TOP, "nginxlint")):
        if "__init__.py" in files:
            found.add(os.path.relpath(folder, TOP).replace(os.sep, "."))
    assert listed == found
