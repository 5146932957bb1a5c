"""Test cases for routing: what is expected of a request, held against every outcome the simulator allows."""

from __future__ import annotations

from nginxlint.error import NginxlintError
from nginxlint.routing.answer import Answer
from nginxlint.routing.request import Request, request_of_url
from nginxlint.routing.router import Router

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GIVEN: dict[str, type] = {
    "name": str,
    "url": str,
    "method": str,
    "headers": dict,
    "client": str,
    "on": str,
    "reply": dict,
    "files": list,
}
EXPECTED: dict[str, type] = {
    "server": str,
    "location": str,
    "action": str,
    "status": int,
    "redirect": str,
    "upstream": str,
    "upstream_uri": str,
    "sent": dict,
}


class Case:
    """One case: `given` says what is asked, `expected` what has to come of it. Where `headers` are given they are all
    there are; where `files` are given no other file exists (a folder ends in a slash)."""

    __slots__ = ("expected", "given")

    def __init__(self, table: dict[str, Any], place: str) -> None:
        """`place` names the table in messages. Raises NginxlintError."""
        expected = table.get("expect", {})
        if not isinstance(expected, dict):
            raise NginxlintError(f"{place}: expect is a table: [case.expect]")
        self.given = _typed({key: value for key, value in table.items() if key != "expect"}, GIVEN, place)
        self.expected = _typed(expected, EXPECTED, f"{place}: expect")
        if not self.given.get("url"):
            raise NginxlintError(f"{place}: a case needs a url")

    @property
    def name(self) -> str:
        method = self.given.get("method", "GET")
        return str(self.given.get("name") or (f"{method} " if method != "GET" else "") + self.given["url"])

    def request(self) -> Request:
        """Raises NginxlintError for what is no URL."""
        given = self.given
        request = request_of_url(
            given["url"],
            method=given.get("method", "GET"),
            headers=given.get("headers"),
            complete="headers" in given,
            on=given.get("on", ""),
            client=given.get("client", ""),
        )
        request.reply = {name.lower(): value for name, value in given.get("reply", {}).items()}
        return request

    def answer(self, router: Router) -> Answer:
        """What the configuration does with it today."""
        files = self.given.get("files")
        before, router.look = router.look, _look(files) if files is not None else router.look
        try:
            return router.route(self.request())
        finally:
            router.look = before


class Difference:
    """A field that is not as expected: `actual` is what it is, `why` what keeps the simulator from knowing."""

    __slots__ = ("actual", "expected", "field", "why")

    def __init__(self, field: str, expected: object, actual: object, why: str = "") -> None:
        self.field = field
        self.expected = expected
        self.actual = actual
        self.why = why

    def __str__(self) -> str:
        shown = f"  {self.field}\n    - expected  {_shown(self.expected)}\n    + actual    {_shown(self.actual)}"
        return f"{shown}\n    cannot tell: {self.why}" if self.why else shown


def differences(case: Case, answer: Answer) -> list[Difference]:
    """What is not as expected. An expectation has to hold in every outcome that is possible."""
    if answer.open:
        return [
            Difference(field, value, facts(answer).get(field), answer.doubts[-1])
            for field, value in case.expected.items()
        ]
    found = []
    for field, value in case.expected.items():
        for why, outcome in (("", answer), *answer.alternatives):
            actual = _actual(field, value, outcome)
            if actual != value:
                found.append(Difference(field, value, actual, why))
                break
    return found


def facts(answer: Answer) -> dict[str, Any]:
    """What can be expected of an answer, in the words of a case."""
    upstream = answer.upstream
    return {
        "server": "" if answer.server is None else answer.server.first_name,
        "location": "" if answer.location is None else " ".join(answer.location.block.values),
        "action": answer.action,
        "status": answer.status or 0,
        "redirect": answer.redirect_to or "",
        "upstream": "" if upstream is None else f"{upstream.scheme}://{upstream.group or ' '.join(upstream.peers)}",
        "upstream_uri": "" if upstream is None else upstream.request_uri,
        "sent": {} if upstream is None else dict(upstream.headers),
    }


def recorded(answer: Answer) -> dict[str, Any]:
    """The expectations that today's answer meets; fields with nothing in them are left out."""
    if answer.open or not answer.certain:
        common = {
            field: value
            for field, value in facts(answer).items()
            if not answer.open and all(facts(other)[field] == value for _, other in answer.alternatives)
        }
        return {field: value for field, value in common.items() if value and field != "sent"}
    return {field: value for field, value in facts(answer).items() if value}


def _actual(field: str, expected: object, answer: Answer) -> object:
    known = facts(answer)
    if field == "server" and answer.server is not None:
        names = [word.text for word in answer.server.names]
        return expected if expected in names else known[field]
    if field == "sent" and isinstance(expected, dict):
        sent = {name.lower(): value for name, value in known["sent"].items()}
        return {name: sent.get(name.lower(), "") for name in expected}
    return known[field]


def _typed(table: dict[str, Any], types: dict[str, type], place: str) -> dict[str, Any]:
    for key, value in table.items():
        if key not in types:
            raise NginxlintError(f"{place}: unknown key {key!r} ({', '.join(types)})")
        if not isinstance(value, types[key]):
            raise NginxlintError(f"{place}: {key} has to be a {types[key].__name__}")
        if isinstance(value, dict) and not all(isinstance(text, str) for text in value.values()):
            raise NginxlintError(f"{place}: the values of {key} are texts")
    return table


def _look(files: list[Any]) -> Any:
    folders = {str(path).rstrip("/") for path in files if str(path).endswith("/")} | {
        str(path)[:at] for path in files for at in range(1, len(str(path))) if str(path)[at] == "/"
    }
    plain = {str(path) for path in files}
    return lambda path: "file" if path in plain and not path.endswith("/") else "folder" if path in folders else ""


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text or '(not sent)'}" for name, text in value.items()) or "(nothing)"
    return str(value) if value not in ("", 0, None) else "(none)"
