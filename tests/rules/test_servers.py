"""What the rules on server names and listeners warn of happens in real nginx, and not after the cure.

65000 in the texts stands for the port of that nginx.
"""

from __future__ import annotations

import os
import random
import re
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import nginxlint
from nginxlint.registry import all_rules
from nginxlint.routing.certificates import OWN_PROTOCOLS
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, STREAM_MODULE, VERSION, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")


@dataclass(frozen=True)
class Case:
    """In `text`, a request for `host` is answered with `symptom`, mended (by the rule's own fix where `mended` is None)
    with `cured`. `warns`: nginx says of the text what the rule says it says, and nothing of the mended one."""

    rule: str
    text: str
    host: str
    symptom: str
    cured: str
    mended: str | None = None
    warns: bool = True


PEM = Path(nginxlint.__file__).parent / "demo" / "certificates" / "good.pem"
CERTIFICATE = f"ssl_certificate {PEM}; ssl_certificate_key {PEM};"


def two(first: str, second: str, *, listen: str = "") -> str:
    return (
        f'server {{ listen 127.0.0.1:65000; {first} return 200 "first"; }}\n'
        f'server {{ listen 127.0.0.1:65000{listen}; {second} return 200 "second"; }}\n'
    )


CASES = (
    Case(
        "server-name-duplicate",
        two("server_name a.test;", "server_name b.test a.test;"),
        "a.test",
        "first",
        "second",
        two("server_name c.test;", "server_name b.test a.test;"),
    ),
    Case(
        "server-name-duplicate",
        two("", ""),
        "b.test",
        "first",
        "second",
        two("", "server_name b.test;"),
    ),
    Case(
        "server-name-duplicate",
        two("", "server_name a.test .a.test;"),
        "www.a.test",
        "first",
        "second",
    ),
    Case(
        "server-name-duplicate",
        two("server_name *.a.test;", "server_name .a.test;"),
        "a.test",
        "first",
        "second",
        two("server_name *.a.test;", "server_name a.test;"),
    ),
    Case("server-name-with-scheme-or-path", two("", "server_name http://a.test/shop;"), "a.test", "first", "second"),
    Case("server-name-with-port", two("", "server_name a.test:65000;"), "a.test:65000", "first", "second", warns=False),
    Case("server-name-with-port", two("", "server_name ::1;"), "[::1]:65000", "first", "second", warns=False),
    Case("server-name-comma", two("", "server_name a.test, b.test;"), "a.test", "first", "second", warns=False),
    Case(
        "server-name-pattern",
        two("", r"server_name ^(www\.)?a\.test$;"),
        "www.a.test",
        "first",
        "second",
        warns=False,
    ),
    Case(
        "listen-protocol-mismatch",
        two("server_name a.test;", f"server_name b.test; {CERTIFICATE}", listen=" ssl default_server"),
        "a.test",
        "400 The plain HTTP request was sent to HTTPS port",
        "first",
        two("server_name a.test;", f"server_name b.test; {CERTIFICATE}"),
        warns=False,
    ),
    Case(
        "listen-protocol-mismatch",
        two("server_name a.test;", "server_name b.test;", listen=" proxy_protocol"),
        "a.test",
        "",
        "first",
        two("server_name a.test;", "server_name b.test;"),
        warns=False,
    ),
)


def on_a_port(text: str) -> str:
    return text.replace("65000", "{port}")


def warnings(text: str) -> list[str]:
    """What nginx -t warns of."""
    accepted, said = Nginx(on_a_port(text)).test()
    assert accepted, said
    return [re.sub(r" in /\S+$", "", line) for line in re.findall(r"\[warn\] (?:\d+#\d+: )?(.*)", said)]


def answer(nginx: Nginx, host: str) -> str:
    return nginx.ask("/", host=host).raw.decode("latin-1")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_cure(case: Case) -> None:
    found = found_by(case.rule, case.text)
    mended = mend(case.rule, case.text) if case.mended is None else case.mended
    assert found and not found_by(case.rule, mended)
    with Nginx(on_a_port(case.text)) as nginx:
        said = answer(nginx, case.host)
        assert case.symptom in said if case.symptom else said == ""
    with Nginx(on_a_port(mended)) as nginx:
        cured = answer(nginx, case.host)
        assert case.cured in cured and not (case.symptom and case.symptom in cured)
    logged = [re.sub(r":\d{5},", ":65000,", line) for line in warnings(case.text)]
    assert [finding.nginx_message for finding in found] == logged[: len(found)] if case.warns else not logged
    assert not warnings(mended)


