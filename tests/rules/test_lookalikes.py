"""What looks like a fault and is none: each rule stays silent (a low confidence is shown only on request).
lookalikes.txt is written as variants.txt is; a line that begins with # says whose false alarm it is, or why it is well.
What would stand inside http is read as a whole configuration, in which rules may also miss what is absent.
"""

from __future__ import annotations

import os
import re

import pytest

from nginxlint.config import Config
from nginxlint.diagnostic import Confidence
from nginxlint.inputs import is_whole
from nginxlint.registry import all_rules
from nginxlint.testing import guess_context
from tests.rules.test_variants import config_of_variant

with open(os.path.join(os.path.dirname(__file__), "lookalikes.txt"), encoding="utf-8") as _file:
    LOOKALIKES = re.split(r"(?m)^### ", _file.read())[1:]
TITLES = [text.partition("\n")[0] for text in LOOKALIKES]


def config_of_lookalike(text: str) -> Config:
    title, _, body = text.partition("\n")
    body, *files = re.split(r"(?m)^(?=@@ )", body)
    if not is_whole(body) and not re.match(r"(main|http|server|stream): ", body) and guess_context(body) == "http":
        body = f"events {{ }}\nhttp {{\n{body}}}\n"
    return config_of_variant("".join((title, "\n", body, *files)))


@pytest.mark.parametrize("text", LOOKALIKES, ids=[f"{title}-{number}" for number, title in enumerate(TITLES)])
def test_a_rule_is_silent_about_what_only_looks_like_its_fault(text: str) -> None:
    config = config_of_lookalike(text)
    assert not config.broken, text
    found = all_rules()[text.split()[0]].load()().check(config)
    assert not [finding.message for finding in found if finding.confidence > Confidence.LOW], text
