"""One configuration for the commands that ask the routing model: its options, and how it is read."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from nginxlint.catalogue.contexts import guess
from nginxlint.cli.environment import live_version, standard_input
from nginxlint.cli.main import complain
from nginxlint.config import NEWEST, Config
from nginxlint.error import NginxlintError
from nginxlint.inputs import InputOptions, Root, find_roots
from nginxlint.settings import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.routing.router import Router

# Another build may know the name, and requests are routed alike without an events block.
_NO_DOUBT = frozenset(("directive-unknown", "variable-unknown", "events-missing"))


def add_input_options(parser: ArgumentParser) -> None:
    """The options that say how PATH is read; the same as those of `check`."""
    add = parser.add_argument
    add("--root", default="", metavar="DIR", help="look absolute paths up below DIR (a copied tree)")
    add("--prefix", default="", metavar="DIR", help="the folder relative includes start from")
    add("--context", default="", metavar="NAME", help="what surrounds a snippet: http, server, location, stream, …")
    add(
        "--nginx-version",
        default="",
        metavar="X.Y.Z",
        help="the nginx that runs this (default: the installed one for the live tree, else the newest)",
    )


def read_configurations(args: Namespace, path: str) -> list[tuple[Root, Config]]:
    """The configurations PATH stands for; what could not be read goes to standard error."""
    options = InputOptions(context=args.context, prefix=args.prefix, root=args.root, stdin=standard_input)
    roots, unreadable = find_roots([path or _default()], options, guess)
    for item in unreadable:
        complain(f"{item.path}: {item.reason}")
    stated = parse_version(args.nginx_version, "--nginx-version") if args.nginx_version else None
    result = []
    for root in roots:
        version = stated or (root.live and live_version()) or NEWEST
        config = Config(root.given, root.load(), version=version, snippet=root.context is not None)
        for include in config.includes:
            for problem in include.problems:
                complain(f"{include.directive.source.path}:{include.directive.line}: {problem}")
        result.append((root, config))
    if not result:
        raise NginxlintError(f"{path or _default()}: no configuration could be read")
    return result


def read_configuration(args: Namespace, path: str) -> Config:
    """The one configuration PATH stands for: of several roots the first that has servers."""
    configs = [config for _, config in read_configurations(args, path)]
    chosen = next((config for config in configs if config.http_servers()), configs[0])
    if len(configs) > 1:
        complain(f"{len(configs)} configurations found; {chosen.files[0].source.path} is used")
    return chosen


def router_of(config: Config) -> Router:
    """The routes of a configuration; where nginx would refuse it, none of them is certain. What only another build
    would know (an unknown directive) is no reason to doubt the rest."""
    from nginxlint.catalogue import check
    from nginxlint.catalogue.target import Target
    from nginxlint.routing.router import Router

    found = check(config.main, Target(config.version), complete=not config.snippet)
    stops = (refusal for refusal in found if refusal.blocks_start and refusal.rule not in _NO_DOUBT)
    first = next(stops, None)
    return Router(
        config, refusal="" if first is None else f"{first.nginx_message or first.message} (line {first.span.line})"
    )


def _default() -> str:
    for path in ("nginx.conf", "/etc/nginx"):
        if os.path.exists(path):
            return path
    raise NginxlintError("no nginx.conf here and no /etc/nginx; name a file or a folder")
