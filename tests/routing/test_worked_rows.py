"""Every worked row of the reference, run through the model and through real nginx."""

from __future__ import annotations

import pytest

from nginxlint.routing.request import Request, gathered
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION
from tests.routing.echo import Echo
from tests.routing.outcome import Outcome, seen_outcome, told_outcome
from tests.routing.real import Site, free_ports, look, new_folder, remove, send
from tests.routing.worked import ACCESS, ENDINGS, INHERITANCE, PROXY_PASS, REAL_ADDRESS, REPEATED, ROUTING, Row, mark_of

ROWS = [*PROXY_PASS, *ROUTING, *INHERITANCE, *ACCESS, *REAL_ADDRESS, *REPEATED, *ENDINGS]


class Laid:
    """All rows as one configuration in front of three backends; row `n` has port `ports[n]`."""

    def __init__(self) -> None:
        self.folder = new_folder()
        www = self.folder / "www"
        (www / "dir").mkdir(parents=True)
        for name in ("exists.txt", "dir/index.html"):
            (www / name).write_text(name)
        self.echoes = [Echo("up"), Echo("other"), Echo("sock", path=str(self.folder / "sock"))]
        (self.folder / "sock").chmod(0o666)
        self.ports = free_ports(len(ROWS) + 1)
        http = f"server {{ listen 127.0.0.1:{self.ports[-1]}; }}\nserver_names_hash_bucket_size 128;\n"
        http += f"root {www};\n"
        http += "\n".join(self._text(row, port) for row, port in zip(ROWS, self.ports, strict=False))
        self.site = Site(http, self.ports[-1], self.folder)
        self.config = config_of(self.site.text, version=VERSION)
        self.router = Router(self.config, look)

    def _text(self, row: Row, port: int) -> str:
        text = row.text
        if "listen " not in text:
            text = f"server {{ listen {{here}}; server_name here.test; {text} }}"
        return self.filled(text, port)

    def filled(self, text: str, port: int) -> str:
        """A text of a row with its places and backends."""
        for name, value in (
            ("here", f"127.0.0.1:{port}"), ("port", str(port)), ("up", f"127.0.0.1:{self.echoes[0].port}"),
            ("other", f"127.0.0.1:{self.echoes[1].port}"), ("sock", str(self.folder / "sock")), ("www", str(self.folder / "www")),
        ):  # fmt: skip
            text = text.replace("{" + name + "}", value)
        return text

    def close(self) -> None:
        for echo in self.echoes:
            echo.close()
        remove(self.folder)


def request_of(text: str, port: int) -> Request:
    """`[HTTP/1.0] [METHOD] TARGET [Name:value …] [>Name:value …]`; `Host` alone: no Host header; a name given twice is
    sent twice."""
    words = text.split(" ")
    version = words.pop(0)[5:] if words[0].startswith("HTTP/") else "1.1"
    method = words.pop(0) if words[0].isupper() else "GET"
    headers, reply = {"host": "here.test", "connection": "close"}, {}
    given = []
    target = words.pop(0)
    for word in words:
        name, mark, value = word.lstrip(">").partition(":")
        if word.startswith(">"):
            reply[name] = value
        elif mark:
            given.append((name.lower(), value))
        else:
            del headers[name.lower()]
    headers |= gathered(given)
    if method == "POST":
        headers["content-length"] = "0"
    return Request(
        target, port=port, address="127.0.0.1", method=method, headers=headers, complete=True, client="127.0.0.1",
        version=version, reply=reply,
    )  # fmt: skip


def as_written(outcome: Outcome, request: Request, wanted: str) -> str:
    """An outcome in the words of the row: the mark or a header only where the row has one."""
    text = outcome.text.replace(f"http://{request.host}:{request.port}/", "HERE/")
    if " with " in wanted:
        names = [word.partition("=")[0] for word in wanted.partition(" with ")[2].split()]
        sent = dict(outcome.sent[0][1]) if outcome.sent else {}
        text += " with " + " ".join(f"{name}={sent.get(name, '')}" for name in names)
    return f"{outcome.mark} | {text}" if " | " in wanted else text


@pytest.fixture(scope="module")
def laid():
    made = Laid()
    yield made
    made.close()


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.name for row in ROWS])
def test_a_worked_row_holds_in_the_model(laid: Laid, number: int) -> None:
    for text, wanted in ROWS[number].cases:
        request = request_of(laid.filled(text, laid.ports[number]), laid.ports[number])
        wanted = laid.filled(wanted, request.port)
        answer = laid.router.route(request)
        told = as_written(told_outcome(laid.config, answer, laid.echoes), request, wanted)
        assert told == mark_of(wanted), f"{text}\n{answer.to_text(text)}\n{ROWS[number].text}"


@pytest.mark.skipif(not PROGRAM, reason=f"no nginx on this machine: {len(ROWS)} worked rows not seen")
def test_every_worked_row_holds_in_nginx(laid: Laid) -> None:
    wrong = []
    with laid.site.nginx:
        for row, port in zip(ROWS, laid.ports, strict=False):
            for text, wanted in row.cases:
                request = request_of(laid.filled(text, port), port)
                wanted = laid.filled(wanted, port)
                for echo in laid.echoes:
                    echo.answer = "".join(f"{name}: {value}\r\n" for name, value in request.reply.items()).encode()
                    if request.reply and echo.name != "other":
                        echo.answer = b""
                saw = as_written(seen_outcome(send(request, laid.echoes)), request, wanted)
                if saw != mark_of(wanted):
                    wrong.append(f"{row.name}: {text}: {saw!r}, not {wanted!r}\n  {row.text}")
    assert not wrong, "\n".join(wrong)
