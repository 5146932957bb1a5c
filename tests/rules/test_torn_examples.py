"""Every rule bears statements that nginx would refuse: its examples, with the arguments of one statement torn out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from nginxlint.config import Config
from nginxlint.registry import all_rules
from nginxlint.testing import config_of, example_file, has_something_to_judge

LONG = "9" * 5000
RULES = {id: entry for id, entry in all_rules().items() if entry.origin.startswith("the built-in")}


def torn(text: str, config: Config) -> Iterator[str]:
    """The text with other arguments in each of its statements: none, the first alone, an empty one, half a variable, with
    numbers of more digits than Python reads."""
    for directive in config.main.walk():
        words = directive.raw_words()
        if not directive.values or len(words) != len(directive.values) + 1 or words[-1].end == directive.start:
            continue
        given = [text[word.start : word.end] for word in words[1:]]
        long = [re.sub(r"\d+", LONG, word) for word in given]
        for new in ([], given[:1], ['""'], ["$"], [*given, "more", "$more"], long, [*given[:-1], LONG]):
            if new != given:
                yield " ".join([text[: words[0].end], *new]) + text[words[-1].end :]


@pytest.mark.parametrize("id", sorted(RULES))
def test_a_rule_bears_torn_statements(id: str) -> None:
    rule = RULES[id].load()
    tried = 0
    for example in rule.examples:
        whole = config_of(example.text, context=example.context, version=example.version)
        for text in torn(example.text, whole):
            config = config_of(text, context=example.context, version=example.version)
            config.locate = example_file if example.live else None
            if has_something_to_judge(rule, config):
                tried += 1
                for finding in rule().check(config):
                    assert finding.message, text
    assert tried > 0 or id == "include-missing"  # what includes stand for is in the tree, not they
