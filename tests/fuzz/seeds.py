"""What mutation starts from: the corpus, our samples and rule examples, recorded answers; and the words it throws in."""

from __future__ import annotations

import base64
import contextlib
import glob
import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import dns.message
import dns.rrset

from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.online import recording
from nginxlint.online.target import targets_of
from nginxlint.registry import all_rules
from nginxlint.testing import config_of
from tests.conftest import CORPUS, corpus_rows

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LARGEST = 4096  # longer seeds make slow inputs and no new ones

CONFIGURATION_WORDS = tuple(
    word.encode()
    for word in (
        '{ } ; " \' # \\ $ ${ } \\; \\" \n \t \r\n \0 \ufeff ä \u00a0 ~ ~* ^~ = @ if ( ) map default hostnames include *.conf /dev/null '
        "upstream server location proxy_pass http:// https:// unix: resolver resolve listen 443 ssl default_server [::]:80 "
        "rewrite ^ last break return 301 set $a $a try_files $uri =404 error_page 502 = add_header always proxy_set_header Host "
        "limit_except events http stream mail types geo split_clients content_by_lua_block ${x} $1 (?<n>.*) (a|a)*$ [ * ? "
        "proxy_cache_path keys_zone=z:1m zone 64k 10m 1k 99999999999999999999 -1 0 65536 on off # nginxlint: ignore[ALL] - x "
        "# nginxlint: ignore-block[proxy] # nginxlint: context server (until 2026-01-01) # configuration file /etc/nginx/nginx.conf:\n"
    ).split(" ")
    if word
) + (b"9" * 5000,)
ANSWER_WORDS = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 ", b"HTTP/2 ", b"\r\n", b"\n", b"\r\n\r\n", b": ", b":", b"Content-Length: 0", b"Content-Length: -1",
    b"Transfer-Encoding: chunked", b"\x00", b"\xff", b" 100 Continue\r\n\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"\x15\x03\x01",
    b"\x01\x0a\x00\x00", b"d\x00\x00\x01", b"VERSION ", b"Status: ", b"\xc0\x0c", b"\x00\x01\x00\x01", b"\x30\x82", b"\xa0\x03",
)  # fmt: skip


JSON_WORDS = (
    b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e400", b"1e9", b"NaN", b"99999999999999999999", b'"\\ud800"',
    b'"\\u0000"', b'"\\u001b[2J"', b'"/"', b'"literal"', b'"runtime"', b'"unix"', b'"startup"', b'"http"', b'"tls"',
    b'"L4_REFUSED"', b'"L7_NOTHTTP"', b'"OK"', b'"::1"', b'"0.0.0.0"', b",", b":", b"[", b"]", b"{", b"}",
)  # fmt: skip


@lru_cache(maxsize=1)
def configurations() -> tuple[bytes, ...]:
    """Small real configurations, the samples, and the examples of every rule."""
    found = []
    for row in corpus_rows():
        with open(os.path.join(CORPUS, str(row["path"])), "rb") as file:
            found.append(file.read(LARGEST))
    for path in glob.glob(f"{TOP}/sample_configs/**/*.conf", recursive=True):
        with open(path, "rb") as file:
            found.append(file.read(LARGEST))
    for entry in all_rules().values():
        found += [example.text.encode("utf-8", "surrogateescape") for example in entry.load().examples]
    return tuple(found)


