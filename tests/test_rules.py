"""Every built-in rule is what its file says: name, documentation, examples."""

import pytest

from nginxlint.registry import BUILT_IN, all_rules, build_index, built_in_names
from nginxlint.testing import check_rule

ENTRIES = {id: entry for id, entry in all_rules().items() if entry.origin.startswith("the built-in")}


@pytest.mark.parametrize("id", sorted(ENTRIES))
def test_the_examples_of_a_rule_hold(id: str) -> None:
    check_rule(ENTRIES[id].load())


@pytest.mark.parametrize("id", sorted(ENTRIES))
def test_id_file_and_class_are_one_name(id: str) -> None:
    rule = ENTRIES[id].load()
    assert rule.__module__ == f"{BUILT_IN}.{id.replace('-', '_')}"
    assert rule.__name__.lower() == id.replace("-", "")


def test_the_generated_index_knows_every_rule() -> None:
    assert set(build_index()) == set(built_in_names())
