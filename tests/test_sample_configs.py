"""The sample configurations: nginx accepts them, and nginxlint says of them what their expected.txt holds.

python -m tests.test_sample_configs --write     writes every expected.txt again
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.oracle.nginx import PROGRAM

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = "sample_configs"
SAMPLES = tuple(sorted(entry.name for entry in os.scandir(os.path.join(REPOSITORY, FOLDER)) if entry.is_dir()))
# The version is fixed: what the newest nginx deprecates is another question.
COMMAND = ("check", "--no-config", "--nginx-version", "1.22.1", "-o", "concise")

# What each tree was written to show, by rule; the rest of expected.txt may grow with the rules.
MISTAKES = {
    "shop": {
        "alias-traversal",
        "proxy-slash-mismatch",
        "upstream-all-down",
        "proxy-tls-no-sni",
        "websocket-incomplete",
        "add-header-inheritance",
        "proxy-variable-drops-path",
    },
    "php-site": {
        "named-location-undefined",
        "header-splitting",
        "return-shadows-locations",
        "alias-traversal",
        "add-header-inheritance",
        "regex-bypasses-access",
        "upstream-unused",
    },
    "api-gateway": {
        "proxy-variable-group-port",
        "proxy-variable-drops-path",
        "proxy-group-near-miss",
        "proxy-set-header-inheritance",
        "websocket-incomplete",
    },
    "stream-proxy": {"upstream-all-down", "upstream-unused"},
}


def findings(sample: str) -> str:
    """What the command line says of a sample, as a reader in the repository's folder sees it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NGINXLINT")}
    done = subprocess.run(
        [sys.executable, "-m", "nginxlint", *COMMAND, f"{FOLDER}/{sample}"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=REPOSITORY,
        env={**environment, "PYTHONPATH": REPOSITORY},
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def expected_path(sample: str) -> str:
    return os.path.join(REPOSITORY, FOLDER, sample, "expected.txt")


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_findings_of_a_sample_are_those_it_documents(sample: str) -> None:
    with open(expected_path(sample), encoding="utf-8") as file:
        assert findings(sample) == file.read()


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_documented_findings_hold_every_mistake_the_sample_was_written_for(sample: str) -> None:
    with open(expected_path(sample), encoding="utf-8") as file:
        found = set(re.findall(r": (?:error|warning|info)\[([a-z0-9-]+)\] ", file.read()))
    assert MISTAKES[sample] <= found


@pytest.mark.skipif(not PROGRAM, reason=f"nginx is not installed: {len(SAMPLES)} samples not tried")
@pytest.mark.parametrize("sample", SAMPLES)
def test_nginx_accepts_a_sample(sample: str, tmp_path: object) -> None:
    folder = os.path.join(REPOSITORY, FOLDER, sample)
    done = subprocess.run(
        [PROGRAM, "-t", "-p", folder, "-c", os.path.join(folder, "nginx.conf"), "-e", f"{tmp_path}/error.log"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    # Without root, or without Debian's folders, nginx cannot open its logs; that says nothing about the configuration.
    missing = re.search(r"\(13: Permission denied\)|\(2: No such file or directory\)", done.stderr)
    if done.returncode and missing and "syntax is ok" in done.stderr:
        return
    assert done.returncode == 0, done.stderr


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for name in SAMPLES:
        with open(expected_path(name), "w", encoding="utf-8") as out:
            out.write(findings(name))