def test_a_second_server_without_a_name_answers_where_it_is_the_default() -> None:
    text = two("server_name '';", "", listen=" default_server")
    (finding,) = found_by("server-name-duplicate", text)
    assert finding.severity.word == "info"
    with Nginx(on_a_port(text)) as nginx:
        assert "second" in answer(nginx, "a.test")
    assert len(warnings(text)) == 1


def test_the_default_server_decides_on_slashes_and_on_the_protocols_of_tls() -> None:
    text = (
        "events { } http { server { listen 127.0.0.1:65000; }\n"
        'server { listen 127.0.0.1:65000; server_name a.test; merge_slashes off; return 200 "$uri"; } }'
    )
    mended = text.replace("65000; }", "65000; merge_slashes off; }")
    assert found_by("default-only-directive", text) and not found_by("default-only-directive", mended)
    for one, path in ((text, "\r\n\r\n/a/b"), (mended, "\r\n\r\n/a//b")):
        with Nginx(on_a_port(one[len("events { } http { ") : -2])) as nginx:
            assert nginx.ask("/a//b", host="a.test").raw.decode().endswith(path)
    text = (
        f"events {{ }} http {{ {CERTIFICATE} server {{ listen 127.0.0.1:65000 ssl; ssl_protocols TLSv1.2; }}\n"
        "server { listen 127.0.0.1:65000; server_name a.test; ssl_protocols TLSv1.3; } }"
    )
    mended = text.replace("TLSv1.2", "TLSv1.3 TLSv1.2").replace("TLSv1.3; } }", "TLSv1.2 TLSv1.3; } }")
    own = VERSION >= OWN_PROTOCOLS
    assert bool(found_by("default-only-directive", text)) is not own
    assert not found_by("default-only-directive", mended)
    for one, version in ((text, "TLSv1.3" if own else "TLSv1.2"), (mended, "TLSv1.3")):
        with Nginx(on_a_port(one[len("events { } http { ") : -2])) as nginx:
            assert handshake("127.0.0.1", nginx.port, "a.test") == version


def test_a_wrong_wildcard_is_refused_as_soon_as_a_second_server_listens_there() -> None:
    for name in ("www.*.test", "a*.test", "*.a.*", "a..test"):
        text = f"server {{ listen 127.0.0.1:65000; server_name {name}; }}\n"
        assert found_by("server-name-pattern", text)
        assert not warnings(text)
        accepted, said = Nginx(on_a_port(text + "server { listen 127.0.0.1:65000; server_name b.test; }")).test()
        assert not accepted and f'invalid server name or wildcard "{name}"' in said


def test_a_slash_in_an_expression_is_mentioned_as_nginx_does() -> None:
    text = 'server { listen 127.0.0.1:65000; server_name "~^[^/]+[.]a[.]test$"; }'
    (finding,) = found_by("server-name-with-scheme-or-path", text)
    assert [finding.nginx_message] == warnings(text)
    assert finding.severity.word == "info" and not finding.fixes


def test_port_443_without_ssl_answers_no_handshake_and_does_after_the_fix() -> None:
    text = f"server {{ listen 127.0.95.1:8443; {CERTIFICATE} return 204; }}"
    mended = mend("listen-443-plain", text)
    assert not found_by("listen-443-plain", mended)
    beside = "server { listen 127.0.0.1:{port}; }\n"
    assert all(Nginx(beside + one).test()[0] for one in (text, mended))
    with Nginx(beside + text), pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        handshake("127.0.95.1", 8443)
    with Nginx(beside + mended):
        assert handshake("127.0.95.1", 8443).startswith("TLS")


