"""The reference tokenizer, yardstick of the lexer, against the real nginx.

`map $host $x { … }` takes any line of one key and one value, and `sendfile WORD;` echoes the decoded word: so words,
their number, and every refusal can be seen from outside.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess

import pytest

from nginxlint.lexer import BUFFER
from nginxlint.payload import Tokens
from tests.lexer.reference_tokenizer import Refused, statements

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: 130 texts not tried")

# a block inside a map is refused by the handler of map, not by the tokenizer
_LEXICAL = re.compile(r'^(unexpected (?!"\{")|too long parameter)')


def nginx_says(text: str, folder: str) -> str:
    """The message of `nginx -t` about `text` inside `http { }`, without place; empty where it has none."""
    path = os.path.join(folder, "nginx.conf")
    with open(path, "wb") as file:
        file.write(b"events{}http{" + text.encode("utf-8", "surrogateescape") + b"}")
    assert NGINX is not None
    run = subprocess.run(
        [NGINX, "-t", "-c", path, "-p", folder, "-g", f"pid {folder}/pid;error_log stderr;"],
        capture_output=True,
        check=False,
        timeout=20,
    )
    found = re.search(rb"\[emerg\] (?:\d+#\d+: )?(.*?)(?: in [^ ]*:\d+)?$", run.stderr, re.MULTILINE)
    return found[1].decode("utf-8", "surrogateescape") if found else ""


WORDS = [
    "${x}",
    "a}b",
    r"a\"b",
    r'"a\"b"',
    r"'a\"b'",
    r'"a\\b"',
    r"a\tb",
    r"a\;b",
    r"a\ b",
    "a#b",
    "a\u00a0b",
    'a"b',
    "a'b",
    "\udcff",
    '"a b"',
    "$",
    '"${"',
    r"\$x",
    "a\x0bb",
    "\ufeffa",
    "a=b",
    "(a)",
    '"a;b"',
    "'{'",
    "a\\\\",
]


@pytest.mark.parametrize("raw", WORDS)
def test_a_decoded_word_is_the_one_nginx_echoes(raw: str, tmp_path: object) -> None:
    said = nginx_says(f"sendfile {raw};", str(tmp_path))
    (words, _), *_ = statements(f"sendfile {raw};")
    assert said == f'invalid value "{words[1]}" in "sendfile" directive, it must be "on" or "off"'


def test_random_texts_are_refused_by_nginx_where_the_reference_refuses_them(tmp_path: object) -> None:
    rng = random.Random(7)
    pieces = [*" \t\n;{}#\"'\\$", "a", "b ", "${", "c d;", "e f;\n", ") "]
    compared = 0
    for _ in range(100):
        inner = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 10)))
        text = f"map $host $x {{ {inner} \n}}"
        try:
            statements("http{" + text + "}")
            expected = ""
        except Refused as refused:
            expected = str(refused)
        said = nginx_says(text, str(tmp_path))
        if expected and not said:
            raise AssertionError((text, expected))
        if expected and _LEXICAL.match(said):
            assert said == expected, text
            compared += 1
        elif not expected:
            assert not _LEXICAL.match(said), (text, said)
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("size", [BUFFER - 2, BUFFER - 1, BUFFER, BUFFER + 1, 9000])
@pytest.mark.parametrize(
    "form", ["map $host $a {{ {0} y; }}", 'map $host $a {{ "{0}" y; }}', "#{0}\n", 'map $host $a {{ y "{0}"; }}']
)
def test_a_word_is_too_long_where_nginx_says_so(form: str, size: int, tmp_path: object) -> None:
    text = form.format("x" * size)
    said = nginx_says(text, str(tmp_path))
    faults = [fault.nginx_message for fault in Tokens("events{}http{" + text + "}").remarks.faults]
    assert faults == ([said] if said.startswith("too long") else [])


@pytest.mark.parametrize(
    "text",
    [
        "server { location ~ ^/a{2}$ { } }",
        "server { location ~ ^/a{2}/b { } }",
        "server { location ~* ^/(a{2})/b { } }",
        "server { location ~^/(a{2})/b { } }",
        "server { location ~ ^/([a-z{2}])$ { } }",
        r"server { location ~ ^/(?<id>\d{1,9})/a\.png$ { } }",
        "server { location /x{2}y { } }",
        "server { if ($uri ~ ^/a{2}) { return 200; } }",
        "server { if ($uri ~ (a{2})) { return 200; } }",
        "server { rewrite ^/a{2}$ /b; }",
        "server { server_name ~^a{2}$; }",
        "map $uri $a { ~^/a{2}$ b; }",
    ],
)
def test_of_a_torn_regular_expression_nginx_says_what_we_say(text: str, tmp_path: object) -> None:
    (fault,) = (one for one in Tokens(text).remarks.faults if one.kind == "regex-brace-unquoted")
    assert nginx_says(text, str(tmp_path)) == fault.nginx_message
