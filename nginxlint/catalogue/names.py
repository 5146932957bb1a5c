"""Variables: who defines them, where arguments read them, and which of the read ones nobody defines."""

from __future__ import annotations

import re

from nginxlint.catalogue.context import SUBSYSTEM
from nginxlint.catalogue.nearest import nearest
from nginxlint.catalogue.table import VARIABLES
from nginxlint.catalogue.variant import parse_version
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.variant import Variant
    from nginxlint.syntax import Directive

# What `ngx_http_script_compile()` takes for a variable: a digit alone is a capture.
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]*)(\}?)|([1-9])|([A-Za-z0-9_]*))")
_NAMED_CAPTURE = re.compile(r"\(\?P?<([A-Za-z_]\w*)>|\(\?'([A-Za-z_]\w*)'", re.ASCII)
_EVERY = -1

# Arguments that are read for variables, where it is not all of them (-1) or the catalogue does not tell.
# Source: the setters of the modules, tried on real nginx.
_READ: dict[str, tuple[int, ...]] = {
    "add_header": (1,),
    "add_trailer": (1,),
    "aio": (),
    "auth_basic_user_file": (0,),
    "auth_request_set": (1,),
    "fastcgi_param": (1,),
    "geo": (),
    "grpc_set_header": (1,),
    "hash": (0,),
    "limit_conn_zone": (0,),
    "limit_req_zone": (0,),
    "limit_zone": (),
    "map": (0,),
    "open_log_file_cache": (),
    "perl_set": (),
    "proxy_set_header": (1,),
    "rewrite": (1,),
    "scgi_param": (1,),
    "set": (1,),
    "split_clients": (0,),
    "ssl_certificate": (0,),
    "ssl_certificate_key": (0,),
    "uwsgi_param": (1,),
    "xslt_param": (1,),
    "xslt_string_param": (),
    "xslt_stylesheet": (_EVERY,),
}
# Directives that name a variable they create: the argument (-1: the last one).
_DEFINES: dict[str, int] = {
    "set": 0,
    "map": 1,
    "num_map": 1,
    "geo": -1,
    "split_clients": 1,
    "perl_set": 0,
    "auth_request_set": 0,
    "keyval": 1,
    "js_set": 0,
    "js_var": 0,
}
# Directives that read a variable they do not name; it has to be set by somebody.
_NEEDS = {"memcached_pass": "memcached_key"}
# A regular expression that begins so is no text with variables.
_REGEX_FIRST = frozenset(("proxy_redirect", "proxy_cookie_domain", "proxy_cookie_path", "proxy_cookie_flags"))
_CAPTURING = frozenset(
    ("location", "server_name", "rewrite", "if", "proxy_redirect", "proxy_cookie_domain", "proxy_cookie_path")
)


class Use:
    """An unexplained read of a variable."""

    __slots__ = ("directive", "index")

    def __init__(self, directive: Directive, index: int) -> None:
        self.directive = directive
        self.index = index


