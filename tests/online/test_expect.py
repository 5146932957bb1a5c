"""What the settings say of single targets: what is asked, what counts as an answer, what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from nginxlint.error import NginxlintError
from nginxlint.online.expect import read_expectations
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers

HTTP = "server {{ listen 80; server_name shop.test; location /a {{ proxy_pass {0}; }} }}"


def check(
    table: dict[str, Any], *, target: str = "http://10.0.0.1:81", name: str = "", reply: str = "200 OK"
) -> tuple[OnlineResult, list[bytes]]:
    """Check one target with the table about it; also what was sent."""
    head = f"HTTP/1.1 {reply}\r\nContent-Length: 0\r\n\r\n".encode()
    network = FakeNetwork({"10.0.0.1:81": answers(head)})
    options = Options(
        timeout=0.2,
        retry_pause=0.0,
        jitter=0.0,
        expectations=read_expectations({name or target: table}, "nginxlint.toml"),
        settings="nginxlint.toml",
    )
    config = config_of(f"events {{}} http {{ {HTTP.format(target)} }}", version=(1, 22, 1))
    return run(config, options, network), [stream.sent for stream in network.streams]


def test_path_host_and_method_are_asked_as_the_settings_say() -> None:
    _, [sent] = check({"path": "/healthz", "host": "billing.test", "method": "OPTIONS"})
    assert sent.startswith(b"OPTIONS /healthz HTTP/1.0\r\nHost: billing.test\r\n")


@pytest.mark.parametrize(
    ("wanted", "reply", "code", "verdict"),
    [
        (["2xx"], "204 x", "OK", "ok"),
        ([204, "3xx"], "302 x", "OK", "ok"),
        ("200-299", "404 x", "L7_UNEXPECTED", "degraded"),
        (401, "401 x", "OK", "ok"),
        (["2xx"], "401 x", "L7_UNEXPECTED", "degraded"),
        (["2xx", 503], "503 x", "OK", "ok"),
        (["2xx"], "503 x", "L7_UNEXPECTED", "degraded"),
    ],
)
def test_the_expected_status_decides_and_any_answer_is_alive(wanted: Any, reply: str, code: str, verdict: str) -> None:
    result, _ = check({"expect-status": wanted}, reply=reply)
    [row] = result.targets_json
    assert (row["code"], row["verdict"], row["predicted_status"]) == (code, verdict, int(reply[:3]))
    assert [finding.rule for finding in result.diagnostics] == ["upstream-status-unexpected"] * (verdict != "ok")


def test_a_skipped_target_gets_no_packet_and_is_no_finding() -> None:
    result, sent = check({"skip": "only up on Mondays"})
    [row] = result.targets_json
    assert (row["verdict"], row["code"], sent, result.diagnostics) == ("not-probed", "SKIP_ASKED", [], [])
    assert "nginxlint.toml says: only up on Mondays" in row["note"]


def test_severity_and_note_go_with_the_findings_of_that_target() -> None:
    table = {"severity": "info", "note": "owned by billing, call 4711"}
    result, _ = check(table, target="http://10.0.0.1:81", reply="500 x")
    [finding] = result.diagnostics
    assert finding.severity.word == "info"
    assert "owned by billing, call 4711" in finding.help


@pytest.mark.parametrize("name", ["http://10.0.0.1:81", "http://10.0.0.1", "http://10.0.0.*", "*"])
def test_a_table_may_leave_the_port_out_or_mean_several(name: str) -> None:
    _, [sent] = check({"path": "/up"}, name=name)
    assert b" /up " in sent


@pytest.mark.parametrize("name", ["https://10.0.0.1:81", "http://10.0.0.1:82", "unix:/x"])
def test_a_table_about_another_target_changes_nothing(name: str) -> None:
    _, [sent] = check({"path": "/up"}, name=name)
    assert b" /a " in sent


def test_a_header_in_a_setting_cannot_start_another() -> None:
    _, [sent] = check({"host": "a\r\nX-Evil: 1", "path": "/a b\r\nc"})
    assert b"\r\nX-Evil" not in sent
    assert sent.startswith(b"GET /a%20b%0D%0Ac HTTP")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"method": "POST"}, "only HEAD, GET, OPTIONS"),
        ({"expect-status": ["6xx"]}, "write 204"),
        ({"expect-status": ["299-200"]}, "write 204"),
        ({"expect-status": ["9" * 5000]}, "write 204"),
        ({"path": "healthz"}, "begins with /"),
        ({"severity": "fatal"}, "error, warning or info"),
        ({"pth": "/"}, "unknown key"),
        ({"skip": True}, "text in quotes"),
        ({"timeout": "soon"}, "write seconds"),
        ([], "write a table"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(table: Any, said: str) -> None:
    with pytest.raises(NginxlintError, match=said) as refusal:
        read_expectations({"http://a": table}, "nginxlint.toml")
    assert str(refusal.value).startswith('nginxlint.toml: [online.targets."http://a"]')
