"""The report formats on hostile and ordinary findings."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import jsonschema
import pytest

from nginxlint.reports.text import Style, visible, width_of, wrapped
from tests.cli.conftest import Outcome, Run, run, write

__all__ = ["run"]  # the fixture

SCHEMA = json.loads((Path(__file__).parents[2] / "nginxlint" / "reports" / "schema.json").read_text())
GOLDEN = Path(__file__).parents[1] / "golden"

NGINX = """\
events {}
http {
    upstream backend { server 10.0.0.11:8080; }
    add_header X-Frame-Options SAMEORIGIN;
    include conf.d/*.conf;
}
"""
SITE = """\
server {{
    listen 80;
    server_name app.example.com www.example.com;

    location /static {{
\talias /var/www/static/;
    }}

    location /img {{ alias /srv/img/; }} # {{}} both on one line
    location /long {{ set $a "{}"; alias /srv/long/; set $b "{}"; }}
    location ~ \\.php$ {{ retrun 204; }}
}}
""".format("x" * 90, "y" * 90)


def tree() -> None:
    write("nginx.conf", NGINX)
    write("conf.d/app.conf", SITE)


def stable(text: str) -> str:
    """Without what differs from run to run."""
    return re.sub(r" in \d+\.\d s,", " in 0.0 s,", text)


def full(run: Run, *words: str) -> str:
    return stable(run("check", "--select", "alias-traversal,directive-unknown", "nginx.conf", *words).out)


@pytest.mark.parametrize("width", [60, 100, 140])
@pytest.mark.parametrize("colour", ["never", "always"])
def test_the_full_report_is_the_golden_one(run: Run, width: int, colour: str) -> None:
    tree()
    text = full(run, "--width", str(width), "--color", colour)
    golden = GOLDEN / f"full-{width}-{colour}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
    if colour == "never":
        code = [line for line in text.splitlines() if re.match(r" *\d* \|", line)]
        assert max(map(width_of, code)) <= width


def test_carets_stand_under_what_they_mark(run: Run) -> None:
    tree()
    lines = full(run, "--width", "100").splitlines()
    for number, line in enumerate(lines):
        if marks := re.match(r"( *\| *)(\^+)", line):
            above = lines[number - 1]
            start, end = marks.start(2), marks.end(2)
            if "…" not in above and "x" * 20 not in above:
                assert above[start:end] in ("/static", "/img", "/long", "retrun", "retrun 204")


def test_colour_follows_the_flags_and_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tree()
    assert "\x1b[" not in full(run)
    assert "\x1b[" in full(run, "--color", "always")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in full(run)
    assert "\x1b[" not in full(run, "--color", "never")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in full(run)
    plain = full(run)
    monkeypatch.delenv("NO_COLOR")
    assert re.sub(r"\x1b\[[0-9;]*m", "", full(run)) == plain


def documents(run: Run) -> list[Outcome]:
    """Reports of all kinds of runs."""
    tree()
    found = [run("check", "nginx.conf", "-o", "json")]
    write("hostile.conf", b'server_name \x1b[31m\xff\xe2\x80\xae; location /caf\xe9 { alias /x/; } }}} "')
    found.append(run("check", "hostile.conf", "-o", "json"))
    write("empty.conf", b"")
    found.append(run("check", "empty.conf", "-o", "json"))
    os.mkfifo("fifo")
    found.append(run("check", "fifo", "-o", "json"))
    write("loose.conf", "location /a { alias /b/; } # nginxlint: fixme[alias-traversal] - later (until 2099-12-31)\n")
    found.append(run("check", "loose.conf", "hostile.conf", "nginx.conf", "-o", "json"))
    write("online.conf", "events {}\nhttp { server { location / { proxy_pass http://127.0.0.1:1; } } }\n")
    found.append(run("check", "online.conf", "-o", "json", "--online", "--timeout", "2"))
    return found


def test_every_json_report_follows_the_schema(run: Run) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    reports = [json.loads(outcome.out) for outcome in documents(run)]
    for report in reports:
        jsonschema.validate(report, SCHEMA)
        prints = [finding["fingerprint"] for finding in report["findings"]]
        assert len(prints) == len(set(prints))
    assert any(report["targets"] for report in reports)
    assert any(finding["suppressed"] for report in reports for finding in report["findings"])


def test_the_schema_refuses_what_is_not_a_report(run: Run) -> None:
    tree()
    report = json.loads(run("check", "nginx.conf", "-o", "json").out)
    report["findings"][0]["severity"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, SCHEMA)


def test_bytes_and_columns_name_the_same_place(run: Run) -> None:
    write("nginx.conf", "# ünïcode ☃\nevents {}\nhttp { server { # é\n\tlocation /ä { alias /d/; }\n} }\n")
    report = json.loads(run("check", "nginx.conf", "--select", "alias-traversal", "-o", "json").out)
    place = report["findings"][0]["location"]
    data = Path("nginx.conf").read_bytes()
    assert data[place["byte_start"] : place["byte_end"]].decode() == "/ä"
    line = data.decode().split("\n")[place["line"] - 1]
    assert line[place["column"] - 1 : place["end_column"] - 1] == "/ä"


def test_a_fingerprint_stays_when_lines_move_and_differs_between_twins(run: Run) -> None:
    server = "server { listen %d; location /a { alias /b/; } location /a { alias /b/; } }\n"
    write("nginx.conf", f"events {{}}\nhttp {{ {server % 80} }}\n")
    words = ("check", "nginx.conf", "--select", "alias-traversal", "-o", "json")
    before = [finding["fingerprint"] for finding in json.loads(run(*words).out)["findings"]]
    write("nginx.conf", f"\n\n\nevents {{}}\n# more\nhttp {{\n\n {server % 80} }}\n")
    after = [finding["fingerprint"] for finding in json.loads(run(*words).out)["findings"]]
    assert before == after
    assert len(set(before)) == 2


def test_annotations_are_sorted_by_severity_and_escaped(run: Run) -> None:
    write(
        "nginx.conf", "events {}\nhttp { server { location /a%b { alias /c,d/; }\n location = /x { alias /y\n/; } } }\n"
    )
    outcome = run("check", "nginx.conf", "-o", "github", "--profile", "strict", "--min-confidence", "low")
    lines = outcome.out.splitlines()
    assert lines
    levels = [line.split(" ")[0] for line in lines]
    assert levels == sorted(levels, key=["::error", "::warning", "::notice"].index)
    for line in lines:
        assert re.match(
            r"::(error|warning|notice) file=nginx\.conf,line=\d+,endLine=\d+(,col=\d+,endColumn=\d+)?,title=", line
        )
        assert "\r" not in line
    assert any("/a%25b" in line for line in lines)


def test_columns_are_left_out_of_annotations_over_several_lines(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp {\n retrun\n  204;\n}\n")
    line = run("check", "nginx.conf", "-o", "github").out.splitlines()[0]
    start, end = re.search(r"line=(\d+),endLine=(\d+)", line).groups()  # type: ignore[union-attr]
    assert ("col=" in line) == (start == end)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("über", "über"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\u202eab", "\\u202eab"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("a\tb\nc\r", "a\\tb\\nc\\r"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\U000e0041", "\\ue0041"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_wide_characters_take_two_columns() -> None:
    assert width_of("日本") == 4
    assert width_of("e\u0301") == 1


def test_text_is_broken_at_blanks_only() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("incomprehensibilities x", 5) == ["incomprehensibilities", "x"]
    assert wrapped("", 5) == [""]


def test_ascii_style_keeps_every_mark() -> None:
    assert Style(unicode=False).final("a › b … ü") == "a > b ... \\xfc"


def test_the_golden_files_are_all_used() -> None:
    names = {f"full-{width}-{colour}.txt" for width in (60, 100, 140) for colour in ("never", "always")}
    assert {path.name for path in GOLDEN.iterdir()} == names, sys.path


@pytest.mark.parametrize("format", ["full", "concise", "github", "json"])
def test_every_format_names_what_could_not_be_read(run: Run, format: str) -> None:
    os.mkfifo("fifo.conf")
    outcome = run("check", "fifo.conf", "-o", format)
    assert outcome.code == 3
    assert "fifo.conf" in outcome.out
    assert "not a regular file" in outcome.out


def test_a_deeply_nested_place_is_shown_by_its_ends(run: Run) -> None:
    with open("nginx.conf", "w", encoding="utf-8") as file:
        file.write("http {\nserver {\n" + "location /a {\n" * 500)
    outcome = run("check", "nginx.conf")
    assert outcome.out.count("›") < 12
