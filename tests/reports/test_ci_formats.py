"""The reports CI systems read: well formed whatever is found, and with the same findings as all others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.cli.conftest import BAD, Run, run, write
from tests.reports.test_formats import documents, tree

__all__ = ["run"]  # the fixture

SARIF = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text())
FORMATS = ("sarif", "gitlab", "junit", "checkstyle")


def reports(run: Run, folder: Path) -> list[dict[str, str]]:
    """All reports of all kinds of runs, by format."""
    outputs = [word for format in FORMATS for word in ("-o", f"{format}:{folder / format}")]
    found = []

    def with_outputs(*words: str, **more: bytes) -> object:
        outcome = run(*words, *outputs, **more)
        if "json" in words:
            found.append({format: (folder / format).read_text() for format in FORMATS} | {"json": outcome.out})
        return outcome

    documents(with_outputs)  # type: ignore[arg-type]
    return found


def test_every_report_is_well_formed_and_says_what_the_others_say(run: Run, tmp_path: Path) -> None:
    jsonschema.Draft4Validator.check_schema(SARIF)
    made = reports(run, tmp_path)
    assert len(made) == 6
    for texts in made:
        findings = json.loads(texts["json"])["findings"]
        shown = [(one["rule"], one["location"]["line"]) for one in findings if one["suppressed"] is None]
        log = json.loads(texts["sarif"])
        jsonschema.Draft4Validator(SARIF).validate(log)
        results = log["runs"][0]["results"]
        assert len(results) == len(findings)
        assert [place_of(one) for one in results if "suppressions" not in one] == shown
        assert all(one["locations"] for one in results)
        entries = json.loads(texts["gitlab"])
        assert [(one["check_name"], one["location"]["lines"]["begin"]) for one in entries] == shown
        assert len({one["fingerprint"] for one in entries}) == len(entries)
        errors = ElementTree.fromstring(texts["checkstyle"]).iter("error")
        assert sorted((one.get("source"), int(one.get("line", ""))) for one in errors) == sorted(
            (f"nginxlint.{rule}", line) for rule, line in shown
        )
        cases = [
            case for case in ElementTree.fromstring(texts["junit"]).iter("testcase") if case.find("failure") is not None
        ]
        assert len(cases) == len(shown) + len(json.loads(texts["json"])["errors"])


def place_of(result: dict[str, object]) -> tuple[object, int]:
    locations: list[dict[str, dict[str, dict[str, int]]]] = result["locations"]  # type: ignore[assignment]
    return result["ruleId"], locations[0]["physicalLocation"]["region"]["startLine"]


def test_sarif_knows_the_rules_the_fixes_and_what_is_silenced(run: Run) -> None:
    tree()
    write(
        "nginx.conf", Path("nginx.conf").read_text().replace("add_header", "gzip_types text/html text/css; add_header")
    )
    write("loose.conf", "location /a { alias /b/; } # nginxlint: fixme[alias-traversal] - later (until 2099-12-31)\n")
    log = json.loads(run("check", "nginx.conf", "loose.conf", "-o", "sarif").out)["runs"][0]
    rules = log["tool"]["driver"]["rules"]
    for result in log["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    traversal = next(rule for rule in rules if rule["id"] == "alias-traversal")
    assert traversal["properties"]["security-severity"] == "8.0"
    assert "nginxlint: ignore[alias-traversal]" in traversal["help"]["markdown"]
    assert [one["suppressions"][0]["justification"] for one in log["results"] if "suppressions" in one] == ["later"]
    (fix,) = [one["fixes"][0] for one in log["results"] if "fixes" in one]
    (replacement,) = fix["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"]["startLine"] == replacement["deletedRegion"]["endLine"] == 4


def test_sarif_paths_are_relative_to_the_project_and_bytes_survive_in_them(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "else where"
    outside.mkdir()
    (outside / "a.conf").write_text("events {}\nhttp { server { location /a { alias /b/; } } }\n")
    write("nginx.conf", "events {}\nhttp { server { include b\xe9/*.conf; } }\n".encode("latin-1"))
    os.mkdir(b"b\xe9")
    Path(os.fsdecode(b"b\xe9"), "c.conf").write_text("location /a { alias /b/; }\n")
    log = json.loads(run("check", "nginx.conf", str(outside / "a.conf"), "-o", "sarif").out)["runs"][0]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in log["results"]]
    assert {"uri": "b%E9/c.conf", "uriBaseId": "SRCROOT"} in places
    (absolute,) = {place["uri"] for place in places if "uriBaseId" not in place}
    assert unquote(absolute) == f"file://{outside}/a.conf"
    assert unquote(log["originalUriBaseIds"]["SRCROOT"]["uri"]) == f"file://{os.getcwd()}/"


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_paths_are_those_of_the_project_in_a_job_that_works_in_a_folder_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, os.getcwd())
    write("deploy/web/nginx.conf", BAD)
    write("deploy/other.conf", BAD)
    os.chdir("deploy/web")
    reports = {
        name: run("check", "nginx.conf", "../other.conf", "-o", name).out for name in ("sarif", "gitlab", "github")
    }
    log = json.loads(reports["sarif"])["runs"][0]
    paths = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in log["results"]]
    assert sorted(path["uri"] for path in paths) == ["deploy/other.conf", "deploy/web/nginx.conf"]
    assert {path["uriBaseId"] for path in paths} == {"SRCROOT"}
    places = [one["location"]["path"] for one in json.loads(reports["gitlab"])]
    assert sorted(places) == ["deploy/other.conf", "deploy/web/nginx.conf"]
    assert "file=deploy/other.conf," in reports["github"]
    assert "file=deploy/web/nginx.conf," in reports["github"]


@pytest.mark.parametrize("format", ["sarif", "junit"])
def test_what_could_not_be_read_is_named(run: Run, format: str) -> None:
    os.mkfifo("fifo.conf")
    outcome = run("check", "fifo.conf", "-o", format)
    assert outcome.code == 3
    assert "not a regular file" in outcome.out


def test_junit_has_a_case_that_passes_where_nothing_is_wrong(run: Run) -> None:
    write("nginx.conf", "events {}\n")
    suite = ElementTree.fromstring(run("check", "nginx.conf", "-o", "junit").out)
    assert [len(case) for case in suite.iter("testcase")] == [0]
