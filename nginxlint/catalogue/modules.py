"""Which modules a build of nginx has: from the arguments of its `configure`."""

from __future__ import annotations

import json

from nginxlint.catalogue.table import DIRECTIVES

# Options that are not in the catalogue because no directive of their own hangs on them: what they bring along.
_ALSO = {
    "--with-mail": "ngx_mail_",
    "--with-stream": "ngx_stream_",
}


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
            if "default" not in build or (option not in given) == build["default"]:
                modules.add(module)
            if option.startswith("--with-") and option in given:
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
