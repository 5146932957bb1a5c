"""`nginxlint check --fix` and `--diff`: what is mended, what is left alone, and how files are written."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nginxlint.cli import fix
from nginxlint.error import NginxlintError
from nginxlint.result import Request
from nginxlint.result import Run as Result
from tests.cli.conftest import Run, write

# One safe fix (text/html), two unsafe ones.
FAULTY = """events {}
http {
    server {
        listen 80;
        gzip_types text/html text/css;  # caf\xe9
        location api/ { return 404; }
        location /img { alias /srv/img/; }
    }
}
"""
SAFE = FAULTY.replace("text/html ", "")
MENDED = SAFE.replace("api/", "/api/").replace("/img {", "/img/ {")


def test_only_safe_fixes_are_made_unless_others_are_asked_for(run: Run) -> None:
    write("nginx.conf", FAULTY)
    outcome = run("check", "nginx.conf", "--fix", "-o", "concise")
    assert Path("nginx.conf").read_text() == SAFE
    assert "mended 1 finding in 1 file" in outcome.err
    assert "2 fixes may change more than the fault: --unsafe-fixes" in outcome.err
    assert outcome.rules == ["location-no-slash", "alias-traversal"]
    outcome = run("check", "nginx.conf", "--fix", "--unsafe-fixes", "-o", "concise")
    assert Path("nginx.conf").read_text() == MENDED
    assert (outcome.code, outcome.out) == (0, "")


def test_what_comments_silence_is_left_as_it_is(run: Run) -> None:
    silenced = FAULTY.replace("        gzip", "        # nginxlint: ignore[value-duplicate] - as it was\n        gzip")
    write("nginx.conf", silenced)
    run("check", "nginx.conf", "--fix")
    assert Path("nginx.conf").read_text() == silenced


def test_a_diff_writes_nothing_and_gives_the_same_when_it_is_applied(run: Run) -> None:
    content = FAULTY.encode("latin-1").replace(b"\n", b"\r\n").rstrip()
    Path("nginx.conf").write_bytes(content)
    command = [sys.executable, "-m", "nginxlint", "check", "nginx.conf", "--unsafe-fixes"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    diff = subprocess.run([*command, "--diff"], capture_output=True, check=False, env=environment)
    assert (diff.returncode, Path("nginx.conf").read_bytes()) == (1, content)
    assert b"would mend 3 findings in 1 file" in diff.stderr
    assert (
        subprocess.run(
            [*command, "--diff", "--exit-zero"], capture_output=True, check=False, env=environment
        ).returncode
        == 0
    )
    subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn"], input=diff.stdout, check=True)
    applied = Path("nginx.conf").read_bytes()
    Path("nginx.conf").write_bytes(content)
    subprocess.run([*command, "--fix"], capture_output=True, check=True, env=environment)
    assert Path("nginx.conf").read_bytes() == applied
    assert applied == MENDED.encode("latin-1").replace(b"\n", b"\r\n").rstrip()
    clean = subprocess.run([*command, "--diff"], capture_output=True, check=False, env=environment)
    assert (clean.returncode, clean.stdout) == (0, b"")


def test_a_file_keeps_its_rights_and_the_link_that_leads_to_it(run: Run) -> None:
    write("available.conf", FAULTY)
    os.chmod("available.conf", 0o640)
    os.symlink("available.conf", "nginx.conf")
    run("check", "nginx.conf", "--fix")
    assert os.readlink("nginx.conf") == "available.conf"
    assert Path("available.conf").read_text() == SAFE
    assert os.stat("available.conf").st_mode & 0o777 == 0o640
    assert sorted(os.listdir()) == [".git", "available.conf", "nginx.conf"]


def test_a_file_that_is_included_elsewhere_too_is_mended_only_where_all_places_agree(run: Run) -> None:
    sites = "server { listen 80; location /img { include img.conf; } }\nserver { listen 80; location %s { include img.conf; } }\n"
    write("img.conf", "alias /srv/img/;\n")
    write("nginx.conf", "events {}\nhttp { include sites.conf; }\n")
    write("sites.conf", sites % "/other/")
    outcome = run("check", "nginx.conf", "--fix", "--unsafe-fixes")
    assert Path("img.conf").read_text() == "alias /srv/img/;\n"
    assert "location /img/ {" in Path("sites.conf").read_text()
    assert outcome.code == 0


def test_files_that_are_left_out_are_not_touched(run: Run) -> None:
    write("img.conf", "location /img { alias /srv/img/; }\n")
    write(
        "nginx.conf", "events {}\nhttp { server { listen 80; include img.conf; location /doc { alias /srv/doc/; } } }\n"
    )
    words = ("--fix", "--unsafe-fixes", "--select", "alias-traversal")
    run("check", "nginx.conf", "--exclude", "img.conf", *words)
    assert Path("img.conf").read_text() == "location /img { alias /srv/img/; }\n"
    assert "location /doc/ {" in Path("nginx.conf").read_text()
    write(
        "nginx.conf", "events {}\nhttp { server { listen 80; include img.conf; location /doc { alias /srv/doc/; } } }\n"
    )
    run("check", "--hook", "img.conf", *words)
    assert Path("img.conf").read_text() == "location /img/ { alias /srv/img/; }\n"
    assert "location /doc {" in Path("nginx.conf").read_text()


PLUGIN = """from nginxlint import Bad, Fix, Good, Rule, replace


