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


def test_the_floors_of_the_architecture_page_are_those_that_are_checked() -> None:
    with open(os.path.join(TOP, "pyproject.toml"), "rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    checked = [{name.removeprefix("nginxlint.") for name in layer.split(" | ")} for layer in layers]
    with open(os.path.join(TOP, "ARCHITECTURE.md"), encoding="utf-8") as file:
        page = file.read().partition("## The floors")[2].split("```")[1]
    assert [set(line.split(" · ")) for line in page.strip().splitlines()] == checked
