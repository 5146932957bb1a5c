"""Which modules a build of nginx has: from the arguments of its `configure`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nginxlint.catalogue.table import DIRECTIVES

# Built for other systems than Linux, or for none any more.
_OTHER_PLATFORMS = frozenset(
    ["ngx_kqueue_module", "ngx_iocp_module", "ngx_eventport_module", "ngx_devpoll_module", "ngx_rtsig_module"]
)
# `configure` finds the library by itself.
_UNLESS_TOLD = {"ngx_regex_module": "--without-pcre"}


def built_modules(options: tuple[str, ...]) -> frozenset[str]:
    """The names of the modules, dynamic ones included; third-party ones by the repository their folder is named for."""
    given = {option.removesuffix("=dynamic") for option in options}
    added = [
        option.partition("=")[2].rstrip("/").rpartition("/")[2].lower()
        for option in options
        if option.startswith(("--add-module=", "--add-dynamic-module="))
    ]
    modules: set[str] = set()
    for line in DIRECTIVES.lines()[1:]:
        for row in json.loads(line[line.index("\t") + 1 :]):
            module = row["module"]
            build = row.get("build", {})
            option = build.get("option", "")
            if row["kind"] in ("third-party", "plus"):
                if any(_same_module(folder, module) for folder in added):
                    modules.add(module)
                continue
            if module.startswith("ngx_mail_") and "--with-mail" not in given:
                continue
            if module.startswith("ngx_stream_") and "--with-stream" not in given:
                continue
            if module in _OTHER_PLATFORMS:
                continue
            by_itself = module in _UNLESS_TOLD and _UNLESS_TOLD[module] not in given
            if "default" not in build or by_itself or (option not in given) == build["default"]:
                modules.add(module)
            if option.startswith("--with-") and option in given:
                modules.add(module)
    return frozenset(modules)


def modules_with(names: Iterable[str]) -> frozenset[str]:
    """All modules of nginx itself, and of the third-party ones those that are named (`brotli`, `headers-more`)."""
    wanted = {_words(name.lower()) for name in names}
    modules: set[str] = set()
    for line in DIRECTIVES.lines()[1:]:
        for row in json.loads(line[line.index("\t") + 1 :]):
            module = row["module"]
            foreign = row["kind"] in ("third-party", "plus")
            if not foreign or _words(module.rpartition("/")[2].lower()) in wanted or module.lower() in wanted:
                modules.add(module)
    return frozenset(modules)


def _same_module(folder: str, module: str) -> bool:
    """Is the folder of `--add-module` one of this module? Distributions rename folders freely: compare the words."""
    mine = _words(folder)
    return bool(mine) and mine == _words(module.rpartition("/")[2].lower())


def _words(name: str) -> str:
    parts = [part for part in name.replace("_", "-").split("-") if part not in _EMPTY_WORDS and not part[:1].isdigit()]
    return "".join(parts)


_EMPTY_WORDS = {"nginx", "ngx", "module", "http", "libnginx", "mod", "filter", "master", "main"}
