"""How many sockets a configuration opens, and whether a worker has connections for all of them."""

from __future__ import annotations

import pytest

from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import ours, target

# connections, the rest
CASES = (
    (0, ""),
    (1, ""),
    (1, "http { server { } }"),
    (2, "http { server { } }"),
    (2, "http { server { listen 8001; } server { listen 127.0.0.1:8001; } }"),
    (2, "http { server { listen 8001; } server { listen 127.0.0.1:8001 backlog=5; } }"),
    (2, "http { server { listen 8001; listen [::]:8001; } }"),
    (3, "http { server { listen 8001; listen [::]:8001; } }"),
    (5, "http { server { listen 8001-8011; } }"),
    (2, "stream { server { listen 8001; listen 127.0.0.1:8001; return x; } }"),
    (3, "stream { server { listen 8001; return x; } server { listen 8001 udp reuseport; return x; } }"),
    (2, "mail { auth_http 127.0.0.1; server { listen 8001; protocol imap; } server { listen 8002; protocol imap; } }"),
    (512, "stream { server { listen 9000-9510; return x; } }"),
    (512, "stream { server { listen 9000-9511; return x; } }"),
)


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_too_few_connections_are_told_as_nginx_tells_them() -> None:
    texts = [f"events {{ worker_connections {count}; }}\n{rest}\n" for count, rest in CASES]
    texts.append("events { }\nstream { server { listen 9000-9600; return x; } }\n")
    judged_for = target()
    for text, verdict in zip(texts, judge_all(texts), strict=True):
        assert ours(PRELUDE + text, judged_for) == (verdict.message or "", verdict.line), text
