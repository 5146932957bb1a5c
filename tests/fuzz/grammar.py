"""Configurations by nginx's grammar, as hypothesis strategies: real directive names in right and wrong places, with
arguments from right to absurd, quoted and escaped, nested as far as one likes."""

from __future__ import annotations

from hypothesis import strategies as st

from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.lexer import BLOCK_NAMES

NAMES = tuple(DIRECTIVES.names())
PLACES = ("http", "server", "location", "upstream", "events", "stream", "if", "map", "types", "limit_except", "geo")
VALUES = (
    "on", "off", "10m", "5s", "80", "443 ssl", "/", "/api/", "= /x", "~ \\.php$", "~* ^/(a|b)", "^~ /s/", "@named", "$host", "${uri}x", "$1", "http://app",
    "http://app/", "https://$host$request_uri", "http://unix:/run/a.sock:/", "app", "127.0.0.1:8080", "[::1]:80", "301 /x", "Host $host", "X-A b always",
    "$uri $uri/ =404", "502 503 = /e", "^/(.*)$ /$1 last", "$a b", "default 1", "*.test", "~^(?<n>.+)$", "keys_zone=z:1m", "zone=z:10m rate=1r/s", "256 4k", "",
)  # fmt: skip

plain = st.sampled_from(VALUES)
odd = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
quoted = st.builds(
    "{0}{1}{0}".format,
    st.sampled_from("\"'"),
    odd.map(lambda text: text.replace("\\", "").replace('"', "").replace("'", "")),
)
argument = st.one_of(plain, plain, plain, quoted, odd)
name = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES), odd)
simple = st.builds(lambda name, args: f"{name} {' '.join(args)};", name, st.lists(argument, max_size=4))
comment = st.one_of(odd.map(lambda text: "#" + text.replace("\n", " ")), st.just("# nginxlint: ignore[proxy] - fuzz"))


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    head = st.one_of(st.sampled_from(PLACES), st.sampled_from(sorted(BLOCK_NAMES)))
    body = st.lists(inner, max_size=5).map("\n".join)
    return st.builds("{} {} {{\n{}\n}}".format, head, plain, body)


statement = st.recursive(st.one_of(simple, simple, comment), _block, max_leaves=25)
configurations = st.builds(
    lambda around, body: around.replace("BODY", "\n".join(body)),
    st.sampled_from(
        (
            "BODY",
            "events {} http { BODY }",
            "http { server { BODY } }",
            "events {} http { upstream app { server a; } server { location / { BODY } } }",
        )
    ),
    st.lists(statement, max_size=8),
)
