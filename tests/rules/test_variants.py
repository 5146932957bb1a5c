"""The faults of the rules as others write them: nested otherwise, split into files, behind variables, quoted, inherited,
with IPv6, unix sockets, other families. variants.txt holds one after the other:

### RULE [VERSION]          the nginx it is for (1.22.1 if none is named)
http: TEXT                  what surrounds it, where that is not to be guessed
@@ PATH                     the rest is a file that the text includes
"""

from __future__ import annotations

import os
import re

import pytest

from nginxlint.config import Config
from nginxlint.files import Dump
from nginxlint.includes import load
from nginxlint.inputs import CONTEXTS, is_whole
from nginxlint.registry import all_rules
from nginxlint.testing import guess_context

with open(os.path.join(os.path.dirname(__file__), "variants.txt"), encoding="utf-8") as _file:
    VARIANTS = re.split(r"(?m)^### ", _file.read())[1:]
TITLES = [variant.partition("\n")[0] for variant in VARIANTS]


def config_of_variant(variant: str) -> Config:
    title, _, body = variant.partition("\n")
    text, *included = re.split(r"(?m)^@@ (\S+)\n", body)
    written = re.match(r"(main|http|server|stream): ", text)
    context = written[1] if written else "main" if is_whole(text) else guess_context(text)
    text = text[written.end() :] if written else text
    files = {"nginx.conf": text, **dict(zip(included[::2], included[1::2], strict=True))}
    disk = Dump({path: content.encode() for path, content in files.items()}, "")
    version = title.partition(" ")[2] or "1.22.1"
    major, minor, patch = map(int, version.split("."))
    return Config("nginx.conf", load(disk, "nginx.conf", text, CONTEXTS[context]), version=(major, minor, patch))


@pytest.mark.parametrize("variant", VARIANTS, ids=[f"{title}-{number}" for number, title in enumerate(TITLES)])
def test_a_variant_of_its_fault_is_found(variant: str) -> None:
    config = config_of_variant(variant)
    assert not config.broken, variant
    assert list(all_rules()[variant.split()[0]].load()().check(config)), variant


def test_most_rules_have_several_variants() -> None:
    built_in = [id for id, entry in all_rules().items() if entry.origin.startswith("the built-in")]
    counts = [sum(title.split()[0] == id for title in TITLES) for id in built_in]
    assert sum(count >= 2 for count in counts) >= 0.9 * len(built_in), dict(zip(built_in, counts, strict=True))
