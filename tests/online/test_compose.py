"""Compose files: which port of this machine leads to which service, and what is only known to be there."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from nginxlint.error import NginxlintError
from nginxlint.online.compose import places_of
from nginxlint.online.options import Options
from nginxlint.online.stage import run as run_stage
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers

needs_yaml = pytest.mark.skipif(find_spec("yaml") is None, reason="needs PyYAML")

SHOP = """
x-web: &web
  ports: ["127.0.0.1:9000:9000"]
services:
  app:
    image: app
    container_name: shop-app
    ports:
      - "8080:80"
      - "127.0.0.2:8443:443/tcp"
      - 5353:53/udp
      - "[::1]:7000-7001:70-71"
      - target: 90
        published: "9090"
      - "3000"
      - ${WEB:-8888}:88
      - 2222:22
    networks:
      front:
        aliases: [Web, www]
  db:
    image: postgres
    expose: ["5432"]
  merged:
    <<: *web
    ports: !override
      - "9001:9001"
  here:
    network_mode: host
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@needs_yaml
def test_published_ports_are_overrides_for_every_name_of_a_service() -> None:
    places = places_of(SHOP, "compose.yml", {}, outside=True)
    ports = {text.removeprefix("app:") for text in places.resolve if text.startswith("app:")}
    assert ports == {
        "80:127.0.0.1:8080", "443:127.0.0.2:8443", "70:[::1]:7000", "71:[::1]:7001", "90:127.0.0.1:9090",
        "88:127.0.0.1:8888", "22:127.0.0.1:2222",
    }  # fmt: skip
    for name in ("shop-app", "web", "www"):
        assert {text.removeprefix(f"{name}:") for text in places.resolve if text.startswith(f"{name}:")} == ports
    assert "merged:9001:127.0.0.1:9001" in places.resolve
    assert not any(text.startswith(("db:", "here:")) for text in places.resolve)
    assert {name for name, _ in places.hidden} == {"app", "shop-app", "web", "www", "db", "merged"}
    Options(resolve=places.resolve, hidden=places.hidden)


@needs_yaml
def test_inside_a_container_published_ports_lead_nowhere() -> None:
    places = places_of(SHOP, "compose.yml", {}, outside=False)
    assert places.resolve == ()
    assert dict(places.hidden)["db"] == "a service that compose.yml keeps in a network that is not this container's"


@needs_yaml
@pytest.mark.parametrize(
    ("port", "environment", "expected"),
    [
        ("${P}:80", {"P": "81"}, "81"),
        ("$P:80", {"P": "81"}, "81"),
        ("${P:-82}:80", {"P": ""}, "82"),
        ("${P-82}:80", {}, "82"),
        ("${P:+83}:80", {"P": "x"}, "83"),
        ("${P}:80", {}, ""),
        ("${P:?set it}:80", {}, ""),
        ("70000:80", {}, ""),
        ("8000-8005:80", {}, ""),
        ("host:80:80:80", {}, ""),
        ("$$:80", {}, ""),
    ],
)
def test_variables_are_filled_in_as_compose_does(port: str, environment: dict[str, str], expected: str) -> None:
    places = places_of(f"services: {{a: {{ports: ['{port}']}}}}", "c.yml", environment, outside=True)
    assert places.resolve == ((f"a:80:127.0.0.1:{expected}",) if expected else ())


@needs_yaml
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no table of services"),
        ("[1, 2]", "no table of services"),
        ("services: [a]", "no table of services"),
        ("services: {a: {ports: }", "not YAML"),
        ("services:\n  a: *nowhere\n", "c.yml:2: this is not YAML"),
        ("a: &a [*a]", "no table of services"),
        ("[" * 3000, "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_no_compose_file_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(NginxlintError, match=said):
        places_of(text, "c.yml", {}, outside=True)


@needs_yaml
@pytest.mark.parametrize(
    "value", ["7", "[x, [y], {z: }]", "{ports: 7}", "{ports: [[1]], networks: [a]}", "{ports: {a: b}}", "null"]
)
def test_odd_services_are_passed_over(value: str) -> None:
    assert places_of(f"services: {{odd: {value}, a: {{ports: ['1:2']}}}}", "c.yml", {}, outside=True).resolve == (
        "a:2:127.0.0.1:1",
    )


def test_a_published_port_is_dialled_instead_and_what_is_not_published_is_not_judged() -> None:
    text = "location /a { proxy_pass http://app:80; } location /b { proxy_pass http://app:81; } location /c { proxy_pass http://typo:80; }"
    network = FakeNetwork({"127.0.0.1:8080": answers(OK)})
    options = Options(jitter=0.0, timeout=0.3, resolve=("app:80:127.0.0.1:8080",), hidden=(("app", "hidden there"),))
    result = run_stage(config_of(f"server {{ {text} }}"), options, network)
    assert [row["code"] for row in result.targets_json] == ["OK", "NOT_FROM_HERE", "CFG_HOST"]
    assert network.dialled == ["127.0.0.1:8080"]
    assert network.streams[0].sent.startswith(b"GET /a HTTP/1.")
    assert b"Host: app\r\n" in network.streams[0].sent  # what nginx sends, wherever it is sent
    assert result.complete


def test_a_database_published_behind_another_port_gets_no_request() -> None:
    network = FakeNetwork({"127.0.0.1:15432": answers(b"", end="silence")})
    options = Options(jitter=0.0, timeout=0.3, resolve=("db:5432:127.0.0.1:15432",))
    run_stage(config_of("server { location / { proxy_pass http://db:5432; } }"), options, network)
    assert [stream.sent for stream in network.streams] == [b""]


def test_without_a_parser_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(NginxlintError, match=r"pip install 'nginxlint\[compose\]'"):
        places_of("services: {}", "compose.yml", {}, outside=True)