def handshake(address: str, port: int, name: str = "") -> str:
    context = ssl._create_unverified_context()
    with (
        socket.create_connection((address, port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name or None) as secure,
    ):
        return secure.version() or ""


MODULES = f"load_module {STREAM_MODULE};" if os.path.exists(STREAM_MODULE) else ""
HTTP = "events { }\nhttp { server { LISTENS } }\n"
STREAM = "stream { server { LISTENS proxy_pass 127.0.0.1:1; } }"
BINDING = (  # listens of http and of stream, what cannot be bound; listens that start
    ("listen 65000; listen [::]:65000 ipv6only=off;", "", "[::]:65000", "listen 65000; listen [::]:65000;", ""),
    (
        "listen [::]:65000 ipv6only=off; listen 127.0.0.1:65000;",
        "",
        "127.0.0.1:65000",
        "listen [::]:65000 ipv6only=off reuseport; listen 127.0.0.1:65000 reuseport;",
        "",
    ),
    (
        "listen 65000; listen 127.0.0.1:65000 backlog=64;",
        "",
        "0.0.0.0:65000",
        "listen 65000 backlog=64; listen 127.0.0.1:65000;",
        "",
    ),
    ("listen 65000;", "listen 127.0.0.1:65000;", "127.0.0.1:65000", "listen 65000;", "listen 65000 udp;"),
    ("listen 65000;", "listen [::]:65000 ipv6only=off;", "[::]:65000", "listen 65000;", "listen [::]:65000;"),
)


@pytest.mark.parametrize(("http", "stream", "message", "mended_http", "mended_stream"), BINDING)
def test_a_start_fails_where_the_test_passes(
    http: str, stream: str, message: str, mended_http: str, mended_stream: str
) -> None:
    if stream and not MODULES:
        pytest.skip("nginx's stream module is not installed")
    (finding,) = found_by("listen-bind-conflict", HTTP.replace("LISTENS", http) + listening(stream))
    assert not found_by("listen-bind-conflict", HTTP.replace("LISTENS", mended_http) + listening(mended_stream))
    for text, rest in ((http, stream), (mended_http, mended_stream)):
        accepted, said = started(text, rest).test()
        assert accepted, said
    assert finding.nginx_message == f"bind() to {message} failed (98: Address already in use)"
    nginx = started(http, stream)
    assert finding.nginx_message.replace("65000", str(nginx.port)) in nginx.refusal()
    with started(mended_http, mended_stream):
        pass


def listening(stream: str) -> str:
    return STREAM.replace("LISTENS", stream) if stream else ""


def started(http: str, stream: str) -> Nginx:
    """An nginx that can be started."""
    return Nginx(on_a_port(f"server {{ {http} }}"), main=MODULES if stream else "", rest=on_a_port(listening(stream)))


def installed() -> tuple[int, ...]:
    said = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=False).stderr
    return tuple(map(int, re.findall(r"\d+", said)[:3]))


@pytest.mark.skipif(not PROGRAM or installed() < (1, 25, 1), reason="nginx is older than 1.25.1: it does not warn")
def test_nginx_warns_of_protocols_and_of_the_http2_parameter_where_the_rules_do() -> None:
    dice = random.Random(105)
    text = ""
    for case in range(60):
        options = [
            "",
            *(" ssl", " http2", " proxy_protocol", " ssl http2", " backlog=64", " ssl backlog=64")[
                : dice.randint(1, 6)
            ],
        ]
        for name in range(dice.randint(2, 5)):
            text += f"server {{\nlisten 127.0.{case}.2:65000{dice.choice(options)};\nserver_name s{name};\n{CERTIFICATE} }}\n"
    text = without_refused(text)
    config = config_of(text, version=(1, 26, 3))
    rules = all_rules()
    said = sorted(
        (finding.span.line, finding.nginx_message)
        for rule in ("listen-protocol-mismatch", "listen-http2-deprecated")
        for finding in rules[rule].load()().check(config)
        if finding.nginx_message
    )
    accepted, output = Nginx(on_a_port(text)).test()
    assert accepted, output
    logged = re.findall(r"\[warn\] (?:\d+#\d+: )?(.*) in /\S+:(\d+)$", output, re.MULTILINE)
    first = min(int(line) for _, line in logged) - said[0][0]
    assert said == sorted((int(line) - first, re.sub(r":\d{5}", ":65000", message)) for message, line in logged)


def without_refused(text: str) -> str:
    """Socket options may be said once for each socket."""
    seen: set[str] = set()
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if "backlog" in line:
            address = line.split()[1]
            if address in seen:
                lines[at] = line.replace(" backlog=64", "")
            seen.add(address)
    return "\n".join(lines)
