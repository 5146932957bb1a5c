"""Answers of earlier runs: which count, which never do, and files that are not to be believed."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from nginxlint.online.earlier_answers import EarlierAnswers
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, FakeStream, answers

NOW = 1_790_000_000.0
OK = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
PASS = "proxy_pass http://10.0.0.1:81;"


def check(
    path: Path,
    text: str = PASS,
    *,
    peer: OSError | Callable[[], FakeStream] = OK,
    at: float = NOW,
    seconds: float = 300.0,
    **more: object,
) -> tuple[OnlineResult, list[str], EarlierAnswers]:
    """One run with the file at `path`; also whom it dialled."""
    network = FakeNetwork({"10.0.0.1:81": peer, "10.0.0.2:81": peer}, names={"app.test": ["10.0.0.1"]})
    kept = EarlierAnswers(str(path), at, seconds)
    options = Options(timeout=0.3, jitter=0.0, retries=0, **more)  # type: ignore[arg-type]
    result = run(config_of(f"server {{ location / {{ {text} }} }}"), options, network, earlier=kept)
    kept.save()
    return result, network.dialled, kept


def test_a_good_answer_is_not_asked_for_again_and_says_its_age(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    first, dialled, _ = check(path)
    assert dialled == ["10.0.0.1:81"]
    second, dialled, _ = check(path, at=NOW + 42)
    assert dialled == []
    [before], [after] = first.targets_json, second.targets_json
    assert {**after, "stages": {}} == {**before, "stages": {}}
    assert after["stages"]["http"]["detail"] == before["stages"]["http"]["detail"] + ", 42 s ago"
    assert second.summary.endswith("1 answer of earlier runs")


def test_an_answer_lives_as_long_as_it_was_said(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    check(path)
    assert check(path, at=NOW + 299)[1] == []
    assert check(path, at=NOW + 301)[1] == ["10.0.0.1:81"]
    assert check(path, at=NOW + 500)[1] == []  # asked at 301


@pytest.mark.parametrize(
    "peer",
    [
        OSError(errno.ECONNREFUSED, "Connection refused"),
        answers(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
        answers(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"),
        answers(b"SSH-2.0-x\r\n"),
    ],
)
def test_what_went_wrong_is_asked_again_and_a_failure_takes_back_what_was_kept(
    tmp_path: Path, peer: OSError | Callable[[], FakeStream]
) -> None:
    path = tmp_path / "answers.json"
    check(path, peer=peer)
    assert check(path, peer=peer, at=NOW + 1)[1]
    check(path, at=NOW + 2)
    check(path, peer=peer, at=NOW + 3, seconds=0.5)
    assert check(path, at=NOW + 4)[1] == ["10.0.0.1:81"]


@pytest.mark.parametrize(
    "text",
    [
        "proxy_set_header Host other.test; " + PASS,
        "proxy_read_timeout 5s; " + PASS,
        "proxy_buffer_size 8k; " + PASS,
        PASS.replace("81;", "81/x;"),
        PASS.replace("http:", "https:"),
        "proxy_pass http://10.0.0.2:81;",
    ],
)
def test_another_question_is_asked(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.json"
    check(path)
    assert check(path, text, at=NOW + 1)[1]


def test_another_way_of_asking_or_another_place_is_asked_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "answers.json"
    check(path)
    assert check(path, at=NOW + 1, probe_level="tcp")[1]
    assert check(path, at=NOW + 1, read_timeout=1.0)[1] == []  # timeout= says both
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert check(path, at=NOW + 1)[1]


def test_another_certificate_file_is_another_question(tmp_path: Path) -> None:
    kept = EarlierAnswers(str(tmp_path / "none"), NOW, 300.0)
    before = kept.key("q", [str(tmp_path / "ca.pem")])
    (tmp_path / "ca.pem").write_text("one")
    one = EarlierAnswers(str(tmp_path / "none"), NOW, 300.0).key("q", [str(tmp_path / "ca.pem")])
    (tmp_path / "ca.pem").write_text("two")
    two = EarlierAnswers(str(tmp_path / "none"), NOW, 300.0).key("q", [str(tmp_path / "ca.pem")])
    assert len({before, one, two}) == 3


def test_names_are_looked_up_anew(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    check(path, "proxy_pass http://app.test:81;")
    result, dialled, _ = check(path, "proxy_pass http://app.test:81;", at=NOW + 1)
    assert dialled == []
    assert result.targets_json[0]["stages"]["dns"]["status"] == "ok"


def test_what_is_denied_now_is_not_taken_from_before(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    check(path)
    [row] = check(path, at=NOW + 1, deny=("10.0.0.1",))[0].targets_json
    assert row["code"] == "SKIP_POLICY"


def test_the_file_is_private_and_holds_no_bodies(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "answers.json"
    check(path, peer=answers(b"HTTP/1.1 200 OK\r\nX-Secret: 1\r\nContent-Length: 6\r\n\r\nsecret"))
    assert (stat.S_IMODE(path.stat().st_mode), os.listdir(path.parent)) == (0o600, ["answers.json"])
    assert "ecret" not in path.read_text()


def _changed(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _lying(path: Path) -> None:
    """An answer of another address under the same key."""
    path.write_text(path.read_text().replace("10.0.0.1", "10.0.0.2"))


def _entry(path: Path, entry: object) -> None:
    document = json.loads(path.read_text())
    _changed(path, answers=dict.fromkeys(document["answers"], entry))


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _written(path: Path) -> tuple[int, ...]:
    """What tells that somebody wrote there. (A reader sets the time of the last access.)"""
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_text("{"), "damaged"),
        (lambda path: path.write_bytes(b"\xff" * 100), "damaged"),
        (lambda path: path.write_text("[" * 100_000), "damaged"),
        (lambda path: _changed(path, answers=[]), "damaged"),
        (lambda path: _changed(path, schema=99), "not of this version"),
        (lambda path: _changed(path, made_at=NOW + 86_400), "from the future"),
        (_link, "a link"),
        (lambda path: path.chmod(0o666), "somebody else"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "not a file"),
        (_lying, ""),
        (lambda path: _entry(path, [NOW + 86_400, {}]), ""),
        (lambda path: _entry(path, "x"), ""),
        (lambda path: _entry(path, [NOW, {"address": {"host": "10.0.0.1", "port": 81}, "phases": []}]), ""),
        (lambda path: _entry(path, [NOW, {"address": {"host": "10.0.0.1"}, "evil": 1}]), ""),
    ],
)
def test_row_71_a_file_that_cannot_be_trusted_is_passed_over(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "answers.json"
    check(path)
    spoil(path)
    before = _written(path) if said else None
    result, dialled, kept = check(path, at=NOW + 1)
    assert dialled == ["10.0.0.1:81"]
    assert result.counts["ok"] == 1
    assert [said in note for note in kept.notes] == [True] * bool(said)
    assert before is None or _written(path) == before  # what is not ours is left alone
