"""`nginxlint graph`: the routing of a configuration as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from nginxlint.cli.arguments import HelpFormatter, Parser
from nginxlint.cli.configuration import add_input_options, read_configuration
from nginxlint.cli.output import write_file, write_out
from nginxlint.config import Config
from nginxlint.error import NginxlintError
from nginxlint.routing.picture import MAX_LOCATIONS, Graph, picture

FORMATS = ("mermaid", "dot", "svg")
INCOMPLETE = 3
_WORST_FIRST = ("failed", "degraded", "unknown", "ok")


def run(argv: Sequence[str]) -> int:
    """0: drawn; 2: wrong use; 3: drawn, but a part of the configuration could not be read, or not all was probed."""
    args = parser().parse_args(list(argv))
    format, _, path = args.output.partition(":")
    if format not in FORMATS:
        raise NginxlintError(f"unknown output format {format!r} ({', '.join(FORMATS)})")
    if args.limit < 2:
        raise NginxlintError("--limit has to be 2 or more")
    config = read_configuration(args, args.path)
    graph = picture(config, args.limit)
    complete = not config.partial or config.snippet
    if args.online:
        complete = _probe(config, graph) and complete
    text = _render(format, graph, config.root)
    if path:
        write_file(path, text)
    else:
        write_out(text)
    return 0 if complete else INCOMPLETE


def _render(format: str, graph: Graph, title: str) -> str:
    if format == "svg":
        from nginxlint.reports import svg

        return svg.render(graph, title)
    from nginxlint.reports import graph_text

    return graph_text.mermaid(graph) if format == "mermaid" else graph_text.dot(graph)


def _probe(config: Config, graph: Graph) -> bool:
    """Colour the addresses by what probing says of them, the worst where several targets share one."""
    from nginxlint.online import stage

    result = stage.run(config)
    verdicts: dict[str, str] = {}
    for row in result.targets_json:
        host = f"[{row['host']}]" if ":" in row["host"] and not row["host"].startswith("unix:") else row["host"]
        label = host if row["port"] is None else f"{host}:{row['port']}"
        words = [word for word in (verdicts.get(label), row["verdict"]) if word in _WORST_FIRST]
        if words:
            verdicts[label] = min(words, key=_WORST_FIRST.index)
    graph.colour(verdicts)
    return result.complete


def parser() -> Parser:
    made = Parser(
        prog="nginxlint graph",
        description="Draw listen → server → location → upstream → address. What leads to the same place is one box.",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("path", nargs="?", default="", metavar="PATH", help="the configuration (default: /etc/nginx)")
    add = made.add_argument
    add("-o", "--output", default="mermaid", metavar="FORMAT[:FILE]", help="mermaid, dot or svg (default: mermaid)")
    add(
        "--limit",
        type=int,
        default=MAX_LOCATIONS,
        metavar="N",
        help="at most so many boxes for the locations of a server",
    )
    add("--online", action="store_true", help="probe every target and colour its address by what is found")
    add_input_options(made)
    return made
