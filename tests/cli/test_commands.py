"""The commands beside `check`, and what `--help` promises."""

from __future__ import annotations

import json

import pytest

from nginxlint.cli.arguments import check_parser
from nginxlint.cli.main import COMMANDS
from nginxlint.registry import all_rules
from nginxlint.suppressions import SUPPRESSION_RULES
from tests.cli.conftest import BAD, Run, write


def test_help_lists_every_command_and_no_other(run: Run) -> None:
    outcome = run("--help")
    assert outcome.code == 0
    listed = [line.split()[0] for line in outcome.out.splitlines() if line.startswith("  ")]
    assert listed == list(COMMANDS)
    for command in COMMANDS:
        assert run(command, "--help").code == 0


def test_no_command_and_a_wrong_one_are_wrong_use(run: Run) -> None:
    write("nginx.conf", BAD)
    assert run().code == 2
    assert "did you mean check?" in run("chek").err
    assert "did you mean: nginxlint check nginx.conf?" in run("nginx.conf").err
    assert run("--nonsense").code == 2


def test_every_option_has_a_help_text_and_an_environment_twin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", BAD)
    for action in check_parser()._actions:
        assert action.help
    for name, value in (("SELECT", "tls"), ("EXIT_ZERO", "1"), ("IGNORE", "security,upstream")):
        monkeypatch.setenv(f"NGINXLINT_{name}", value)
        assert run("check", "nginx.conf").code == 0
        monkeypatch.delenv(f"NGINXLINT_{name}")
        assert run("check", "nginx.conf").code == 1
    monkeypatch.setenv("NGINXLINT_OUTPUT", "concise")
    assert run("check", "nginx.conf").out.startswith("nginx.conf:5:")
    assert run("check", "nginx.conf", "-ojson").out.startswith("{")


def test_rules_are_listed_for_people_and_programs(run: Run) -> None:
    rows = json.loads(run("rules", "-o", "json").out)
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert {*all_rules(), *SUPPRESSION_RULES, "semicolon-missing", "directive-unknown", "upstream-refused"} <= set(ids)
    assert all(row["summary"] and row["group"] and row["severity"] for row in rows)
    lines = run("rules").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ids


def test_every_rule_can_be_explained(run: Run) -> None:
    for row in json.loads(run("rules", "-o", "json").out):
        page = run("explain", row["id"]).out
        assert page.startswith(f"{row['id']}\n\n{row['severity']} · {row['group']}")
        assert "To silence it" in page
    outcome = run("explain", "alias-travesal")
    assert (outcome.code, outcome.out) == (2, "")
    assert 'did you mean "alias-traversal"?' in outcome.err
    assert run("explain").code == 2
    assert run("explain", "alias-traversal", "--format", "markdown").out.startswith("# alias-traversal\n")


def test_what_is_reported_can_be_explained(run: Run) -> None:
    write("nginx.conf", BAD.replace("listen 8080;", "listen 8080; retrun 1; add_header;\n server_name a a;") + "}")
    report = json.loads(run("check", "nginx.conf", "-o", "json").out)
    assert report["findings"]
    for finding in report["findings"]:
        assert run("explain", finding["rule"]).code == 0


def test_the_version_is_told_for_people_and_programs(run: Run) -> None:
    facts = json.loads(run("version", "--json").out)
    assert facts["nginxlint"]
    assert run("--version").out.startswith(f"nginxlint {facts['nginxlint']} (knows nginx up to {facts['catalogue']})")


def test_a_dry_run_sends_nothing_and_says_what_it_would(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp { server { location / { proxy_pass http://192.0.2.1:81; } } }\n")
    outcome = run("check", "nginx.conf", "--dry-run")
    assert outcome.code == 0
    assert "192.0.2.1:81" in outcome.out
    assert "nothing has been sent" in outcome.out


def test_an_online_check_reports_its_targets(run: Run) -> None:
    write(
        "nginx.conf",
        "events {}\nhttp { server { proxy_set_header Host $host; location / { proxy_pass http://127.0.0.1:1; } } }\n",
    )
    words = ("check", "nginx.conf", "--online", "--timeout", "2s")
    outcome = run(*words, "-o", "json")
    report = json.loads(outcome.out)
    assert outcome.code == 1
    assert [target["verdict"] for target in report["targets"]] == ["failed"]
    assert [finding["stage"] for finding in report["findings"]] == ["online"]
    assert report["findings"][0]["target"] == report["targets"][0]["id"]
    assert "1 target: 1 failed" in run(*words).out
    assert run(*words, "--offline").code == 0
    write("nginxlint.toml", "[online]\nenabled = true\ntimeout = '2s'\n")
    assert run("check", "nginx.conf").code == 1
    assert run("check", "nginx.conf", "--offline").code == 0
