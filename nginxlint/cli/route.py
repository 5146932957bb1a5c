"""`nginxlint route`: which server and location answer a URL, what is sent where, and why."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence

from nginxlint.cli.arguments import HelpFormatter, Parser
from nginxlint.cli.configuration import add_input_options, read_configuration, router_of
from nginxlint.cli.main import complain
from nginxlint.cli.output import write_out
from nginxlint.error import NginxlintError
from nginxlint.reports.text import encodable_document, visible
from nginxlint.routing.answer import Answer
from nginxlint.routing.request import Request, gathered, lines_of, request_of_url

INCOMPLETE = 3


def run(argv: Sequence[str]) -> int:
    """0: answered; 2: wrong use; 3: some lines of --requests are no requests."""
    args = parser().parse_args(list(argv))
    if args.requests:
        if args.path:
            raise NginxlintError("--requests takes the URLs from a file; name only the configuration besides it")
        args.path, args.url = args.url, ""
    elif not args.url:
        raise NginxlintError("route needs a URL (or --requests FILE)\nTry: nginxlint route --help")
    given = [(args.url, _request(args, {"url": args.url}))] if args.url else None
    router = router_of(read_configuration(args, args.path))
    if given is not None:
        _print(args, given[0][0], router.route(given[0][1]))
        return 0
    code = 0
    several: list[dict[str, object]] = []
    for number, line in enumerate(_lines(args.requests), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            case = case_of(line)
            url, answer = str(case["url"]), router.route(_request(args, case))
        except NginxlintError as error:
            complain(f"{args.requests}:{number}: {error}")
            code = INCOMPLETE
            if args.output == "jsonl":  # one line each, so that lines stay in step
                _print_json({"url": line.strip(), "action": "error", "status": None, "error": str(error)})
            continue
        if args.output == "json":
            several.append(answer.to_json(url))
        else:
            _print(args, url, answer)
    if args.output == "json":
        _print_json(several, indent=2)
    return code


def case_of(line: str) -> dict[str, object]:
    """One line of --requests: a URL, or a JSON object with url, method, headers."""
    line = line.strip()
    if not line.startswith("{"):
        return {"url": line}
    try:
        case = json.loads(line)
        json.dumps(case, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except (ValueError, RecursionError) as error:
        raise NginxlintError(f"no JSON: {error}") from error
    if not isinstance(case.get("url"), str):
        raise NginxlintError('the object has no "url"')
    if not isinstance(case.get("headers", {}), dict) or not isinstance(case.get("method", "GET"), str):
        raise NginxlintError('"headers" is an object and "method" a text')
    return dict(case)


def request_of_case(case: dict[str, object], on: str = "", client: str = "") -> Request:
    """The request of a case; headers listed in a case are all there are."""
    headers = case.get("headers")
    return request_of_url(
        str(case["url"]),
        method=str(case.get("method", "GET")),
        headers=gathered(_of_case(headers)) if isinstance(headers, dict) else None,
        complete=isinstance(headers, dict),
        on=str(case.get("on", on)),
        client=str(case.get("client", client)),
    )


def _request(args: Namespace, case: dict[str, object]) -> Request:
    headers = _pairs("-H", args.header)
    request = request_of_case({"method": args.method, **case}, args.on, args.client)
    for name, value in headers.items():
        if name == "host" or name not in request.headers:
            request.headers[name] = value
    request.complete = request.complete or args.only_headers
    request.reply = {name: lines_of(value)[-1] for name, value in _pairs("--reply", args.reply).items()}
    return request


def _of_case(headers: dict[object, object]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        for line in value if isinstance(value, list) else [value]:
            yield str(name).lower(), str(line)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    """The headers of several texts by name."""
    pairs = []
    for text in texts:
        name, mark, value = text.partition(":")
        if not mark or not name.strip():
            raise NginxlintError(f'{option} "{text}": write NAME: VALUE')
        pairs.append((name.strip().lower(), value.strip()))
    return gathered(pairs)


def _print(args: Namespace, url: str, answer: Answer) -> None:
    if args.output == "text":
        write_out("\n".join(visible(line) for line in answer.to_text(url).split("\n")))
    else:
        _print_json(answer.to_json(url), indent=2 if args.output == "json" else None)


def _print_json(document: object, indent: int | None = None) -> None:
    write_out(json.dumps(encodable_document(document), indent=indent) + "\n")


def _lines(path: str) -> Iterator[str]:
    if path == "-" and sys.stdin is None:
        raise NginxlintError("-: there is no standard input")
    try:
        with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
            for line in file:
                yield line.decode("utf-8", "surrogateescape")
    except OSError as error:
        raise NginxlintError(f"{path}: {error.strerror}") from error


def parser() -> Parser:
    made = Parser(
        prog="nginxlint route",
        description="Show which server and location answer a URL, what is sent to which upstream, and why.",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("url", nargs="?", default="", metavar="URL", help="http://HOST[:PORT]/PATH?QUERY")
    made.add_argument("path", nargs="?", default="", metavar="PATH", help="the configuration (default: /etc/nginx)")
    add = made.add_argument
    add("-X", "--method", default="GET", help="the request method (default: GET)")
    add(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="NAME: VALUE",
        help="a request header; repeatable, also for one name",
    )
    add("--only-headers", action="store_true", help="headers that are not given are not sent (else: unknown)")
    add("--client", default="", metavar="ADDRESS", help="the address the connection comes from")
    add("--reply", action="append", default=[], metavar="NAME: VALUE", help="a header the upstream answers with")
    add("--on", default="", metavar="ADDRESS:PORT", help="the local address the connection arrives at")
    add("--requests", default="", metavar="FILE", help="many: a URL or a JSON object a line (- for standard input)")
    add("-o", "--output", choices=("text", "json", "jsonl"), default="text")
    add_input_options(made)
    return made
