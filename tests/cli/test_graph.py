"""`nginxlint graph`: every kind of box, few boxes for many locations, and nothing of the configuration unescaped."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from nginxlint.reports.graph_text import COLOURS
from nginxlint.reports.svg import Box, render
from nginxlint.routing.picture import KINDS, picture
from nginxlint.testing import config_of
from tests.cli.conftest import Run, write

CONF = """events {}
http {
    upstream app { server 192.0.2.1:8080; server unix:/run/app.sock; }
    server {
        listen 80; listen 443 ssl; server_name shop.test;
        location / { proxy_pass http://app; }
        location /api/ { proxy_pass http://app/v1/; }
        location ~ "^/(a|\\"b<&)" { if ($arg_x) { proxy_pass https://other.test; } return 301 /x; }
        location /any { proxy_pass http://$http_x; }
        location /files { root /srv; }
        location /old { return 410; location /old/new { fastcgi_pass 192.0.2.3:9000; } }
    }
}
stream { server { listen 5432; proxy_pass db.test:5432; } }
"""
SVG = "{http://www.w3.org/2000/svg}"


def big() -> str:
    """Four servers with fifty locations each and few places to go to."""
    servers = ""
    for server in range(4):
        locations = "".join(f"location /l{n}/ {{ proxy_pass http://192.0.2.{n % 10}:80; }}" for n in range(50))
        servers += f"server {{ listen 80; server_name s{server}.test; {locations} }}\n"
    return f"events {{}} http {{ {servers} }}"


def test_every_step_from_the_socket_to_the_address_is_drawn() -> None:
    graph = picture(config_of(CONF))
    by_id = {node.id: node for node in graph.nodes}
    lines = {kind: {line for node in graph.nodes if node.kind == kind for line in node.whole} for kind in KINDS}
    assert lines["listen"] == {"*:80", "*:443 ssl", "*:5432"}
    assert lines["server"] == {"shop.test", "stream server, no name"}
    assert lines["group"] == {"app"}
    assert {"192.0.2.1:8080", "unix:/run/app.sock", "other.test:443", "192.0.2.3:9000", "db.test:5432"} < lines[
        "address"
    ]
    assert {"/", "/api/", "/any", "/files → files", "/old → return 410", "/old/new"} < lines["location"]
    steps = {(by_id[left].kind, by_id[right].kind) for left, right in graph.edges}
    assert steps == {
        ("listen", "server"), ("server", "location"), ("location", "group"), ("location", "address"), ("group", "address"),
        ("server", "address"),
    }  # fmt: skip


def test_locations_that_lead_to_the_same_place_are_one_box() -> None:
    graph = picture(config_of(big()))
    boxes = [node for node in graph.nodes if node.kind == "location"]
    assert len(boxes) == 40
    assert sum(len(node.whole) for node in boxes) == 200
    assert all(node.lines[-1] == "and 2 more" for node in boxes)


def test_no_server_has_more_boxes_than_the_limit() -> None:
    graph = picture(config_of(big()), 3)
    boxes = [node for node in graph.nodes if node.kind == "location"]
    assert len(boxes) == 12
    assert sum(len(node.whole) for node in boxes) == 200
    assert len([node for node in graph.nodes if node.kind == "address"]) == 10
    assert sum(node.lines == ["40 more locations"] for node in boxes) == 4


def test_no_two_boxes_of_the_picture_overlap() -> None:
    root = ElementTree.fromstring(render(picture(config_of(big())), "big"))
    boxes = [
        tuple(float(rect.get(key) or 0) for key in ("x", "y", "width", "height"))
        for rect in root.iter(f"{SVG}rect")
        if "box" in (rect.get("class") or "")
    ]
    assert len(boxes) == 55
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for number, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        for x2, y2, w2, h2 in boxes[:number]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


@pytest.mark.parametrize("format", ["svg", "mermaid", "dot"])
def test_what_the_configuration_holds_is_escaped(run: Run, format: str) -> None:
    write("nginx.conf", CONF)
    outcome = run("graph", "nginx.conf", "-o", format)
    assert outcome.code == 0
    if format == "svg":
        texts = [element.text for element in ElementTree.fromstring(outcome.out).iter(f"{SVG}text")]
        assert '~ ^/(a|"b<&)' in texts
    elif format == "mermaid":
        assert '["~ #94;/#40;a#124;#34;b#60;#38;#41;"]' in outcome.out
    else:
        assert '[label="~ ^/(a|\\"b<&)"]' in outcome.out


def test_every_edge_joins_boxes_that_are_there(run: Run) -> None:
    write("nginx.conf", CONF)
    for format, arrow in (("mermaid", "-->"), ("dot", "->")):
        text = run("graph", "nginx.conf", "-o", format).out
        defined = set(re.findall(r"^  (n\d+)(?:\(|\[|\{| \[)", text, re.MULTILINE))
        joined = re.findall(rf"^  (n\d+) {arrow} (n\d+)", text, re.MULTILINE)
        assert joined
        assert {id for pair in joined for id in pair} == defined


def test_what_probing_found_is_coloured(run: Run) -> None:
    write("nginx.conf", "events {} http { server { listen 80; location / { proxy_pass http://127.0.0.1:1; } } }")
    assert COLOURS["failed"] not in run("graph", "nginx.conf", "-o", "svg").out
    assert COLOURS["failed"] in run("graph", "nginx.conf", "-o", "svg", "--online").out
    assert "class n3 failed" in run("graph", "nginx.conf", "--online").out
    assert f'color="{COLOURS["failed"]}"' in run("graph", "nginx.conf", "-o", "dot", "--online").out


def test_a_picture_can_go_to_a_file_and_a_part_is_called_incomplete(run: Run) -> None:
    write("nginx.conf", "events {} http { include none.conf; server { listen 80; } }")
    outcome = run("graph", "nginx.conf", "-o", "svg:out.svg")
    assert (outcome.code, outcome.out) == (3, "")
    assert ElementTree.parse("out.svg").getroot().tag == f"{SVG}svg"
    assert run("graph", "nginx.conf", "-o", "png").code == 2
    assert run("graph", "nginx.conf", "--limit", "1").code == 2


def test_an_empty_configuration_is_an_empty_picture() -> None:
    graph = picture(config_of("events {} http { }"))
    assert graph.nodes == []
    assert "<svg" in render(graph, "nothing")


def test_a_box_shows_what_it_stands_for_when_pointed_at() -> None:
    graph = picture(config_of(big()))
    node = next(node for node in graph.nodes if node.kind == "location")
    assert Box(node).title.splitlines() == node.whole
