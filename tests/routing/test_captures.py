"""What a capture can hold, and which expression filled it."""

from __future__ import annotations

import pytest

from nginxlint.routing.captures import can_hold, patterns_behind
from nginxlint.testing import config_of


@pytest.mark.parametrize(
    ("pattern", "group", "characters", "expected"),
    [
        (r"^/a/(.*)$", "1", " ?", True),
        (r"^/a/([\w./-]+)$", "1", " ?#%", False),
        (r"^/(?<id>\d+)/(.+)", "id", " ", False),
        (r"^/(?<id>\d+)/(.+)", "1", " ", False),
        (r"^/(?P<id>\d+)/(.+)", "2", " ", True),
        (r"^/(?:a|b)/([^/?#% ]+)", "1", " ?#%", False),
        (r"(?i)^/(a(b.)c)", "1", "?", True),
        (r"^/(?!x)((?![/?])a*)", "1", "?/", False),
        (r"^/([[:alnum:]]+)\.html", "1", " .", False),
        (r"^/(a\x20b)", "1", " ", True),
        (r"^/(\S+)", "1", " ", False),
        (r"^/(\S+)", "1", "?", True),
        (r"(*UTF8)^/(a{2,3})", "1", "{,", False),
        (r"^/([a-z]+)", "2", " ", False),
        (r"^/([^/]+)", "1", "\n", True),
        (r"^/(.+)", "1", "\n", False),
    ],
)
def test_a_group_can_hold_what_the_items_in_it_match(pattern: str, group: str, characters: str, expected: bool) -> None:
    assert can_hold(pattern, group, characters) is expected


@pytest.mark.parametrize(
    ("server", "name", "expected"),
    [
        ("location ~ ^/a/(.*) { proxy_pass x; }", "1", ["^/a/(.*)"]),
        ("location ~* ^/a/(.*) { location /a/b { proxy_pass x; } }", "1", ["^/a/(.*)"]),
        ("location ~^/a/(.*) { rewrite ^/(b) /c; proxy_pass x; }", "1", ["^/(b)", "^/a/(.*)"]),
        ("location ~ ^/a { if ($request_uri ~ ^/(b)) { proxy_pass x; } }", "1", ["^/(b)"]),
        ("location / { proxy_pass x; }", "1", []),
        ("rewrite ^/(z) /y; location / { proxy_pass x; }", "1", ["^/(z)"]),
        ("server_name ~^(?<sub>.+)\\.a$; location / { proxy_pass x; }", "sub", ["^(?<sub>.+)\\.a$"]),
    ],
)
def test_a_capture_is_of_the_expression_that_runs_there(server: str, name: str, expected: list[str]) -> None:
    place = next(config_of(f"server {{ {server} }}").find("proxy_pass"))
    assert [pattern for pattern, _ in patterns_behind(place, name)] == expected
