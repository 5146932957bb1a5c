"""Which blocks write what they would else inherit."""

from __future__ import annotations

import pytest

from nginxlint.routing.inherited import hands_on, overriding
from nginxlint.testing import config_of


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("error_page 404 /a; server { error_page 500 /b; }", ("error_page",), ["server"]),
        ("error_page 404 /a; server { location / { error_page 500 /b; } }", ("error_page",), ["location"]),
        ("server { error_page 404 /a; } server { location / { error_page 500 /b; } }", ("error_page",), []),
        ("server { location / { error_page 404 /a; error_page 500 /b; } }", ("error_page",), []),
        ("server { deny 10.0.0.1; location / { allow all; } }", ("allow", "deny"), ["location"]),
        ("server { deny 10.0.0.1; location / { allow all; } }", ("allow",), []),
    ],
)
def test_only_a_block_inside_another_with_the_same_directive_overrides(
    text: str, names: tuple[str, ...], found: list[str]
) -> None:
    assert [block.name for block in overriding(config_of(text), *names)] == found


@pytest.mark.parametrize(
    ("inside", "answer"),
    [
        ("proxy_pass http://a;", True),
        ("if ($x) { proxy_pass http://a; }", True),
        ("location /b { proxy_pass http://a; }", True),
        ("fastcgi_pass a:9000;", False),
    ],
)
def test_a_block_hands_requests_on_itself_or_by_one_inside(inside: str, answer: bool) -> None:
    config = config_of(f"server {{ location / {{ {inside} }} }}")
    assert hands_on(config, next(config.blocks("location")), "proxy_pass") is answer
