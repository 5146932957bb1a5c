"""Two faults that nginx finds only when a block is closed, or at the end: the first one we name is the one it stops at."""

from __future__ import annotations

import itertools

import pytest

from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import ours, target

LONG = "a" * 60
# (block, statements)
LATE = (
    ("http", "server { return 200 $nosuch; }"),
    ("http", "server { server_name a..b; listen 7001; } server { listen 7001; server_name c; }"),
    ("http", "server { listen 7002 ssl; }"),
    ("http", "server { location / { valid_referers none; } }"),
    ("http", "server { location / { proxy_cache zone1; } }"),
    ("http", "server { location / { proxy_busy_buffers_size 1k; } }"),
    ("http", "server { location / { fastcgi_temp_file_write_size 1k; } }"),
    ("http", "server { location / { proxy_ssl_verify on; proxy_pass https://127.0.0.1; } }"),
    ("http", "server { location / { charset koi8-r; override_charset on; source_charset windows-1251; } }"),
    ("http", "server { location /a { } location /a { } }"),
    ("http", "server { location / { secure_link_secret x; secure_link a; } }"),
    ("http", "upstream e1 { }"),
    ("http", "limit_req zone=zone2;"),
    ("http", f"types {{ a/b {LONG}; }}"),
    ("http", f"proxy_set_header {LONG} b;"),
    ("http", f"gzip_types a/{LONG};"),
    ("http", f"map $host ${LONG} {{ }}"),
    ("http", "server { aio threads=pool1; }"),
    ("stream", "server { listen 7101; }"),
    ("stream", "server { listen 7102; proxy_pass nowhere; }"),
    ("stream", "server { listen 7103 ssl; return x; }"),
    ("stream", "server { listen 7104; proxy_ssl on; proxy_ssl_verify on; proxy_pass 127.0.0.1:1; }"),
    ("stream", "server { listen 7105; return $nosuch; }"),
    ("stream", "limit_conn zone3 1;"),
    ("events", "worker_connections 0;"),
)


def text(faults: tuple[tuple[str, str], ...]) -> str:
    bodies: dict[str, list[str]] = {"events": []}
    for place, body in faults:
        bodies.setdefault(place, []).append(body)
    return "".join(f"{place} {{\n{chr(10).join(lines)}\n}}\n" for place, lines in bodies.items())


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_the_first_of_two_late_faults_is_the_one_nginx_names() -> None:
    judged_for = target()
    texts = [text(two) for two in itertools.permutations(LATE, 2)]
    wrong = []
    for case, verdict in zip(texts, judge_all(texts), strict=True):
        said = ours(PRELUDE + case, judged_for)
        if said != (verdict.message or "", verdict.line):
            wrong.append(f"{case}\n    nginx: {verdict}\n    we:    {said}")
    assert not wrong, f"{len(wrong)} of {len(texts)}:\n" + "\n".join(wrong[:10])