class Harmful(Rule):
    \"\"\"Its fix is wrong.\"\"\"

    id = "harmful"
    group = "style"
    directives = ("listen",)
    examples = (Bad("server { listen 80; } # here"), Good(""))

    def check(self, config):
        for listen in config.find("listen"):
            if listen.values == ("80",):
                yield self.report(listen, "no", Fix("x", (replace(listen.args[0].span, "80 nonsense"),), safe=True))
"""


def test_a_fix_that_brings_in_an_error_is_left_out_and_the_others_are_made(run: Run) -> None:
    os.mkdir("rules")
    write("rules/harmful.py", PLUGIN)
    write("nginx.conf", FAULTY)
    outcome = run("check", "nginx.conf", "--fix", "--rules", "rules")
    assert Path("nginx.conf").read_text() == SAFE
    assert "nginx.conf:4: harmful: it would bring in an error" in outcome.err


@pytest.mark.parametrize(
    "words",
    [("-", "--fix"), ("dump.txt", "--diff"), ("nginx.conf", "--fix", "--online"), ("nginx.conf", "--unsafe-fixes")],
    ids=" ".join,
)
def test_what_cannot_be_mended_is_said(run: Run, words: tuple[str, ...]) -> None:
    write("nginx.conf", FAULTY)
    write("dump.txt", f"# configuration file /etc/nginx/nginx.conf:\n{FAULTY}\n")
    outcome = run("check", *words, stdin=FAULTY.encode())
    assert outcome.code == 2
    assert "--fix and --diff" in outcome.err
    assert Path("nginx.conf").read_text() == FAULTY


def changes(**texts: str) -> fix.Fixes:
    fixes = fix.Fixes(Result(Request()))
    fixes.files = {os.path.realpath(name): (b"old", text.encode()) for name, text in texts.items()}
    return fixes


def test_a_file_that_has_changed_in_the_meantime_keeps_all_files_from_being_written(run: Run) -> None:
    write("a", "old")
    write("b", "newer")
    with pytest.raises(NginxlintError, match="has changed since it was read"):
        fix.write(changes(a="new", b="new"))
    assert [Path(name).read_text() for name in ("a", "b")] == ["old", "newer"]
    assert sorted(os.listdir()) == [".git", "a", "b"]


def test_where_one_file_cannot_be_written_none_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a", "old")
    write("b", "old")
    replace = os.replace

    def fail(source: str, target: str) -> None:
        if target.endswith("/b"):
            raise OSError(28, "No space left on device", target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(NginxlintError, match="b cannot be written: no space left on device"):
        fix.write(changes(a="new", b="new"))
    assert [Path(name).read_text() for name in ("a", "b")] == ["old", "old"]
    assert sorted(os.listdir()) == [".git", "a", "b"]


def test_lines_keep_their_carriage_returns(run: Run) -> None:
    """A comment that is not needed goes with its line; lines that are put in end as the others do."""
    text = (
        "events {}\nhttp {\n    # nginxlint: ignore[alias-traversal] - was there once  \n    server {\n        listen 80;\n"
        "        location /a {\n            proxy_http_version 1.1;\n            proxy_set_header Upgrade $http_upgrade;\n"
        "            proxy_pass http://127.0.0.1;\n        }\n"
        "    }\n}\n"
    )
    write("unix/nginx.conf", text)
    write("dos/nginx.conf", text.replace("\n", "\r\n"))
    for folder in ("unix", "dos"):
        assert "mended 0" not in run("check", f"{folder}/nginx.conf", "--fix", "--unsafe-fixes").err
    mended = Path("unix/nginx.conf").read_bytes()
    assert b"http {\n    server {\n" in mended
    assert mended.count(b"\n") > text.count("\n")
    assert Path("dos/nginx.conf").read_bytes() == mended.replace(b"\n", b"\r\n")


def test_what_stands_beside_a_file_meanwhile_is_not_included(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("sites-enabled/a", "old")
    seen: list[str] = []
    replace = os.replace

    def look(source: str, target: str) -> None:
        seen.extend(glob.glob("sites-enabled/*"))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    fix.write(changes(**{"sites-enabled/a": "new"}))
    assert (seen, os.listdir("sites-enabled")) == (["sites-enabled/a"], ["a"])


def test_an_interrupt_waits_until_all_files_are_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a", "old")
    write("b", "old")
    replace = os.replace

    def interrupted(source: str, target: str) -> None:
        replace(source, target)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fix.write(changes(a="new", b="new"))
    assert [Path(name).read_text() for name in ("a", "b")] == ["new", "new"]
    assert sorted(os.listdir()) == [".git", "a", "b"]


def test_a_file_with_two_names_is_mended_where_both_are_found_faulty(run: Run) -> None:
    """`sites-enabled/*` often links to what another include names as well."""
    write("nginx.conf", "events {}\nhttp { include on/*; }\n")
    write("a", "server { listen 80; location /img { alias /srv/img/; } }\n")
    os.mkdir("on")
    for name in ("1", "2"):
        os.symlink("../a", f"on/{name}")
    outcome = run("check", "--fix", "--unsafe-fixes", "nginx.conf", "--select", "alias-traversal")
    assert (outcome.code, outcome.err) == (0, "mended 2 findings in 1 file\n")
    assert "location /img/ {" in Path("a").read_text()
