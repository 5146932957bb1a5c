"""Plans and observations: probing from elsewhere sees what a local run sees, and neither file is trusted."""

from __future__ import annotations

import copy
import errno
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nginxlint.config import Config
from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.question import question_id, question_of, target_of
from nginxlint.online.recording import export_plan, read_plan, recorded, run_plan
from nginxlint.online.records import RecordFault
from nginxlint.online.runner import bundle
from nginxlint.online.stage import run
from nginxlint.online.target import targets_of
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, FakeStream, answers

QUICK = Options(timeout=0.1, retry_pause=0.0, jitter=0.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
VERSION = (1, 22, 1)
HTTP = """
    upstream g { server 10.0.0.1:81; server 10.0.0.2:81 weight=3; server app.test:81 backup; server 10.0.0.9:1 down; }
    server {
        listen 443 ssl; server_name shop.test;
        location / { proxy_pass http://g; proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto $scheme; }
        location /s/ { proxy_pass https://10.0.0.3; proxy_ssl_server_name on; proxy_ssl_name a.test; }
        location /php { fastcgi_pass unix:/run/php.sock; }
        location /u { uwsgi_pass 10.0.0.4:3031; }
        location /g { grpc_pass grpc://10.0.0.5:50051; }
        location /m { memcached_pass 10.0.0.6:11211; }
        location /v { resolver 10.0.0.53 valid=10s; set $b late.test; proxy_pass http://$b:82; }
        location /gone { proxy_pass http://gone.test; }
        location /meta { proxy_pass http://169.254.169.254; }
        location /x { proxy_pass http://$http_x; }
    }
"""


def config(http: str = HTTP) -> Config:
    return config_of(f"events {{}} http {{ {http} }}", version=VERSION)


def network() -> FakeNetwork:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    peers: dict[str, OSError | Callable[[], FakeStream]] = {
        "10.0.0.1:81": answers(OK),
        "10.0.0.2:81": refused,
        "10.0.0.7:81": answers(b"SSH-2.0-x\r\n"),
    }
    return FakeNetwork(peers, {"app.test": ["10.0.0.7"]})


def plan(of: Config | None = None) -> str:
    return export_plan(targets_of(of or config()), QUICK, VERSION)


def without_times(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = list(made)
    for row in rows:
        for stage in row["stages"].values():
            stage["ms"] = 0
    return rows


def test_a_run_elsewhere_is_judged_like_a_run_here() -> None:
    here = run(config(), QUICK, network())
    text, whole = run_plan(plan(), QUICK, network())
    judged = run(config(), QUICK, recorded=recorded(text, VERSION))
    assert whole
    assert without_times(judged.targets_json) == without_times(here.targets_json)
    assert [d.message for d in judged.diagnostics] == [d.message for d in here.diagnostics]
    assert judged.complete == here.complete


def test_a_peer_marked_down_is_looked_up_and_never_dialled() -> None:
    door = network()
    run_plan(plan(), QUICK, door)
    assert "10.0.0.9:1" not in door.dialled


def test_what_the_observations_do_not_cover_is_unknown() -> None:
    text, _ = run_plan(plan(), QUICK, network())
    changed = run(config(HTTP.replace("10.0.0.3", "10.0.0.33")), QUICK, recorded=recorded(text, VERSION))
    [row] = [row for row in changed.targets_json if row["host"] == "10.0.0.33"]
    assert (row["verdict"], row["code"]) == ("unknown", "NOT_CHECKED")
    assert "export the plan again" in row["note"]
    assert not changed.complete


def test_observations_for_another_nginx_are_refused() -> None:
    text, _ = run_plan(plan(), QUICK, network())
    with pytest.raises(RecordFault, match=r"made for nginx 1\.22\.1"):
        recorded(text, (1, 31, 5))


def test_a_question_keeps_its_id_on_the_way() -> None:
    for target in targets_of(config()):
        if target.resolution != "dynamic":
            assert question_id(target_of(json.loads(json.dumps(question_of(target))), "q")) == question_id(target)


def test_the_same_question_at_two_places_is_in_the_plan_once() -> None:
    twice = (
        "server { location /a { proxy_pass http://10.0.0.1:81/x; } location /b { proxy_pass http://10.0.0.1:81/x; } }"
    )
    assert len(json.loads(plan(config(twice)))["questions"]) == 1


def test_the_zip_application_needs_no_package_and_sees_the_same(tmp_path: Path) -> None:
    with World() as world:
        http = f"""server {{ server_name app.demo.test;
            location /a {{ proxy_pass http://127.0.0.1:{world.port("healthy")}; }}
            location /b {{ proxy_pass http://127.0.0.1:{world.port("refusing")}; }}
            location /c {{ proxy_pass http://127.0.0.1:{world.port("ssh")}; }}
            location /d {{ proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path("ca")};
                proxy_ssl_name app.demo.test; proxy_pass https://127.0.0.1:{world.port("tls-expired")}; }} }}"""
        file = tmp_path / "probe.pyz"
        file.write_bytes(bundle(plan(config(http))))
        command = [sys.executable, "-I", "-S", str(file), "--timeout", "1"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    result = run(config(http), QUICK, recorded=recorded(done.stdout, VERSION))
    assert [row["code"] for row in result.targets_json] == ["OK", "L4_REFUSED", "L7_NOTHTTP", "L6_VERIFY_EXPIRED"]


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    document = json.loads(plan(config("server { location / { proxy_pass http://10.0.0.1:81/x; } }")))
    change(document)
    return json.dumps(document)


def asking(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["questions"][0]["ask"].update(values)


WRONG_PLANS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("unknown field", asking(command="rm")),
    ("unknown field", asking(used_at=[])),
    ("unknown or missing", lambda document: document.update(extra=1)),
    ("ask and dial", lambda document: document["questions"][0].update(method="DELETE")),
    ("ask and dial", lambda document: document["questions"].append({"ask": {}})),
    ("schema", lambda document: document.update(schema=99)),
    ("not a file of plan", lambda document: document.update(nginxlint="observations")),
    ("control character", asking(host_header="a\r\nX-Evil: 1")),
    ("control character", asking(path="/a HTTP/1.1\r\nX: y")),
    ("no request target", asking(path="/a b")),
    ("no request target", asking(path="http://elsewhere/")),
    ("control character", asking(headers=[["X-Forwarded-Proto", "a\r\nb: c"]])),
    ("never sent", asking(headers=[["Authorization", "Basic xyz"]])),
    ("never sent", asking(headers=[["Cookie", "a=b"]])),
    ("never sent", asking(method="DELETE")),
    ("unknown protocol", asking(protocol="smtp")),
    ("cannot be asked", asking(resolution="dynamic")),
    ("no port", asking(port=0)),
    ("no port", asking(port=70000)),
    ("int is wanted", asking(port="81")),
    ("int is wanted", asking(port=True)),
    ("neither", asking(port=None)),
    ("neither", asking(unix="/var/run/docker.sock")),
    ("limit out of range", asking(timeouts={"connect": 1e9, "read": 1})),
    ("limit out of range", asking(buffer_size=1 << 40)),
    ("out of range", asking(timeouts={"connect": float("nan"), "read": 1})),
    ("an object is wanted", asking(tls=[])),
    ("a list", lambda document: document.update(questions={})),
]


@pytest.mark.parametrize(("reason", "change"), WRONG_PLANS)
def test_a_plan_that_asks_for_more_than_nginxlint_would_is_refused_as_a_whole(
    reason: str, change: Callable[[dict[str, Any]], None]
) -> None:
    door = FakeNetwork({"10.0.0.1:81": answers(OK)})
    with pytest.raises(RecordFault, match=reason):
        run_plan(changed(change), QUICK, door)
    assert door.dialled == []


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"nginxlint": "plan"}', "[" * 100_000])
def test_what_is_no_plan_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(RecordFault):
        read_plan(text)


OBSERVED = run_plan(export_plan(targets_of(config()), QUICK, VERSION), QUICK, network())[0]


def first_seen(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["answers"][0]["seen"][0][1]
    return found


WRONG_OBSERVATIONS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("unknown code", lambda d: first_seen(d)["phases"][-1].update(code="L9_EVIL")),
    ("unknown code", lambda d: d["answers"][0]["resolution"].update(code="X")),
    ("unknown stage", lambda d: first_seen(d)["phases"][0].update(name="x")),
    ("without a stage", lambda d: first_seen(d).update(phases=[])),
    ("unknown field", lambda d: first_seen(d).update(x=1)),
    ("no address", lambda d: d["answers"][0]["seen"][0][0].update(host="evil\x1b[0m")),
    ("addresses", lambda d: d["answers"][0]["resolution"].update(addresses=["<script>"])),
    ("pairs", lambda d: d["answers"][0].update(seen=[1])),
    ("no time", lambda d: d.update(made_at=-1)),
]


@pytest.mark.parametrize(("reason", "change"), WRONG_OBSERVATIONS)
def test_observations_no_probe_could_have_made_are_refused(
    reason: str, change: Callable[[dict[str, Any]], None]
) -> None:
    document = copy.deepcopy(json.loads(OBSERVED))
    change(document)
    with pytest.raises(RecordFault, match=reason):
        recorded(json.dumps(document), VERSION)


def test_text_in_observations_is_made_harmless() -> None:
    document = json.loads(OBSERVED)
    first_seen(document)["phases"][-1].update(code="L7_CLOSED", detail="\x1b[31mred\u202e")
    document["vantage"] = "host\x1b[2J"
    result = run(config(), QUICK, recorded=recorded(json.dumps(document), VERSION))
    texts = [list(result.targets_json), result.vantage, [d.message + d.label for d in result.diagnostics]]
    shown = json.dumps(texts, ensure_ascii=False)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\\\x1b[31mred" in shown


def test_no_secret_of_the_configuration_gets_into_a_plan() -> None:
    secrets = (
        "proxy_set_header Authorization 'Basic SECRET1'; proxy_set_header Cookie sid=SECRET2;"
        " proxy_set_header X-Api-Key SECRET3; proxy_set_header Proxy-Authorization SECRET4;"
    )
    text = f"""
        server {{
            {secrets}
            location / {{ proxy_pass http://10.0.0.1:81; }}
            location /f {{ fastcgi_param TOKEN SECRET5; fastcgi_pass 10.0.0.2:9000; }}
            location /g {{ grpc_set_header authorization SECRET6; grpc_pass grpc://10.0.0.3:50051; }}
            location /u {{ uwsgi_param KEY SECRET7; uwsgi_pass 10.0.0.4:3031; }}
        }}
    """
    made = plan(config(text))
    assert len(json.loads(made)["questions"]) == 4
    assert "SECRET" not in made
    heard: dict[str, OSError | Callable[[], FakeStream]] = {
        "10.0.0.1:81": answers(b"HTTP/1.1 502 x\r\nSet-Cookie: SECRET8\r\n\r\nSECRET9"),
        "10.0.0.2:9000": answers(b"\1\12\0\0\0\0\0\0"),
    }
    door = FakeNetwork(heard)
    seen, _ = run_plan(made, QUICK, door)
    assert "SECRET" not in seen
    assert not [stream for stream in door.streams if b"SECRET" in stream.sent]
