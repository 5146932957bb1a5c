"""What is compressed and what is not: real nginx, with the bad configuration and with the mended one.

65000 in the texts stands for the port of that nginx, FOLDER for its folder.
"""

from __future__ import annotations

import random

import pytest

from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

SERVER = "server { listen 127.0.0.1:65000; root FOLDER/d; types { text/css css; image/jpeg jpg; } }"
HTML_ONLY = f"gzip on;\n{SERVER}"
PICTURES = f"gzip on;\ngzip_types text/css image/jpeg;\n{SERVER}"
PICTURE = random.Random(5).randbytes(20_000)  # what a picture's compressed data is like
STYLE = b"a { color: red }\n" * 1000


def answer(http: str, file: str) -> tuple[str, bytes]:
    """Head and body that a browser gets."""
    nginx = Nginx(http.replace("65000", "{port}").replace("FOLDER", "{folder}"))
    (nginx.folder / "d").mkdir()
    (nginx.folder / "d" / "a.css").write_bytes(STYLE)
    (nginx.folder / "d" / "a.jpg").write_bytes(PICTURE)
    with nginx:
        request = f"GET /{file} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        head, _, body = nginx.exchange(request.encode()).raw.partition(b"\r\n\r\n")
    return head.decode(), body


def test_without_types_a_style_sheet_goes_out_in_full_length() -> None:
    assert found_by("gzip-types", HTML_ONLY)
    head, body = answer(HTML_ONLY, "a.css")
    assert "Content-Encoding" not in head and body == STYLE
    mended = mend("gzip-types", HTML_ONLY)
    assert not found_by("gzip-types", mended)
    head, body = answer(mended, "a.css")
    assert "Content-Encoding: gzip" in head and len(body) < len(STYLE) / 10


def test_a_picture_is_compressed_again_in_vain_and_cannot_be_asked_for_in_parts() -> None:
    assert found_by("gzip-types", PICTURES)
    head, body = answer(PICTURES, "a.jpg")
    assert "Content-Encoding: gzip" in head and "Accept-Ranges" not in head and len(body) > len(PICTURE)
    mended = mend("gzip-types", PICTURES)
    assert not found_by("gzip-types", mended)
    head, body = answer(mended, "a.jpg")
    assert "Content-Encoding" not in head and "Accept-Ranges" in head and body == PICTURE
    assert "Content-Encoding: gzip" in answer(mended, "a.css")[0]
