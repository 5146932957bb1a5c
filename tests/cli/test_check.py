"""`nginxlint check`: exit codes, roots, selection, settings, suppressions, outputs."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import BAD, BROKEN, GOOD, REFUSED, Run, write

C = ("-o", "concise")


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (GOOD, (), 0),
        (BAD, (), 1),
        (BROKEN, (), 1),
        (REFUSED, (), 1),
        (BAD, ("--fail-on", "never"), 0),
        (BAD, ("--exit-zero",), 0),
        (BAD, ("--ignore", "alias-traversal"), 0),
        (BAD, ("--ignore", "security"), 0),
        (BAD, ("--select", "alias-traversal"), 1),
        (BAD, ("--select", "tls"), 0),
        (BAD, ("--select", "security", "--ignore", "alias-traversal"), 0),
        (BAD, ("--severity", "alias-traversal=warning"), 0),
        (BAD, ("--severity", "ALL=warning"), 0),
        (BAD, ("--severity", "ALL=warning", "--severity", "security=error"), 1),
        (BAD, ("--severity", "alias-traversal=warning", "--profile", "strict"), 1),
        (BAD, ("--severity", "alias-traversal=warning", "--fail-on", "warning"), 1),
        (REFUSED, ("--gate",), 1),
        (BROKEN, ("--select", "tls"), 1),
    ],
)
@pytest.mark.parametrize("format", ["full", "concise", "json", "github"])
def test_the_exit_code_is_the_documented_one_in_every_format(
    run: Run, text: str, words: tuple[str, ...], code: int, format: str
) -> None:
    write("nginx.conf", text)
    assert run("check", "nginx.conf", "-o", format, *words).code == code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fail_on", "error"), "did you mean --fail-on?"),
        (("--fail-on", "fatal"), "--fail-on"),
        (("--select", "alias-traversl"), 'unknown rule or group "alias-traversl" - did you mean "alias-traversal"?'),
        (("--ignore", "securty"), 'did you mean "security"?'),
        (("-o", "jsn"), "did you mean json?"),
        (("-o", "json", "-o", "full"), "only one output can go to standard output"),
        (("--map", "sites-enabled"), "write FROM=TO"),
        (("--root", "/no/such/folder"), "no such folder"),
        (("--context", "sever"), "unknown context"),
        (("--nginx-version", "latest"), "is not a version"),
        (("--severity", "alias-traversal=fatal"), "write RULE=error"),
        (("--severity", "alias-traversl=info"), 'did you mean "alias-traversal"?'),
        (("--dry-run", "--deny", "10.0.0.0/99"), 'allow or deny "10.0.0.0/99": write an address, a network'),
        (("--dry-run", "--deny", "10.*"), 'allow or deny "10.*": write an address, a network'),
        (("--config", "absent.toml"), "absent.toml"),
        (("--rules", "absent"), "no such folder"),
        (("--width", "3"), "20 or more"),
        (("--online", "--timeout", "soon"), "write seconds"),
        (("--online", "--resolve", "nonsense"), "--resolve nonsense"),
        (("--online", "--concurrency", "0"), "at least 1"),
        (("absent.conf",), "absent.conf: no such file or folder"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_sentence_and_no_report(run: Run, words: tuple[str, ...], message: str) -> None:
    write("nginx.conf", BAD)
    outcome = run("check", "nginx.conf", *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


CRASHES = (
    "from nginxlint import Rule\n\nclass Crashes(Rule):\n"
    '    id = "crashes"\n    def check(self, config):\n        raise ValueError("inside")\n'
)


def test_the_gate_knows_only_0_and_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", GOOD)
    assert run("check", "--gate", "absent.conf").code == 0
    assert run("check", "--gate", "--no-such-flag").code == 0
    monkeypatch.setenv("NGINXLINT_GATE", "1")
    assert run("check", "--no-such-flag").code == 0
    write("bad.conf", REFUSED)
    assert run("check", "bad.conf").code == 1
    write("lint/crashes.py", CRASHES)
    assert run("check", "bad.conf", "--rules", "lint").code == 1
    monkeypatch.delenv("NGINXLINT_GATE")
    write("dangling/nginx.conf", "include loop.conf;\n" + GOOD)
    os.symlink("loop.conf", "dangling/loop.conf")
    assert run("check", "--gate", "dangling").code in (0, 1)


def test_a_file_that_cannot_be_read_makes_the_run_incomplete(run: Run) -> None:
    write("nginx.conf", "include parts/*.conf;\n" + GOOD)
    write("parts/big.conf", b"")
    os.truncate("parts/big.conf", 100 * 1024 * 1024)  # sparse: nothing is written
    outcome = run("check", "nginx.conf", "--ignore", "include-missing")
    assert outcome.code == 3
    assert "analysis is incomplete: 1 of 2 files could not be read (parts/big.conf: larger than 64 MiB)" in outcome.out
    assert "No problems" not in outcome.out
    report = json.loads(run("check", "nginx.conf", "-o", "json", "--ignore", "include-missing").out)
    assert report["run"]["complete"] is False
    assert report["errors"] == [
        {
            "path": "parts/big.conf",
            "message": "larger than 64 MiB",
            "included_at": {"path": "nginx.conf", "line": 1},
        }
    ]


def test_a_finding_beats_incompleteness(run: Run) -> None:
    write("nginx.conf", "include parts/*.conf;\n" + BAD)
    os.makedirs("parts/dir.conf")
    assert run("check", "nginx.conf").code == 1


def test_every_path_is_a_root_unless_another_root_includes_it(run: Run) -> None:
    write("a/nginx.conf", BAD)
    write("b/nginx.conf", BAD)
    write("b/conf.d/app.conf", "location /img { alias /srv/img/; }\n")
    write("b/nginx.conf", "events {}\nhttp { server { include conf.d/*.conf; } }\n")
    outcome = run("check", *C, "a/nginx.conf", "b/nginx.conf", "b/conf.d/app.conf")
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["a/nginx.conf", "b/conf.d/app.conf"]
    report = json.loads(run("check", "-o", "json", "a/nginx.conf", "b/conf.d/app.conf", "b/nginx.conf").out)
    assert [finding["root"] for finding in report["findings"]] == ["a/nginx.conf", "b/nginx.conf"]


def test_a_folder_without_nginx_conf_is_searched_for_roots(run: Run) -> None:
    write("sites/conf.d/one.conf", "server { location /a { alias /srv/a/; } include snippets/b.conf; }\n")
    write("sites/conf.d/snippets/b.conf", "location /b { alias /srv/b/; }\n")
    outcome = run("check", *C, "sites")
    assert sorted(line.split(":")[0] for line in outcome.out.splitlines()) == [
        "sites/conf.d/one.conf",
        "sites/conf.d/snippets/b.conf",
    ]


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        ("location /img { alias /d/img/; }\n", (), "server"),
        ("server { listen 80; }\n", (), "http"),
        ("upstream a { server 127.0.0.1; }\n", ("--context", "stream"), "stream"),
        ("# nginxlint: context location\nadd_header X 1;\n", (), "location"),
        ("text/html html htm;\napplication/x-old old;\n", (), "types"),
        ("default 0;\n10.0.0.0/8 1;\nfd00::/8 1;\n", (), "geo"),
        ("default 0;\n/old /new;\n~^/blog/(?<slug>.+) /articles/$slug;\n", (), "map"),
        ("example.com 1;\n*.example.org 1;\n", (), "map"),
        ("10.0.0.1 1;\nserverr_name a.test;\n", (), "http"),
    ],
)
def test_the_context_of_a_snippet_is_found_and_stated(
    run: Run, text: str, words: tuple[str, ...], context: str
) -> None:
    write("part.conf", text)
    report = json.loads(run("check", "-o", "json", "part.conf", *words).out)
    assert [row["context"] for row in report["run"]["contexts"]] == [context]
    if not words and "context" not in text:
        assert f"part.conf: taken as {context} context" in run("check", "part.conf").out


def test_a_comment_on_the_context_of_a_snippet_is_read_as_it_is_meant(run: Run) -> None:
    for comment, context in (
        ("stream, server \r", "stream_server"),
        ("mail,server", "mail_server"),
        ("http,server", "server"),
    ):
        write("part.conf", f"# nginxlint: context {comment}\nlisten 80;\n")
        report = json.loads(run("check", "-o", "json", "part.conf").out)
        assert [row["context"] for row in report["run"]["contexts"]] == [context]
    write("part.conf", "# nginxlint: context sever\nlisten 80;\n")
    assert run("check", ".").err.startswith("nginxlint: part.conf: unknown context 'sever': one of main, ")


def test_a_misspelt_rule_in_a_comment_is_told_what_it_may_be(run: Run) -> None:
    write("nginx.conf", GOOD.replace("listen", "# nginxlint: ignore[alias_traversl] - by hand\n listen"))
    assert "help: did you mean alias-traversal?" in run("check", "nginx.conf").out


def test_a_date_that_is_not_at_the_end_of_a_comment_is_not_passed_over(run: Run) -> None:
    comment = "# nginxlint: ignore[alias-traversal] - by hand (until 2020-01-01), see the wiki"
    write("nginx.conf", BAD.replace("location", f"{comment}\n location"))
    outcome = run("check", *C, "nginx.conf")
    assert (outcome.code, sorted(outcome.rules)) == (1, ["alias-traversal", "suppression-invalid"])


def test_the_servers_of_a_group_in_a_file_of_their_own_need_no_name(run: Run) -> None:
    write("peers.conf", "server 10.0.0.1:80 backup;\nserver app.example.com:80 resolve backup;\n")
    for words in ((), ("--context", "stream_upstream")):
        assert run("check", "-o", "concise", "peers.conf", *words).rules == []


def test_standard_input_is_named_as_the_user_wants(run: Run) -> None:
    outcome = run("check", "-", *C, "--stdin-filename", "etc/site.conf", stdin=BAD.encode())
    assert outcome.out.startswith("etc/site.conf:5:")
    assert run("check", "-", *C, stdin=BAD.encode()).out.startswith("<stdin>:5:")


def test_a_dump_keeps_paths_and_line_numbers(run: Run) -> None:
    main = "events {}\nhttp { include conf.d/*.conf; }\n"
    site = "server {\n\n    location /img { alias /d/img/; }\n}\n"
    dump = (
        f"# configuration file /etc/nginx/nginx.conf:\n{main}\n# configuration file /etc/nginx/conf.d/a.conf:\n{site}\n"
    )
    write("dump.txt", dump)
    for words, stdin in ((("dump.txt",), b""), (("-",), dump.encode())):
        assert run("check", *C, *words, stdin=stdin).out.startswith(
            "/etc/nginx/conf.d/a.conf:3:14: error[alias-traversal]"
        )


def test_a_copied_tree_is_read_below_its_root(run: Run) -> None:
    write("copy/etc/nginx/nginx.conf", "events {}\nhttp { include /etc/other/*.conf; }\n")
    write("copy/etc/other/a.conf", "server { location /img { alias /d/img/; } }\n")
    assert run("check", *C, "--root", "copy", "copy/etc/nginx/nginx.conf").rules == ["alias-traversal"]


def test_a_path_of_the_machine_is_looked_up_in_the_copied_tree(run: Run) -> None:
    write("copy/etc/nginx/nginx.conf", "events {}\nhttp { include site.conf; }\n")
    write("copy/etc/nginx/site.conf", "server { location /img { alias /d/img/; } }\n")
    for path in ("/etc/nginx/nginx.conf", "/etc/nginx"):
        result = run("check", *C, "--root", "copy", path)
        assert result.rules == ["alias-traversal"]
        assert result.out.startswith("copy/etc/nginx/site.conf:1:19: ")
    assert run("check", *C, "--root", "copy").out.startswith("copy/etc/nginx/site.conf:1:19: ")


def test_a_limit_of_a_snippet_may_have_its_status_elsewhere(run: Run) -> None:
    write("site.conf", "server { location / { limit_req zone=one; } }\n")
    assert run("check", *C, "--select", "limit-status-503", "site.conf").rules == []


def test_a_map_says_where_included_files_are(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp { include sites-enabled/*; }\n")
    write("sites-available/a", "server { location /img { alias /d/img/; } }\n")
    assert run("check", *C, "--map", "sites-enabled=sites-available", "nginx.conf").rules == ["alias-traversal"]


def test_one_finding_for_a_file_included_by_many_servers(run: Run) -> None:
    servers = "".join(f"    server {{ listen {port}; server_name s{port}; include part; }}\n" for port in range(81, 93))
    write("nginx.conf", f"events {{}}\nhttp {{\n{servers}}}\n")
    write("part", "location /img { alias /d/img/; }\n")
    outcome = run("check", "nginx.conf", "--select", "alias-traversal")
    assert outcome.out.count("error[alias-traversal]") == 1
    assert "seen in 12 servers, for example s81:81, s82:82, s83:83" in outcome.out
    report = json.loads(run("check", "nginx.conf", "-o", "json", "--select", "alias-traversal").out)
    assert report["findings"][0]["occurrences"] == 12
    assert len(report["findings"][0]["seen_in"]) == 12


def test_settings_are_found_upwards_and_flags_beat_them(run: Run) -> None:
    write("nginxlint.toml", 'ignore = ["alias-traversal"]\n')
    write("deep/er/nginx.conf", BAD)
    assert run("check", "deep/er").code == 0
    assert run("check", "deep/er", "--no-config").code == 1
    assert run("check", "deep/er", "--ignore", "tls").code == 1
    write("other/nginxlint.toml", "ignore = []\n")
    assert run("check", "-", stdin=BAD.encode()).code == 0
    assert run("check", "-", "--stdin-filename", "other/nginx.conf", stdin=BAD.encode()).code == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ignore = []\n\nfail_on = "error"\n', 'nginxlint.toml:3: unknown key "fail_on" - did you mean "fail-on"?'),
        ('fail-on = "fatal"\n', 'nginxlint.toml:1: "fail-on" is one of'),
        ("select = 3\n", 'nginxlint.toml:1: "select" has to be a list'),
        ("select = [\n", "nginxlint.toml: "),
        ('select = ["alias-traversl"]\n', 'did you mean "alias-traversal"?'),
        ("[rules.alias-traversl]\nx = 1\n", 'did you mean "alias-traversal"?'),
        ("[rules.alias-traversal]\nx = 1\n", 'has no option "x"'),
        ('[severity]\nalias-traversal = "bad"\n', "nginxlint.toml:2: the severity"),
        ("[online]\nconcurency = 3\n", 'unknown key "online.concurency" - did you mean "concurrency"?'),
        ('nginx-version = "new"\n', "is not a version"),
        ("[online]\nresolve = [{ a = 1 }]\n", 'nginxlint.toml:2: "online.resolve" has to be a list of texts'),
        ("[online]\ndeny = [10]\n", 'nginxlint.toml:2: "online.deny" has to be a list of texts'),
        ("[online]\nconcurrency = true\n", 'nginxlint.toml:2: "online.concurrency" has to be a number'),
        ("[plugins]\npaths = [1]\n", 'nginxlint.toml:2: "plugins.paths" has to be a list of texts'),
        ('[plugins]\npath = ["x"]\n', 'nginxlint.toml:2: unknown key "plugins.path" - did you mean "paths"?'),
        (
            'ignore = [\n    "securty",\n]\n',
            'nginxlint.toml:2: unknown rule or group "securty" - did you mean "security"?',
        ),
        ('[severity]\nsecurty = "info"\n', 'nginxlint.toml:2: unknown rule or group "securty"'),
        ('root = "absent"\n', "absent: no such folder"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(run: Run, text: str, message: str) -> None:
    write("nginxlint.toml", text)
    write("nginx.conf", BAD)
    outcome = run("check", "nginx.conf")
    assert outcome.code == 2
    assert message in outcome.err


def test_the_environment_stands_between_flags_and_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", BAD)
    write("nginxlint.toml", 'fail-on = "error"\n')
    monkeypatch.setenv("NGINXLINT_FAIL_ON", "never")
    assert run("check", "nginx.conf").code == 0
    assert run("check", "nginx.conf", "--fail-on=error").code == 1
    monkeypatch.setenv("NGINXLINT_FAIL_ON", "nonsense")
    assert run("check", "nginx.conf").code == 2


def test_a_comment_with_a_reason_silences_and_stays_in_json(run: Run) -> None:
    text = BAD.replace("{ alias", "{ # nginxlint: ignore[alias-traversal] - made by hand (until 2099-01-31)\n alias")
    write("nginx.conf", text)
    outcome = run("check", "nginx.conf")
    assert outcome.code == 0, outcome.out
    assert "1 finding suppressed by comments" in outcome.out
    report = json.loads(run("check", "nginx.conf", "-o", "json").out)
    assert report["findings"][0]["suppressed"] == {"reason": "made by hand", "until": "2099-01-31", "fixme": False}
    assert report["summary"]["suppressed"] == 1
    assert run("check", "nginx.conf", "--no-suppressions").code == 1


def test_reports_go_to_files_and_one_to_standard_output(run: Run) -> None:
    write("nginx.conf", BAD)
    outcome = run("check", "nginx.conf", "-o", "json:out.json", "-o", "github:out.txt", *C)
    assert outcome.rules == ["alias-traversal"]
    assert json.loads(Path("out.json").read_text())["summary"]["error"] == 1
    assert Path("out.txt").read_text().startswith("::error file=nginx.conf,line=5,endLine=5,col=18,endColumn=22,")
    assert [name for name in os.listdir() if name.endswith(".tmp")] == []


def test_a_report_that_cannot_be_written_is_wrong_use(run: Run) -> None:
    write("nginx.conf", BAD)
    outcome = run("check", "nginx.conf", "-o", "json:no/such/folder/out.json")
    assert outcome.code == 2
    assert "the report cannot be written to no/such/folder/out.json" in outcome.err


def test_a_report_file_that_cannot_be_replaced_is_written_into(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker run -v $PWD/report.json:/report.json`: a mounted file is busy."""
    write("nginx.conf", BAD)
    write("report.json", "x" * 100_000)

    def busy(source: str, target: str) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), target)

    monkeypatch.setattr(os, "replace", busy)
    assert run("check", "nginx.conf", "-o", "json:report.json").code == 1
    assert json.loads(Path("report.json").read_text())["summary"]["error"] == 1
    assert sorted(os.listdir()) == [".git", "nginx.conf", "report.json"]
    assert run("check", "nginx.conf", "-o", "json:new.json").code == 2


