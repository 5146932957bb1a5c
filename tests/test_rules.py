"""Every built-in rule is what its file says: name, documentation, examples."""

import pytest

from nginxlint.config import NEWEST, Version
from nginxlint.registry import BUILT_IN, all_rules, build_index, built_in_names
from nginxlint.testing import check_rule, config_of, has_something_to_judge

ENTRIES = {id: entry for id, entry in all_rules().items() if entry.origin.startswith("the built-in")}


@pytest.mark.parametrize("id", sorted(ENTRIES))
def test_the_examples_of_a_rule_hold(id: str) -> None:
    check_rule(ENTRIES[id].load())


@pytest.mark.parametrize("id", sorted(ENTRIES))
def test_id_file_and_class_are_one_name(id: str) -> None:
    rule = ENTRIES[id].load()
    assert rule.__module__ == f"{BUILT_IN}.{id.replace('-', '_')}"
    assert rule.__name__.lower() == id.replace("-", "")


@pytest.mark.parametrize("version", [(1, 22, 1), NEWEST], ids=str)
def test_a_rule_has_nothing_to_say_where_what_it_needs_does_not_occur(
    corpus: list[tuple[dict[str, object], str]], version: Version
) -> None:
    rules = [entry.load() for entry in ENTRIES.values()]
    spared = dict.fromkeys(rules, 0)
    for row, text in corpus:
        config = config_of(text, version=version)
        for rule in rules:
            if not has_something_to_judge(rule, config):
                assert not list(rule().check(config)), (rule.id, row["path"])
                spared[rule] += 1
    assert all(spared.values())


def test_the_generated_index_knows_every_rule() -> None:
    assert set(build_index()) == set(built_in_names())
