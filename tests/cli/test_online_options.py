"""The options of the online stage as the command line hears them: hosts files, limits of CI jobs, progress."""

from __future__ import annotations

import contextlib
import os
import subprocess
from importlib.util import find_spec

import pytest

from nginxlint.cli import online
from nginxlint.cli.cached import parse
from nginxlint.cli.online import online_options, vantage_of
from nginxlint.demo.upstreams import World
from nginxlint.settings import File
from tests.cli.conftest import GOOD, Run, process, write


def test_a_hosts_file_says_what_names_stand_for(run: Run) -> None:
    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass http://app.internal:1; }"))
    write("hosts", "# of the server\n127.0.0.1 localhost App.internal. # us\n")
    outcome = run("check", "--online", "--hosts-file", "hosts", "nginx.conf", "-o", "concise")
    assert "upstream-refused" in outcome.rules
    write("hosts", "app.internal 127.0.0.1\n")
    wrong = run("check", "--online", "--hosts-file", "hosts", "nginx.conf")
    assert (wrong.code, "hosts:1: write ADDRESS NAME" in wrong.err) == (2, True)


@pytest.mark.skipif(find_spec("yaml") is None, reason="needs PyYAML")
def test_the_command_line_takes_a_compose_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "in_container", lambda: False)
    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass http://app.test:80; }"))
    write("compose.yml", "services: {app.test: {ports: ['1:80']}}")
    words = ("check", "--online", "nginx.conf", "-o", "concise", "--map-from")
    refused = run(*words, "compose=compose.yml")
    assert (refused.code, "upstream-refused" in refused.rules) == (1, True)
    write("compose.yml", "services: {app.test: {}}")
    assert run(*words, "compose=compose.yml").code == 0
    for wrong, said in (
        ("compose.yml", "write compose=FILE"),
        ("k8s=x", "write compose=FILE"),
        ("compose=no", "no such file"),
    ):
        outcome = run(*words, wrong)
        assert (outcome.code, said in outcome.err) == (2, True)
    write("hosts", "127.0.0.1 app.test\n")
    assert "upstream-unresolvable" not in run(*words, "hosts=hosts").rules


@pytest.mark.parametrize(
    ("words", "settings", "expected"),
    [
        ("", {}, 0.0),
        ("--changed-since HEAD", {}, 300.0),
        ("--changed-since HEAD --cache-ttl 0", {}, 0.0),
        ("--changed-since HEAD", {"cache-ttl": 60}, 60.0),
        ("--cache-ttl 10m", {"cache-ttl": 60}, 600.0),
    ],
)
def test_answers_count_for_a_while_where_somebody_says_so(
    words: str, settings: dict[str, object], expected: float
) -> None:
    options = online_options(parse(words.split()), File("", {"online": settings}), (1, 22, 1))
    assert options.cache_ttl == expected


def test_a_second_run_within_the_time_asks_nobody_and_no_cache_asks_again(run: Run) -> None:
    with World() as world:
        write(
            "nginx.conf",
            GOOD.replace("return 204;", f"location / {{ proxy_pass http://127.0.0.1:{world.port('healthy')}; }}"),
        )
        words = ("check", "--online", "nginx.conf", "--cache-ttl", "60")
        for options, connections in ((words, 1), (words, 1), ((*words, "--no-cache"), 2), (words[:3], 3), (words, 3)):
            assert run(*options).code == 0
            assert world.connections("healthy") == connections
        assert "1 answer of earlier runs" in run(*words).out
    assert run(*words[:-1], "90000").code == 2


def test_limits_are_tighter_in_a_ci_job_and_settings_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    file = File("", {"online": {"per-host": 7}})
    monkeypatch.setenv("CI", "false")
    assert online_options(parse(["--online"]), file, (1, 22, 1)).concurrency == 100
    monkeypatch.setenv("CI", "true")
    options = online_options(parse(["--online", "--budget", "9"]), file, (1, 22, 1))
    assert (options.concurrency, options.rate, options.budget, options.per_host) == (50, 100.0, 9.0, 7)
    assert options.probe_level == "tcp"
    assert online_options(parse(["--probe-level", "tls"]), file, (1, 22, 1)).probe_level == "tls"


def test_a_ci_job_looks_from_elsewhere_but_for_a_tree_of_its_own(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass http://app.test; }"))
    words = ("check", "--online", "nginx.conf", "-o", "concise")
    assert run(*words).code == 1
    monkeypatch.setenv("CI", "true")
    outcome = run(*words)
    assert (outcome.code, outcome.rules[-1]) == (0, "upstream-not-checked")
    assert run(*words, "--vantage", "server").code == 1
    strict = run(*words, "--strict-online")
    assert strict.code == 1
    write("nginxlint.toml", '[online]\nvantage = "server"\n')
    assert run(*words).code == 1
    write("nginxlint.toml", "[online]\nstrict = true\n")
    assert run(*words).code == 1
    write("nginxlint.toml", '[online]\nvantage = "moon"\n')
    assert run(*words).code == 2
    for live, vantage in ((True, "server"), (False, "elsewhere")):
        assert vantage_of(parse([]), File(), live=live) == vantage
    assert vantage_of(parse(["--judge", "x"]), File(), live=False) == "server"


def test_progress_is_drawn_on_a_terminal_and_leaves_nothing_behind(run: Run) -> None:
    import pty

    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass http://127.0.0.1:1; }"))
    ours, theirs = pty.openpty()
    running = process(
        "check", "--no-config", "--online", "-o", "concise", "nginx.conf", cwd=os.getcwd(),
        env={"TERM": "xterm"}, stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    out, _ = running.communicate(timeout=60)
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while piece := os.read(ours, 65536):
            drawn += piece
    os.close(ours)
    assert b"probing" in drawn
    assert b"probing" not in out
    assert b"\x1b[2K" in drawn.rpartition(b"probing")[2]  # the line is wiped
