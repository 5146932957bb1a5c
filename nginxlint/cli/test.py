"""`nginxlint test`: routing as unit tests, without nginx. `--write` records what the configuration does today."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from nginxlint.cli.arguments import HelpFormatter, Parser
from nginxlint.cli.configuration import add_input_options, read_configuration, router_of
from nginxlint.cli.output import write_file, write_out
from nginxlint.config import Config
from nginxlint.error import NginxlintError
from nginxlint.reports.text import encodable, encodable_document, visible
from nginxlint.routing.cases import Case, differences, recorded
from nginxlint.routing.examples import example_request, example_uris
from nginxlint.routing.router import Router

FORMATS = ("text", "json", "junit")
DEFAULT = "nginxlint-routes.toml"
_URL = "%:/?#[]@!$&'()*+,;="  # what quoting leaves alone, besides letters and digits
_EPILOG = """A case in FILE (TOML; `config = "PATH"` at its top names the configuration, relative to FILE):

  [[case]]
  url = "https://shop.test/api/users?x=1"     # besides: name, method, headers, client, on, reply, files
  [case.expect]                               # any of:
  location = "/api/"                          # server, location, action, status, redirect, upstream,
  upstream_uri = "/v1/users?x=1"              # upstream_uri
  sent = { Host = "shop.test", Cookie = "" }  # "": not sent

Headers that are given are all there are; else they are unknown, and an expectation has to hold whatever they are. The same
goes for files. exit codes: 0 all hold, 1 some do not, 2 wrong use, 4 internal error."""


def run(argv: Sequence[str]) -> int:
    args = parser().parse_args(list(argv))
    format, _, path = args.output.partition(":")
    if format not in FORMATS:
        raise NginxlintError(f"unknown output format {format!r} ({', '.join(FORMATS)})")
    head, cases, named = _read(args.file, must_exist=not args.write)
    config = read_configuration(args, args.path or named)
    router = router_of(config)
    if args.write:
        cases += [Case({"url": _in_ascii(url)}, "--url") for url in args.url]
        write_file(args.file, _written(head, router, cases or _examples(config)))
        return 0
    if not cases:
        raise NginxlintError(f"{args.file}: no [[case]] in it; nginxlint test --write {args.file} PATH records some")
    results = []
    for case in cases:
        wrong = differences(case, case.answer(router))
        results.append((case.name, "\n".join(map(str, wrong))))
    text = _render(format, args.file, results)
    if path:
        write_file(path, text)
    else:
        write_out(text)
    return int(any(wrong for _, wrong in results))


def _render(format: str, suite: str, results: list[tuple[str, str]]) -> str:
    if format == "junit":
        from nginxlint.reports.junit import render

        return render(suite, results)
    failed = [name for name, wrong in results if wrong]
    if format == "json":
        rows = [{"name": name, "passed": not wrong, "differences": wrong or None} for name, wrong in results]
        document = {"file": suite, "cases": len(results), "failed": len(failed), "results": rows}
        return json.dumps(encodable_document(document), indent=2) + "\n"
    lines = [f"FAILED {name}\n{wrong}" for name, wrong in results if wrong]
    lines.append(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return "\n".join(visible(line) for part in lines for line in part.split("\n")) + "\n"


def _read(path: str, *, must_exist: bool) -> tuple[list[str], list[Case], str]:
    """The comment at the top, the cases, and the configuration the file names."""
    import tomllib

    try:
        with open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError as error:
        if must_exist:
            raise NginxlintError(f"{path}: no such file; nginxlint test --write {path} PATH makes one") from error
        return [], [], ""
    except OSError as error:
        raise NginxlintError(f"{path}: {error.strerror}") from error
    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML
        raise NginxlintError(f"{path}: {error}") from error
    unknown = set(table) - {"config", "case"}
    listed, config = table.get("case", []), table.get("config", "")
    if unknown or not isinstance(listed, list) or not isinstance(config, str):
        raise NginxlintError(
            f'{path}: it holds config = "PATH" and [[case]] tables, not {", ".join(unknown) or "this"}'
        )
    cases = [Case(case, f"{path}: case {number}") for number, case in enumerate(listed, 1) if _is_table(case, path)]
    head = []
    for line in text.splitlines():
        if line.startswith("[["):
            break
        head.append(line)
    return head, cases, os.path.join(os.path.dirname(path), config) if config else ""


def _is_table(case: object, path: str) -> bool:
    if not isinstance(case, dict):
        raise NginxlintError(f"{path}: write cases as [[case]] tables")
    return True


def _examples(config: Config) -> list[Case]:
    """A case for every location that a made-up request can reach, where the file has none."""
    cases = []
    for server in config.http_servers():
        for location in server.locations:
            for uri in example_uris(location)[:1]:
                request = example_request(server, uri)
                on = f"{request.address}:{request.port}" if request.address not in ("*", "[::]") else str(request.port)
                table = {"url": _in_ascii(f"{request.scheme}://{request.host}{uri}"), "on": on}
                if request.address.startswith("unix:") or " " in uri:
                    continue
                cases.append(Case(table, "an example"))
    return cases


def _written(head: list[str], router: Router, cases: list[Case]) -> str:
    lines = list(head)
    for case in cases:
        lines += ["[[case]]", *(f"{key} = {_toml(value)}" for key, value in case.given.items())]
        expected = (f"{key} = {_toml(value)}" for key, value in recorded(case.answer(router)).items())
        # TOML has no way to write a byte that is not UTF-8
        lines += ["[case.expect]", *(line for line in expected if encodable(line) == line), ""]
    return "\n".join(lines)


def _in_ascii(url: str) -> str:
    """A URL with bytes that are not UTF-8 as browsers send them."""
    from urllib.parse import quote_from_bytes

    return url if encodable(url) == url else quote_from_bytes(url.encode("utf-8", "surrogateescape"), _URL)


def _toml(value: Any) -> str:
    """A value as TOML; JSON strings are TOML strings but for DEL."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(text)}" for key, text in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def parser() -> Parser:
    made = Parser(
        prog="nginxlint test",
        description="Test routing: what is expected of requests, against the configuration and without nginx.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("file", nargs="?", default=DEFAULT, metavar="FILE", help=f"the cases (default: {DEFAULT})")
    made.add_argument("path", nargs="?", default="", metavar="PATH", help="the configuration (default: as FILE says)")
    add = made.add_argument
    add("--write", action="store_true", help="write what happens today into FILE (new: one case a location)")
    add("--url", action="append", default=[], metavar="URL", help="with --write: add a case for this; repeatable")
    add("-o", "--output", default="text", metavar="FORMAT[:FILE]", help="text, json or junit (default: text)")
    add_input_options(made)
    return made