class Variables:
    """The variables of http or of stream, as they turn up in the tree."""

    __slots__ = ("context", "defined", "explained", "subsystem", "texts", "unexplained")

    def __init__(self, context: Context, subsystem: str) -> None:
        self.context = context
        self.subsystem = subsystem
        self.defined: dict[str, Directive] = {}
        self.unexplained: dict[str, list[Use]] = {}
        self.explained: set[str] = set()
        self.texts: dict[str, tuple[str, ...]] = {}

    def hook(self, name: str, variant: Variant) -> Callable[[Directive], None] | None:
        """What to do with every directive of this variant; None where it has nothing to do with variables."""
        if name == "if":
            return self._condition
        foreign = variant.kind in ("third-party", "plus")
        defines = _DEFINES.get(name)
        if defines is None and foreign and (name.startswith(("set_", "js_")) or not variant.variables):
            return self._foreign
        reads = _READ.get(name)
        if name == "log_format":
            return self._log_format
        if name in _REGEX_FIRST:
            return self._regex_or_text
        if name == "access_log":
            return self._access_log
        if name == "error_page":
            return self._last
        if reads is None and variant.variables and "_by_lua" not in name:
            reads = (_EVERY,)
        if reads is None and defines is None and name not in _CAPTURING and name not in _NEEDS:
            return None
        return self._plan(name, reads or (), defines)

    def _plan(self, name: str, reads: tuple[int, ...], defines: int | None) -> Callable[[Directive], None]:
        need = _NEEDS.get(name, "")
        body = name == "map"
        captures = name in _CAPTURING

        def run(directive: Directive) -> None:
            values = directive.values
            if defines is not None and values:
                self._define(values[defines], directive)
            if captures:
                self._captures(values, directive)
            if name == "geo" and len(values) == 2:
                self._bare(directive, 0)
            if need:
                self._read(need, directive, -1)
            if reads:
                indexes = range(len(values)) if reads[0] == _EVERY else reads
                for index in indexes:
                    if index < len(values) and "$" in values[index]:
                        self._text(directive, index)
            if body and directive.body:
                self._map_body(directive.body)

        return run

    # --- definitions ------------------------------------------------------------------------------------------

    def _define(self, text: str, directive: Directive) -> None:
        if text.startswith("$"):
            self.defined.setdefault(text[1:].lower(), directive)

    def _captures(self, values: tuple[str, ...], directive: Directive) -> None:
        for value in values:
            if "(?" in value:
                for match in _NAMED_CAPTURE.finditer(value):
                    self.defined.setdefault((match[1] or match[2]).lower(), directive)

    def _foreign(self, directive: Directive) -> None:
        """A module whose parser we do not know: a variable it names first is taken to be its own."""
        if directive.values:
            self._define(directive.values[0], directive)
        for line in directive.body or ():
            self._define(line.name, line)

    # --- reads ------------------------------------------------------------------------------------------------

    def _text(self, directive: Directive, index: int) -> None:
        text = directive.values[index]
        names = self.texts.get(text)
        if names is None:
            names = self.texts[text] = tuple(
                name.lower() for match in _VARIABLE.finditer(text) if (name := match[1] if match[2] else match[4])
            )
        for name in names:
            if name not in self.explained:
                self._read(name, directive, index)

    def _read(self, name: str, directive: Directive, index: int) -> None:
        if self._is_built_in(name):
            self.explained.add(name)
        else:
            self.unexplained.setdefault(name, []).append(Use(directive, index))

    def _bare(self, directive: Directive, index: int) -> None:
        """An argument that is one variable, dollar and name."""
        text = directive.values[index]
        if text.startswith("$") and text[1:].lower() not in self.explained:
            self._read(text[1:].lower(), directive, index)

    def _condition(self, directive: Directive) -> None:
        """`if`: `($x)`, `($x = text)`, `($x ~ regex)`, `(-f text)`."""
        values = directive.values
        regex = any(value in ("~", "~*", "!~", "!~*") for value in values[1:2] or ())
        if not regex and len(values) > 2 and values[0] == "(":
            regex = values[2] in ("~", "~*", "!~", "!~*")
        self._captures(values, directive)
        for index, value in enumerate(values):
            if "$" not in value:
                continue
            if regex and index >= 2 - (values[0] != "("):
                break
            first = value.lstrip("(")
            if first.startswith("$") and index <= 1 and not regex and len(values) - (values[0] == "(") <= 1:
                name = first[1:].rstrip(")").lower()
                if name and name not in self.explained and re.fullmatch(r"\w+", name, re.ASCII) and name[0] not in "123456789":
                    self._read(name, directive, index)
            else:
                self._text(directive, index)

    def _log_format(self, directive: Directive) -> None:
        for index in range(1, len(directive.values)):
            if "$" in directive.values[index]:
                self._text(directive, index)

    def _regex_or_text(self, directive: Directive) -> None:
        self._captures(directive.values, directive)
        for index, value in enumerate(directive.values):
            if "$" in value and not (index == 0 and value.startswith("~")):
                self._text(directive, index)

    def _access_log(self, directive: Directive) -> None:
        for index, value in enumerate(directive.values):
            if "$" in value and not (index == 0 and value.startswith("syslog:")):
                if index == 0 or value.startswith("if="):
                    self._text(directive, index)

    def _last(self, directive: Directive) -> None:
        if directive.values and "$" in directive.values[-1]:
            self._text(directive, len(directive.values) - 1)

    def _map_body(self, body: list[Directive]) -> None:
        for line in body:
            key = line.name
            if key.startswith("~") and "(?" in key:
                self._captures((key,), line)
            if len(line.values) == 1 and "$" in line.values[0]:
                self._text(line, 0)

    # --- the tables -------------------------------------------------------------------------------------------

    def _is_built_in(self, name: str) -> bool:
        target = self.context.target
        for row in VARIABLES.rows(name):
            if not row.get("prefix") and self._exists(row):
                return True
        at = name.find("_")
        while at > 0:
            for row in VARIABLES.rows(name[: at + 1]):
                if row.get("prefix") and row["context"] == self.subsystem and target.has(row["module"]):
                    return True
            at = name.find("_", at + 1)
        return False

    def _exists(self, row: dict[str, Any]) -> bool:
        target = self.context.target
        if row["context"] != self.subsystem or row.get("kind") == "user-defined":
            return False
        if row.get("kind") == "plus" and not target.plus:
            return False
        if (since := row.get("since")) and since[0].isdigit() and target.version < parse_version(since):
            return False
        if (removed := row.get("removed")) and target.version >= parse_version(removed):
            return False
        return row.get("kind") == "plus" or target.has(row["module"])

    # --- the verdict ------------------------------------------------------------------------------------------

    def unknown(self) -> Iterator[Refusal]:
        """One refusal for each variable that is read and that nothing defines, in the order of the first reads."""
        for name, uses in self.unexplained.items():
            if name not in self.defined:
                yield self._refusal(name, uses)

    def _refusal(self, name: str, uses: list[Use]) -> Refusal:
        first = uses[0]
        directive = first.directive
        values = directive.values
        written, span = name, directive.head_span
        if first.index >= 0:
            word = directive.args[first.index]
            text = values[first.index]
            span = word.span
            for match in _VARIABLE.finditer(text):
                found = match[1] if match[2] else match[4]
                if found and found.lower() == name:
                    written, span = found, word.part(match.start(), match.end())
                    break
        known = [row for row in self.defined] + [
            other
            for other in VARIABLES.names()
            if any(self._exists(row) and not row.get("prefix") for row in VARIABLES.rows(other))
        ]
        close = nearest(written, known)
        help = [f'did you mean "${close}"?'] if close else []
        help += self._reasons(name)
        if first.index < 0:
            help.append(f"set ${name} before {directive.name}, for example: set ${name} $uri;")
        elif not help:
            help.append(f"define it with set, map or geo, or as a named capture; or remove ${written}")
        others = {id(use.directive): use.directive for use in uses[1:] if use.directive is not directive}
        return self.context.refuse(
            "variable-unknown",
            directive,
            f"nothing defines the variable ${written}" + (f" (used {len(uses)} times)" if len(uses) > 1 else ""),
            f'unknown "{written}" variable',
            span=span,
            nginx_at=None,
            label="no built-in, set, map or capture of this name",
            related=tuple(Note(other.head_span, "also used here") for other in list(others.values())[:20]),
            help=tuple(help),
        )

    def _reasons(self, name: str) -> list[str]:
        reasons = []
        for row in VARIABLES.rows(name):
            since, removed = row.get("since"), row.get("removed")
            version = self.context.target.version
            if row["context"] != self.subsystem:
                reasons.append(f"${name} exists in {row['context']} only")
            elif since and since[0].isdigit() and version < parse_version(since):
                reasons.append(f"${name} works on {since} and later; you target {self.context.target.version_text}")
            elif removed and version >= parse_version(removed):
                reasons.append(f"${name} was removed in {removed}")
            elif row.get("kind") == "plus":
                reasons.append(f"only NGINX Plus has ${name}")
            elif row.get("kind") != "user-defined":
                reasons.append(f"${name} belongs to {row['module']}, which this nginx lacks")
        return reasons


def variables_of(context: Context, place: str) -> Variables | None:
    """The variables of the world a place belongs to; None in main and mail, which have none."""
    subsystem = SUBSYSTEM.get(place)
    if subsystem not in ("http", "stream"):
        return None
    variables: Variables | None = context.state.get(f"variables.{subsystem}")
    if variables is None:
        variables = context.state[f"variables.{subsystem}"] = Variables(context, subsystem)
    return variables