def test_github_actions_get_annotations_without_being_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", BAD)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    outcome = run("check", "nginx.conf")
    assert "error[alias-traversal]" in outcome.out
    assert "\n::error file=nginx.conf," in outcome.out


def test_a_hook_reports_only_on_the_staged_files_but_reads_the_tree(run: Run) -> None:
    write("nginx/nginx.conf", "events {}\nhttp { include conf.d/*.conf; }\n")
    write("nginx/conf.d/a.conf", "server { listen 81; location /a { alias /srv/a/; } }\n")
    write("nginx/conf.d/b.conf", "server { listen 82; location /b { alias /srv/b/; } }\n")
    write("nginx/sites-available/c.conf", "server { listen 83; location /c { alias /srv/c/; } }\n")
    outcome = run("check", "--hook", *C, "nginx/conf.d/b.conf")
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["nginx/conf.d/b.conf"]
    outcome = run("check", "--hook", *C, "nginx/conf.d/a.conf", "nginx/sites-available/c.conf")
    assert sorted(line.split(":")[0] for line in outcome.out.splitlines()) == [
        "nginx/conf.d/a.conf",
        "nginx/sites-available/c.conf",
    ]


def test_what_is_found_in_files_nobody_asked_about_is_counted(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp { include conf.d/*.conf; }\n")
    write("conf.d/a.conf", "server { listen 81; location /a { alias /srv/a/; } }\n")
    write("conf.d/b.conf", "server { listen 82; }\n")
    for words in (("--hook", "conf.d/b.conf"), ("nginx.conf", "--exclude", "a.conf")):
        outcome = run("check", *words)
        assert (outcome.code, "No problems" in outcome.out) == (0, False)
        assert "1 finding in other files, which --hook or --exclude leaves out" in outcome.out
    assert "No problems" in run("check", "--hook", "conf.d/b.conf", "--ignore", "security").out


def test_excluded_files_are_not_reported(run: Run) -> None:
    write("conf.d/a.conf", "server { location /a { alias /srv/a/; } }\n")
    write("conf.d/old/b.conf", "server { location /b { alias /srv/b/; } }\n")
    outcome = run("check", *C, "--exclude", "conf.d/old/**", "conf.d")
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["conf.d/a.conf"]


def test_what_the_settings_exclude_is_left_out_wherever_we_are(run: Run) -> None:
    write("a[b]/nginxlint.toml", 'exclude = ["legacy/**"]\n')
    write("a[b]/legacy/nginx.conf", BAD)
    write("a[b]/deep/legacy/nginx.conf", BAD)
    for folder, path in ((".", "a[b]/"), ("a[b]", ""), ("deep", "../")):
        os.chdir(folder)
        assert run("check", *C, f"{path}legacy/nginx.conf").code == 0
        assert run("check", *C, f"{path}deep/legacy/nginx.conf").code == 1


def test_the_target_version_is_stated(run: Run) -> None:
    write("nginx.conf", BAD)
    assert "judged for nginx 1.20.0 (--nginx-version)" in run("check", "nginx.conf", "--nginx-version", "1.20").out
    report = json.loads(run("check", "nginx.conf", "-o", "json").out)
    assert report["run"]["nginx_version_origin"] == "the newest known"


def test_a_folder_of_own_rules_is_used(run: Run) -> None:
    write("nginx.conf", GOOD)
    write(
        "lint/no_204.py",
        "from collections.abc import Iterator\nfrom nginxlint import Bad, Diagnostic, Directive, Good, Rule\n\n"
        'class No204(Rule):\n    """Own."""\n    id = "no-204"\n    directives = ("return",)\n'
        "    def check_directive(self, found: Directive) -> Iterator[Diagnostic]:\n"
        '        yield self.report(found, "do not")\n',
    )
    assert run("check", *C, "nginx.conf", "--rules", "lint").rules == ["no-204"]


def test_a_crash_in_one_rule_leaves_the_others_and_is_exit_code_4(run: Run, tmp_path: Path) -> None:
    write("nginx.conf", BAD)
    write("lint/crashes.py", CRASHES)
    outcome = run("check", *C, "nginx.conf", "--rules", "lint")
    assert outcome.code == 4
    assert outcome.rules == ["alias-traversal"]
    assert "the rule crashes" in outcome.err
    assert "Traceback" not in outcome.err
    notes = list((tmp_path / "state" / "nginxlint").iterdir())
    assert "ValueError: inside" in notes[0].read_text()
    assert str(notes[0]) in outcome.err


def test_a_rule_that_ends_the_program_is_no_success(run: Run) -> None:
    write("nginx.conf", GOOD)
    write("lint/ends.py", CRASHES.replace('raise ValueError("inside")', "raise SystemExit(0)"))
    assert run("check", *C, "nginx.conf", "--rules", "lint").code == 4
    write("lint/ends.py", "import sys\nsys.exit(0)\n")
    outcome = run("check", *C, "nginx.conf", "--rules", "lint")
    assert (outcome.code, outcome.err) == (
        2,
        "nginxlint: the rule file lint/ends.py cannot be loaded: it ends the program\n",
    )


def test_timings_and_statistics_go_to_standard_error(run: Run) -> None:
    write("nginx.conf", BAD)
    outcome = run("check", *C, "nginx.conf", "--timings", "--statistics", "-v")
    assert outcome.rules == ["alias-traversal"]
    assert "1 alias-traversal" in outcome.err
    assert "read and parse" in outcome.err
    assert "root: nginx.conf (whole configuration)" in outcome.err


def test_without_path_the_nearest_configuration_is_checked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", BAD)
    assert run("check", *C).out.startswith("nginx.conf:5:")
    os.makedirs("conf.d")
    monkeypatch.chdir("conf.d")
    assert run("check", *C).out.startswith("../nginx.conf:5:")


def test_a_plan_is_exported_run_and_judged(run: Run) -> None:
    write(
        "nginx.conf",
        GOOD.replace("return 204;", "proxy_set_header Host $host; location / { proxy_pass http://127.0.0.1:1; }"),
    )
    assert run("check", "--export-plan", "plan.json", "nginx.conf").code == 0
    ran = run("check", "--run-plan", "plan.json")
    assert ran.code == 0
    write("seen.json", ran.out)
    judged = run("check", "--judge", "seen.json", "nginx.conf", "-o", "concise")
    assert (judged.code, judged.rules) == (1, ["upstream-refused"])
    piped = run("check", "--judge", "-", "nginx.conf", "-o", "concise", stdin=ran.out.encode())
    assert piped.rules == ["upstream-refused"]


@pytest.mark.parametrize("words", [("--run-plan", "no.json"), ("--judge", "no.json", "nginx.conf")])
def test_a_plan_or_recording_that_is_not_there_is_wrong_use(run: Run, words: tuple[str, ...]) -> None:
    write("nginx.conf", GOOD)
    outcome = run("check", *words)
    assert outcome.code == 2
    assert f"{words[0]} no.json: no such file" in outcome.err


def test_offline_forbids_to_run_a_plan(run: Run) -> None:
    assert run("check", "--offline", "--run-plan", "plan.json").code == 2
