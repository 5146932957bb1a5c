"""Whatever is given: a message, the documented exit code, never a traceback or a hang."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import BAD, GOOD, Run, process, write

SEVERITIES = ("error[", "warning[", "info[")


@pytest.mark.parametrize(
    "name, data",
    [
        ("empty", b""),
        ("blank", b"\n\n   \n"),
        ("binary", bytes(range(256)) * 40),
        ("elf", b"\x7fELF\x02\x01\x01" + b"\x00" * 5000),
        ("nul", GOOD.encode().replace(b"204", b"2\x0004")),
        ("latin-1", b"events {}\nhttp { server { server_name caf\xe9.example; } }\n"),
        ("bom", b"\xef\xbb\xbf" + GOOD.encode()),
        ("crlf", GOOD.replace("\n", "\r\n").encode()),
        ("braces", b"http {" * 10_000),
        ("closing braces", b"}" * 10_000),
        ("deep", b"a {\n" * 10_000 + b"}\n" * 10_000),
        ("quotes", b"'\"" * 5_000),
        ("one long word", b"x" * 200_000),
        ("one long line", b"set $a b; " * 20_000),
        ("html", b"<!DOCTYPE html>\n<html><body><p>it's not; a config {</p></body></html>\n" * 20),
        ("python", Path(__file__).read_bytes()),
        ("escape", b"server_name \x1b]0;owned\x07 \x1b[2J;\n"),
        ("nul in an include", b"include a\x00b.conf;\nevents {}\n"),
        ("set without a value", b"events {}\nhttp { server { location / { set $a; proxy_pass http://$a/b; } } }\n"),
        ("bidi", "server_name \u202eevil\u2066;\n".encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("format", ["full", "concise", "json", "github"])
def test_no_text_breaks_a_report(run: Run, name: str, data: bytes, format: str) -> None:
    write("nginx.conf", data)
    outcome = run("check", "nginx.conf", "-o", format)
    assert outcome.code in (0, 1, 3), outcome.err
    assert "Traceback" not in outcome.err
    for character in "\x1b\x07\u202e\u2066\x00":
        assert character not in outcome.out
    outcome.out.encode()  # no lone surrogates
    if format == "json":
        assert json.loads(outcome.out)["summary"]["exit_code"] == outcome.code
    if outcome.code != 0 and format != "json":
        assert "No problems" not in outcome.out


def test_a_file_with_a_thousand_faults_is_told_in_a_few_findings(run: Run) -> None:
    write("nginx.conf", b"}" * 10_000)
    outcome = run("check", "nginx.conf", "-o", "concise")
    assert 0 < len(outcome.out.splitlines()) < 10


def test_a_word_of_megabytes_is_not_repeated_in_every_report(run: Run) -> None:
    write("nginx.conf", b"x" * 1_000_000)
    for format in ("full", "json", "sarif", "github", "junit"):
        assert len(run("check", "nginx.conf", "-o", format).out) < 50_000


@pytest.mark.parametrize(
    "text",
    [
        "{% for one in hosts %}\nupstream a { server {{ one }}:80; }\n{% endfor %}\n",
        "server { ssl_certificate {{CERTIFICATE}}; location / { alias /a/ } }\n",
        "server { listen <%= @port %>;\n<% if @tls %>\nssl on;\n<% end %>\n}\n",
    ],
)
def test_a_template_is_one_finding_and_not_mended(run: Run, text: str) -> None:
    write("site.conf", text)
    write("conf/nginx.conf", "events {}\nhttp { include ../site.conf; server { location /a { alias /srv/; } } }\n")
    for path in ("site.conf", "conf/nginx.conf"):
        result = run("check", "-o", "concise", path)
        assert (result.rules, result.code) == (["not-a-configuration"], 1)
    run("check", "--fix", "--unsafe-fixes", "site.conf")
    assert Path("site.conf").read_text() == text


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "huge", "loop"])
def test_what_is_no_file_is_named_and_not_waited_for(run: Run, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo("given")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("given")
    elif kind == "device":
        os.symlink("/dev/zero", "given")
    elif kind == "huge":
        write("given", b"")
        os.truncate("given", 100 * 1024 * 1024)
    else:
        os.symlink("given", "given")
    outcome = run("check", "given")
    assert outcome.code == 3
    assert "analysis is incomplete: 1 of 1 file could not be read (given: " in outcome.out
    assert "No problems" not in outcome.out
    assert ("give it as -, on standard input" in outcome.out) is (kind == "fifo")
    write("nginx.conf", BAD)
    assert run("check", "given", "nginx.conf", "-o", "concise").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything: unreadable files not tried")
def test_a_file_without_read_permission_is_named(run: Run) -> None:
    write("nginx.conf", GOOD)
    os.chmod("nginx.conf", 0)
    outcome = run("check", "nginx.conf")
    assert outcome.code == 3
    assert "nginx.conf: Permission denied" in outcome.out


def test_includes_in_a_circle_end(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp { include a.conf; }\n")
    write("a.conf", "include b.conf;\n")
    write("b.conf", "include a.conf;\n")
    assert run("check", "nginx.conf").code == 1
    write("loose/a.conf", "include b.conf;\n")
    write("loose/b.conf", "include a.conf;\n")
    assert run("check", "loose").code in (0, 1)


def test_thousands_of_includes_are_read(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp { include conf.d/*.conf; }\n")
    for number in range(2_000):
        write(f"conf.d/{number:04}.conf", f"server {{ listen 80; server_name s{number}; }}\n")
    report = json.loads(run("check", "nginx.conf", "-o", "json").out)
    assert report["summary"]["files"] == 2_001
    assert report["run"]["complete"] is True


def test_a_folder_without_configuration_is_wrong_use(run: Run) -> None:
    os.makedirs("empty")
    outcome = run("check", "empty")
    assert (outcome.code, outcome.err) == (2, "nginxlint: empty: no nginx configuration found in this folder\n")


@pytest.mark.parametrize("format", ["full", "concise", "json", "github"])
def test_names_that_are_not_utf_8_are_shown_as_escapes(run: Run, format: str) -> None:
    path = os.fsdecode(b"caf\xe9\x1b[31m.conf")
    write(path, BAD)
    outcome = run("check", path, "-o", format)
    assert outcome.code == 1
    assert "\x1b" not in outcome.out
    assert "\\xe9" in outcome.out
    assert run("check", os.fsdecode(b"no\xff")).err == "nginxlint: no\\xff: no such file or folder\n"


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    sites = "".join(f"location /l{n} {{ alias /d/{n}/; }}\n" for n in range(3_000))
    (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{ server {{\n{sites}}} }}\n")
    child = process("check", "nginx.conf", cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.read(10)
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait(timeout=60) == 141


def test_a_full_disk_under_standard_output_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(GOOD)
    with open("/dev/full", "wb") as full:
        child = process("check", "nginx.conf", cwd=str(tmp_path), stdout=full, stderr=subprocess.PIPE)
        _, err = child.communicate(timeout=60)
    assert child.returncode not in (0, 1)
    assert b"Traceback" not in err


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    child = process(
        "check",
        "-",
        cwd=str(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONUNBUFFERED": "1"},
    )
    assert child.stdin is not None
    # it waits for standard input once it has imported everything; before that Ctrl-C is Python's
    wait = f"/proc/{child.pid}/wchan"
    for _ in range(600):
        try:
            if "pipe" in Path(wait).read_text():
                break
        except OSError:
            pytest.skip("no /proc here")
        try:
            child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert b"Traceback" not in err


def test_ascii_terminals_get_ascii(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(BAD.replace("/img", "/bücher"))
    child = process(
        "check", "nginx.conf", cwd=str(tmp_path), stdout=subprocess.PIPE,
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )  # fmt: skip
    out, _ = child.communicate(timeout=60)
    text = out.decode("ascii")
    assert "server :8080 > location /b\\xfccher" in text


def test_a_settings_file_that_is_no_text_is_refused(run: Run) -> None:
    write("nginx.conf", BAD)
    write("nginxlint.toml", b"\xff\xfe\x00")
    assert run("check", "nginx.conf").code == 2
    os.remove("nginxlint.toml")
    os.mkfifo("fifo.toml")
    assert run("check", "nginx.conf", "--config", "fifo.toml").code == 2


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_toml_that_python_gives_up_on_is_refused(run: Run, value: str) -> None:
    write("nginx.conf", GOOD)
    write("a.toml", f"a = {value}")
    for words in (("check", "--config", "a.toml", "nginx.conf"), ("test", "a.toml")):
        outcome = run(*words)
        assert outcome.code == 2 and outcome.err.startswith("nginxlint: a.toml: ")


def test_terminals_of_a_size_nobody_has_are_of_unknown_size(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", GOOD)
    for name in ("COLUMNS", "VTE_VERSION", "SUDO_UID"):
        monkeypatch.setenv(name, "9" * 5000)
    assert run("check", "--color", "always", "nginx.conf").code == 0


def test_what_only_root_may_read_is_not_held_against_the_configuration(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {name: getattr(os, name) for name in ("open", "scandir", "lstat")}

    def closed(name: str) -> object:
        def ask(path: str, *words: int, **more: int) -> object:
            if str(path).startswith("closed"):
                raise PermissionError(13, "Permission denied", path)
            return real[name](path, *words, **more)

        return ask

    write("nginx.conf", "events {}\nhttp { include closed/*.conf; include closed.conf; }\n")
    write("closed/a.conf", "server { listen 80; }\n")
    write("closed.conf", "server { listen 81; }\n")
    for name in real:
        monkeypatch.setattr(os, name, closed(name))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    outcome = run("check", "--no-cache", "nginx.conf")
    assert (outcome.code, "nginx will not start" in outcome.out) == (3, False)
    assert "2 of 3 files could not be read (closed: Permission denied, closed.conf: Permission denied)" in outcome.out
    outcome = run("check", "--no-cache", "closed/a.conf")
    assert (outcome.code, outcome.err) == (3, "")
    assert "(closed/a.conf: Permission denied)" in outcome.out


def test_a_current_folder_that_is_gone_is_no_bug_of_ours(run: Run) -> None:
    write("nginx.conf", GOOD)
    path = os.path.abspath("nginx.conf")
    os.makedirs("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    outcome = run("check", path)
    assert (outcome.code, outcome.err) == (2, "nginxlint: the folder we are in is not there any more\n")
