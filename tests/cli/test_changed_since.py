"""`--changed-since`: only what a change adds or alters is probed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nginxlint.demo.upstreams import World
from tests.cli.conftest import Run, write

MAIN = "events {}\nhttp {\n    include sites/*.conf;\n}\n"
SITE = (
    "server {{\n    listen 80;\n    server_name {0};\n    location / {{ proxy_pass http://127.0.0.1:{1}; {2} }}\n}}\n"
)


def git(*words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t.test", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(run: Run) -> Run:
    """Two committed sites, below `etc` of a repository."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    os.rmdir(".git")
    git("init", "-q")
    write("etc/nginx.conf", MAIN)
    return run


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "-m", "x")


def codes(run: Run, *words: str) -> list[str]:
    outcome = run("check", "--online", "--changed-since", "HEAD", "--timeout", "1", "-o", "json", *words)
    assert outcome.code in (0, 1), outcome.err
    return [row["code"] for row in json.loads(outcome.out)["targets"]]


def test_an_unchanged_configuration_costs_no_packet(repository: Run) -> None:
    with World() as world:
        write("etc/sites/a.conf", SITE.format("a.test", world.port("healthy"), ""))
        commit()
        assert codes(repository, "etc") == ["SKIP_UNCHANGED"]
        write("etc/sites/a.conf", "# only a comment\n" + SITE.format("a.test", world.port("healthy"), "expires 1d;"))
        assert codes(repository, "etc") == ["SKIP_UNCHANGED"]
        assert world.connections("healthy") == 0


@pytest.mark.parametrize("folder", ["", "etc"])
def test_added_and_altered_targets_are_probed_and_others_are_not(repository: Run, folder: str) -> None:
    with World() as world:
        write("etc/sites/a.conf", SITE.format("a.test", world.port("healthy"), ""))
        write("etc/sites/b.conf", SITE.format("b.test", world.port("healthy", 1), ""))
        commit()
        write("etc/sites/b.conf", SITE.format("b.test", world.port("healthy", 1), "proxy_set_header Host x.test;"))
        write("etc/sites/c.conf", SITE.format("c.test", world.port("refusing"), ""))
        os.chdir(folder or ".")
        assert codes(repository, "." if folder else "etc") == ["SKIP_UNCHANGED", "OK", "L4_REFUSED"]


def test_a_file_that_was_not_there_then_is_all_new(repository: Run) -> None:
    commit()
    write("other/nginx.conf", "events {} http { server { location / { proxy_pass http://127.0.0.1:1; } } }")
    assert codes(repository, "other/nginx.conf") == ["L4_REFUSED"]


def test_links_of_the_commit_are_followed(repository: Run) -> None:
    with World() as world:
        write("etc/available/a.conf", SITE.format("a.test", world.port("healthy"), ""))
        Path("etc/sites").mkdir()
        Path("etc/sites/a.conf").symlink_to("../available/a.conf")
        commit()
        assert codes(repository, "etc") == ["SKIP_UNCHANGED"]


@pytest.mark.parametrize("directive", ["trusted_certificate", "certificate", "certificate_key", "password_file"])
def test_a_file_of_the_tls_settings_with_other_content_alters_its_targets(repository: Run, directive: str) -> None:
    with World() as world:
        port = world.port("healthy")
        secure = (
            f"server {{{{ location / {{{{ proxy_pass https://127.0.0.1:{port}; proxy_ssl_{directive} {{}}; }}}} }}}}\n"
        )
        write("etc/sites/a.conf", secure.format("tls/ours.pem"))
        write("etc/sites/b.conf", secure.format(os.path.abspath("other.pem")))
        write("etc/tls/ours.pem", "then")
        write("other.pem", "then")
        commit()
        assert codes(repository, "etc") == ["SKIP_UNCHANGED", "SKIP_UNCHANGED"]
        write("etc/tls/ours.pem", "now")
        altered, same = codes(repository, "etc")
        assert (altered != "SKIP_UNCHANGED", same) == (True, "SKIP_UNCHANGED")
        os.remove("etc/tls/ours.pem")
        assert codes(repository, "etc")[0] != "SKIP_UNCHANGED"


@pytest.mark.parametrize("ref", ["no-such-ref", "--output=x", "HEAD:etc"])
def test_what_is_no_commit_is_wrong_use(repository: Run, ref: str) -> None:
    commit()
    outcome = repository("check", "--online", f"--changed-since={ref}", "etc")
    assert outcome.code == 2
    assert "--changed-since" in outcome.err
    assert not os.path.exists("x")