def _with_request(requests: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(
        requests[number % len(requests)] + b"\n" + text
        for number, text in enumerate(configurations())
        if b"location" in text
    )


def seeds_of(target: str) -> tuple[bytes, ...]:
    """The seeds of a target of `targets.py`."""
    if target == "route":
        return _with_request((
            b"http://one.test/a/b?x=1", b'{"url": "https://two.test/%61//..", "method": "POST", "headers": {"Cookie": "a=b"}}', b"http://[::1]:8080",
        ))  # fmt: skip
    if target == "dump":
        dump = b"# configuration file /etc/nginx/nginx.conf:\nevents {} http { include conf.d/*.conf; }\n# configuration file /etc/nginx/conf.d/a.conf:\nserver { listen 80; }\n"
        return (dump, *configurations()[::10])
    if target == "settings":
        return (
            b'profile = "strict"\nignore = ["a", "proxy"]\nnginx-version = "1.26"\n[severity]\nproxy = "info"\n[online]\nbudget = 3\n[rules.x]\ny = 1\n',
        )
    if target == "certificate":
        return tuple(_der(certificate_path(name)) for name in ("ca", "client"))
    if target == "dns":
        return tuple(b"\xff" + wire for wire in _dns_answers())
    if target == "http":
        return (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok", b"HTTP/1.0 302 Found\nLocation: /x\n\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x64" * 3,
        )  # fmt: skip
    if target == "pings":
        return (
            b"\x01\x0a\x00\x00\x00\x11\x07\x00\x0f\x00FCGI_MPXS_CONNS\x00" + b"\x00" * 7, b"d\x00\x00\x01", b"VERSION 1.6.18\r\n", b"Status: 200 OK\r\n\r\nok",
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88\x00\x00\x07\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02\x08\x01",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        )  # fmt: skip
    if target in ("plan", "observations"):
        return _documents()[target]
    return configurations()


@lru_cache(maxsize=1)
def _documents() -> dict[str, tuple[bytes, ...]]:
    """A plan and what running it gives, whole, in parts, and with one value after the other turned odd: a changed byte
    alone seldom leaves JSON."""
    from tests.fuzz.targets import ASKING, PROBED, VERSIONS, _Crowd

    targets = targets_of(config_of(PROBED, version=VERSIONS[0]))
    plan = recording.export_plan(targets, ASKING, VERSIONS[0])
    seen = json.loads(recording.run_plan(plan, ASKING, _Crowd())[0])
    _enrich(seen["answers"])
    return {"plan": tuple(_odd(json.loads(plan), "questions")), "observations": tuple(_odd(seen, "answers"))}


def _enrich(answers: list[dict[str, Any]]) -> None:
    """What no peer here shows: everything an observation can hold."""
    told = {"ttl": 60, "chain": ["b.test"], "remarks": [["DNS_SLOW", "x"]], "failed_families": ["AAAA"], "port": 81}
    names = {"subject": "s", "common_names": ["a"], "dns_names": ["b"], "self_signed": False}
    for answer in answers:
        answer["resolution"].update(told)
        for _, seen in answer["seen"]:
            seen.update(
                certificate={"not_before": 1.0, "not_after": 1_790_000_100.0, **names}, tls_version="TLSv1.2",
                location="http://a.test/", body=["L7_SHORTBODY", "x"], inner="/x", further=["L7_NOT_KEPT", "x"], server="s", hints=["h"], log="l",
            )  # fmt: skip


def _odd(document: dict[str, Any], key: str) -> Iterator[bytes]:
    document["made_at"] = 1_790_000_000.0
    entries = document[key]
    yield _json(document)
    for entry in entries:
        document[key] = [entry]
        yield _json(document)
        for holder, place in [*_places(entry)]:
            value = holder[place]
            for word in JSON_WORDS[:20]:
                with contextlib.suppress(ValueError):
                    holder[place] = json.loads(word)
                    yield _json(document)
            holder[place] = value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key or index) of everything in a document."""
    for place in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        if place != "ms":
            yield value, place
        else:
            value[place] = 1.0
        yield from _places(value[place])


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def words_of(target: str) -> tuple[bytes, ...]:
    if target in ("plan", "observations"):
        return JSON_WORDS
    return ANSWER_WORDS if target in ("http", "certificate", "dns", "pings") else CONFIGURATION_WORDS


def _der(path: str) -> bytes:
    with open(path, encoding="ascii") as file:
        text = file.read()
    body = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.DOTALL)
    assert body is not None, path
    return base64.b64decode(body[1])


def _dns_answers() -> list[bytes]:
    found = []
    for kind, values in (("A", ["10.0.0.1"]), ("AAAA", ["2001:db8::1"]), ("CNAME", ["other.test."])):
        answer = dns.message.make_response(dns.message.make_query("app.test.", "A", use_edns=False, id=7))
        answer.answer.append(dns.rrset.from_text("app.test.", 60, "IN", kind, *values))
        found.append(answer.to_wire())
    return found
