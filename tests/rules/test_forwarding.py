"""What the rules on resolvers, forwarded headers, WebSockets and real addresses warn of happens in real nginx.

As in test_proxying: one nginx serves the bad configurations, another the mended ones; port 65000 in the texts stands
for the port of that nginx, whose default server is the backend and tells what it was sent.
"""

from __future__ import annotations

import pytest

from nginxlint.catalogue import check as refusals
from nginxlint.catalogue.target import Target
from nginxlint.diagnostic import Diagnostic
from nginxlint.testing import apply, config_of
from tests.oracle.nginx import PROGRAM, Nginx

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

WHOLE = "events {{}}\nhttp {{\n{}\n}}\n"
REFUSED = (
    (
        "proxy-redirect-default",
        "server { location / {\n proxy_redirect default;\n proxy_pass http://127.0.0.1:90;\n} }",
    ),
    ("proxy-redirect-default", "server {\n proxy_redirect default;\n location / { proxy_pass http://127.0.0.1:90; } }"),
    (
        "proxy-redirect-default",
        "server { location / {\n set $b 127.0.0.1;\n proxy_pass http://$b:90;\n proxy_redirect default;\n} }",
    ),
    (
        "variable-unknown",
        "server { location / {\n proxy_set_header Connection $connection_upgrade;\n proxy_pass http://127.0.0.1:90;\n} }",
    ),
)


def refused(rule: str, text: str, version: tuple[int, int, int] = (1, 22, 1)) -> list[Diagnostic]:
    config = config_of(text, version=version)
    return [one for one in refusals(config.main, Target(version, None), complete=True) if one.rule == rule]


@pytest.mark.parametrize(("rule", "text"), REFUSED)
def test_nginx_refuses_and_starts_after_the_fix_of_the_catalogue(rule: str, text: str) -> None:
    (finding,) = refused(rule, WHOLE.format(text))
    accepted, said = Nginx(text).test()
    assert not accepted and finding.nginx_message is not None and finding.nginx_message in said
    if not finding.fixes:
        assert "$" in text and finding.help
        return
    mended = apply(WHOLE.format(text), list(finding.fixes[0].edits))
    assert not refused(rule, mended)
    accepted, said = Nginx(mended.partition("http {\n")[2].rstrip()[:-1]).test()
    assert accepted, said


def test_a_group_gets_the_resolver_that_stands_where_it_is_not_seen() -> None:
    """nginx 1.27.3 and later; 1.22.1 does not know the parameter, so this is told from its source."""
    text = WHOLE.format(
        "upstream app {\n zone app 64k;\n server app.internal:80 resolve;\n}\n"
        "server { resolver 10.0.0.2 valid=10s; location / { proxy_pass http://app; } }"
    )
    (finding,) = refused("upstream-resolve-needs", text, (1, 27, 3))
    assert finding.related
    mended = apply(text, list(finding.fixes[0].edits))
    assert "resolve;\n resolver 10.0.0.2 valid=10s;\n}" in mended
    assert not refused("upstream-resolve-needs", mended, (1, 27, 3))
