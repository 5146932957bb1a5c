"""Variables: who defines them, where arguments read them, and which of the read ones nobody defines."""

from __future__ import annotations

from nginxlint.catalogue.context import SUBSYSTEM, closing, unread
from nginxlint.catalogue.nearest import nearest
from nginxlint.catalogue.table import VARIABLES
from nginxlint.catalogue.target import STREAM_LIKE_HTTP
from nginxlint.catalogue.variant import parse_version
from nginxlint.diagnostic import Confidence, Fix, Note
from nginxlint.edits import insert_into
from nginxlint.expressions import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match
    from typing import Any

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.target import Version
    from nginxlint.catalogue.variant import Variant
    from nginxlint.source import Span
    from nginxlint.syntax import Block, Directive

# What `ngx_http_script_compile()` takes for a variable: a digit alone is a capture.
_VARIABLE = compiled(r"\$(?:\{([A-Za-z0-9_]*)(\}?)|([1-9])|([A-Za-z0-9_]*))")
# What `ngx_http_log_compile_format()` does: brace, name in braces, bare name, closing brace.
LOGGED = compiled(r"\$(?:(\{)([A-Za-z0-9_]*)|([A-Za-z0-9_]*))(\}?)")
_NAMED_CAPTURE = compiled(r"(?a)\(\?P?<([A-Za-z_]\w*)>|\(\?'([A-Za-z_]\w*)'")
_EVERY = -1

# Arguments that are read for variables, where it is not all of them (-1) or the catalogue does not tell.
# Source: the setters of the modules, tried on real nginx.
_READ: dict[str, tuple[int, ...]] = {
    "add_header": (1,),
    "add_trailer": (1,),
    "subs_filter": (1,),
    "aio": (0,),
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
# Directives of other modules that begin so make variables, although they read some, too.
_MAKES = ("set_", "js_", "lua_add_variable", "vhost_traffic_status_set_by", "array_map")
# Directives that read a variable they do not name; it has to be set by somebody.
_NEEDS = {"memcached_pass": "memcached_key"}
_CONNECTION_UPGRADE = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"
# A regular expression that begins so is no text with variables.
_REGEX_FIRST = frozenset(("proxy_redirect", "proxy_cookie_domain", "proxy_cookie_path", "proxy_cookie_flags"))
_COMPARES = frozenset(("~", "~*", "!~", "!~*"))
_MAP_PARAMETERS = frozenset(("include", "volatile", "hostnames"))
_CAPTURING = frozenset(
    ("location", "server_name", "rewrite", "if", "proxy_redirect", "proxy_cookie_domain", "proxy_cookie_path")
)


# Headers and parameters are compiled when the values of a server or location are merged.
_COMPILED_LATE = frozenset(
    (
        "proxy_set_header",
        "grpc_set_header",
        "fastcgi_param",
        "scgi_param",
        "uwsgi_param",
        "ssl_certificate",
        "ssl_certificate_key",
    )
)


class Use:
    """An unexplained read of a variable."""

    __slots__ = ("directive", "index", "late")

    def __init__(self, directive: Directive, index: int, late: bool) -> None:
        self.directive = directive
        self.index = index
        self.late = late

    def counts(self, http: Block, version: Version) -> bool:
        """Does nginx compile it at all?"""
        return not self.late or is_compiled(self.directive, http, version)


class Variables:
    """The variables of http or of stream, as they turn up in the tree."""

    __slots__ = ("bad_late", "context", "defined", "explained", "open_reads", "subsystem", "texts", "unexplained")

    def __init__(self, context: Context, subsystem: str) -> None:
        self.context = context
        self.subsystem = subsystem
        self.defined: dict[str, Directive] = {}
        self.unexplained: dict[str, list[Use]] = {}
        self.open_reads = 0
        self.bad_late: list[tuple[Directive, int, Match[str]]] = []
        self.explained: set[str] = set()
        self.texts: dict[str, tuple[str, ...]] = {}

    def hook(self, name: str, variant: Variant) -> Callable[[Directive], Refusal | None] | None:
        """What to do with every directive of this variant; None where it has nothing to do with variables."""
        if name == "if":
            return self._condition
        foreign = variant.kind in ("third-party", "plus")
        defines = _DEFINES.get(name)
        if defines is None and foreign and (name.startswith(_MAKES) or not variant.variables):
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
        if name == "expires":
            return self._expires
        if name == "charset":
            return self._charset
        if reads is None and variant.variables and "_by_lua" not in name:
            reads = (_EVERY,)
        if reads is None and defines is None and name not in _CAPTURING and name not in _NEEDS:
            return None
        return self._plan(name, reads or (), defines)

    def hook_for_all(self, name: str, variant: Variant) -> Callable[[str], bool] | None:
        """What tells of a text, the arguments of many directives of this variant, whether the hook has nothing to do with
        any of them; None where that is not known of arguments alone."""
        if (
            variant.kind in ("third-party", "plus")
            or name in _DEFINES
            or name in _NEEDS
            or name in ("if", "log_format")
        ):
            return None
        only_captures = name in _CAPTURING and name not in _READ and name not in _REGEX_FIRST and not variant.variables
        return _captures_nothing if only_captures else self._explain

    def _explain(self, text: str) -> bool:
        """Is every variable in a text one of nginx's, or one that stands above? And is none made in it?"""
        if not _captures_nothing(text):
            return False
        # what stands before a variable is different everywhere, what comes behind it rarely
        for read in {behind.partition("\n")[0] for behind in text.split("$")[1:]}:
            for braced, closed, digit, bare in _VARIABLE.findall("$" + read):
                name = (braced if closed else bare).lower()
                if not digit and name not in self.explained and not (name and self._is_known(name)):
                    return False
        return True

    def _plan(self, name: str, reads: tuple[int, ...], defines: int | None) -> Callable[[Directive], Refusal | None]:
        need = _NEEDS.get(name, "")
        body = name == "map"
        captures = name in _CAPTURING
        late = name in _COMPILED_LATE
        texts_first = name in ("map", "split_clients")
        only_text = defines is None and not need and name not in ("map", "geo")
        mark = ("$" if not captures else "") if reads else "(?"

        def run(directive: Directive) -> Refusal | None:
            values = directive.values
            if only_text and mark not in "".join(values):
                return None
            refusal: Refusal | None = None
            if name == "geo" and len(values) == 2 and (values[0][:1] != "$" or len(values[0]) == 1):
                return self._bad_definition(directive, 0)
            if defines is not None and values and not texts_first:
                refusal = self._define_checked(directive, defines)
            if captures:
                self._captures(_patterns(name, values), directive)
            if name == "geo" and len(values) == 2:
                self._bare(directive, 0)
            if need:
                self._read(need, directive, -1)
            if reads:
                indexes = range(len(values)) if reads[0] == _EVERY else reads
                for index in indexes:
                    if index < len(values) and "$" in values[index]:
                        found = self._text(directive, index, late)
                        refusal = refusal or found
            if defines is not None and values and texts_first:
                found = self._define_checked(directive, defines)
                refusal = refusal or found
            if body and directive.body:
                found = self._map_body(directive.body)
                refusal = refusal or found
            return refusal

        return run

    # --- definitions ------------------------------------------------------------------------------------------

    def _define(self, text: str, directive: Directive) -> None:
        if text.startswith("$"):
            self.defined.setdefault(text[1:].lower(), directive)

    def _define_checked(self, directive: Directive, index: int) -> Refusal | None:
        """Define a variable as `ngx_http_add_variable()` does: no name, no dollar and some names are refused."""
        text = directive.values[index]
        word = directive.args[index % len(directive.values)]
        if not text.startswith("$") or len(text) == 1:
            return self._bad_definition(directive, index)
        name = text[1:].lower()
        if self.is_fixed(name):
            return self.context.refuse(
                "variable-redefined",
                directive,
                f"{text} is a variable of nginx itself: it cannot be set",
                f'the duplicate "{text[1:]}" variable',
                word=word,
                help=("choose another name",),
            )
        self.defined.setdefault(name, directive)
        return None

    def _bad_definition(self, directive: Directive, index: int) -> Refusal:
        text = directive.values[index]
        return self.context.refuse(
            "variable-invalid",
            directive,
            f'"{directive.name}" needs the name of a variable, with its dollar sign, not "{text}"',
            f'invalid variable name "{text}"',
            word=directive.args[index % len(directive.values)],
            help=(f"write ${text}",) if text.isidentifier() else (),
        )

    def is_fixed(self, name: str) -> bool:
        """Is it a built-in variable that nobody may assign?"""
        rows = [row for row in VARIABLES.rows(name) if not row.get("prefix") and self.exists(row)]
        return bool(rows) and not any(row.get("settable") for row in rows)

    def _captures(self, values: tuple[str, ...], directive: Directive) -> None:
        for value in values:
            if "(?" in value:
                for match in _NAMED_CAPTURE.finditer(value):
                    self.defined.setdefault((match[1] or match[2]).lower(), directive)

    def _foreign(self, directive: Directive) -> Refusal | None:
        """A module whose parser we do not know: a variable it names is taken to be its own (`array_join … to=$list`)."""
        for value in directive.values:
            self._define(value.rpartition("=")[2], directive)
        for line in directive.body or ():
            self._define(line.name, line)
        return None

    # --- reads ------------------------------------------------------------------------------------------------

    def _text(self, directive: Directive, index: int, late: bool = False) -> Refusal | None:
        """Text with variables, as `ngx_http_script_compile()` reads it."""
        text = directive.values[index]
        variables = text[text.find("$") :]  # what stands before them is different everywhere
        names = self.texts.get(variables)
        if names is None:
            found: list[str] = []
            for match in _VARIABLE.finditer(text):
                if match[3]:
                    continue
                name = match[1] if match[1] is not None else match[4]
                if match[2] == "" or not name:
                    return self._bad_name(directive, index, match, late)
                found.append(name.lower())
            names = self.texts[variables] = tuple(found)
        for name in names:
            if name not in self.explained:
                self._read(name, directive, index, late)
        return None

    def _bad_name(self, directive: Directive, index: int, match: Match[str], late: bool) -> Refusal | None:
        if late:
            self.bad_late.append((directive, index, match))
            return None
        return self._bad(directive, index, match, "end")

    def _bad(self, directive: Directive, index: int, match: Match[str], nginx_at: Span | str) -> Refusal:
        word = directive.args[index]
        # where the text ends with the brace nginx does not come to look for the other one
        unclosed = match[1] is not None and not match[2] and match.end() < len(word.text) + bool(match[1])
        return self.context.refuse(
            "variable-invalid",
            directive,
            "the brace of this variable is never closed" if unclosed else "a $ without the name of a variable",
            f'the closing bracket in "{match[1]}" variable is missing' if unclosed else "invalid variable name",
            span=word.part(match.start(), max(match.end(), match.start() + 1)),
            nginx_at=nginx_at,
            help=('nginx cannot write a literal $ here; define one with geo: geo $dollar { default "$"; }',)
            if not unclosed
            else (f"write ${{{match[1]}}}",),
        )

    def _read(self, name: str, directive: Directive, index: int, late: bool = False) -> None:
        if not self._is_known(name):
            self.open_reads += 1
            self.unexplained.setdefault(name, []).append(Use(directive, index, late))

    def _is_known(self, name: str) -> bool:
        """Is it a variable of nginx's, or one that stands above?"""
        known = name in self.defined or (name not in self.unexplained and self._is_built_in(name))
        if known:
            self.explained.add(name)
        return known

    def _bare(self, directive: Directive, index: int) -> None:
        """An argument that is one variable, dollar and name."""
        text = directive.values[index]
        if text.startswith("$") and text[1:].lower() not in self.explained:
            self._read(text[1:].lower(), directive, index)

    def _condition(self, directive: Directive) -> Refusal | None:
        """`if`: `($x)`, `($x = text)`, `($x ~ regex)`, `(-f text)`. Its own check judges the form."""
        if not _COMPARES.isdisjoint(directive.values):
            self._captures(directive.values, directive)
        if directive.values and not directive.values[0].startswith("("):
            return None
        words = [(index, value) for index, value in enumerate(directive.values) if value not in ("(", ")")]
        if not words:
            return None
        index, first = words[0]
        first = first.removeprefix("(")
        if first.startswith("$"):
            name = first[1:].removesuffix(")" if len(words) == 1 else "").lower()
            # here nginx takes the whole word for the name, whatever it consists of
            if name and name not in self.explained:
                self._read(name, directive, index)
            if len(words) < 3 or words[1][1] not in ("=", "!="):
                return None
        for index, value in words[1:]:
            if "$" in value:
                return self._text(directive, index)
        return None

    def _log_format(self, directive: Directive) -> Refusal | None:
        """Its own check judges the form, with nginx's other words for it. There are no captures: $1 is a variable."""
        for index, value in enumerate(directive.values[1:], 1):
            for match in LOGGED.finditer(value) if "$" in value else ():
                name = logged_name(match).lower()
                if name and name not in self.explained:
                    self._read(name, directive, index)
        return None

    def _regex_or_text(self, directive: Directive) -> Refusal | None:
        if directive.values and directive.values[0].startswith("~"):
            self._captures(directive.values[:1], directive)
        for index, value in enumerate(directive.values):
            if "$" in value and not (index == 0 and value.startswith("~")):
                refusal = self._text(directive, index)
                if refusal is not None:
                    return refusal
        return None

    def _access_log(self, directive: Directive) -> Refusal | None:
        for index, value in enumerate(directive.values):
            if "$" in value and (value.startswith("if=") if index else not value.startswith("syslog:")):
                refusal = self._text(directive, index)
                if refusal is not None:
                    return refusal
        return None

    def _last(self, directive: Directive) -> Refusal | None:
        values = directive.values
        return self._text(directive, len(values) - 1) if values and "$" in values[-1] else None

    def _charset(self, directive: Directive) -> Refusal | None:
        """`ngx_http_set_charset_slot`: the whole word is the name of the variable."""
        if directive.values[0] == "$":
            return self._bad_definition(directive, 0)
        self._bare(directive, 0)
        return None

    def _expires(self, directive: Directive) -> Refusal | None:
        """`ngx_http_headers_expires`: what stands before the time has to be right before nginx looks at the time."""
        values = directive.values
        return None if len(values) == 2 and values[0] != "modified" else self._last(directive)

    def _map_body(self, body: tuple[Directive, ...]) -> Refusal | None:
        refusal: Refusal | None = None
        for line in body:
            key = line.name
            if key.startswith("~") and "(?" in key:
                self._captures((key,), line)
            if len(line.values) == 1 and "$" in line.values[0] and key not in _MAP_PARAMETERS:
                found = self._text(line, 0)
                refusal = refusal or found
        return refusal

    # --- the tables -------------------------------------------------------------------------------------------

    def _is_built_in(self, name: str) -> bool:
        for row in VARIABLES.rows(name):
            if not row.get("prefix") and self.exists(row):
                return True
        at = name.find("_")
        while at > 0:
            for row in VARIABLES.rows(name[: at + 1]):
                if row.get("prefix") and self.exists(row):
                    return True
            at = name.find("_", at + 1)
        return False

    def exists(self, row: dict[str, Any]) -> bool:
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

    def unknown(self, block: Block) -> Iterator[Refusal]:
        """One refusal for each variable that is read and that nothing defines, in the order of the first reads."""
        for directive, index, match in self.bad_late:
            if is_compiled(directive, block, self.context.version):
                yield self._bad(directive, index, match, closing(block))
        for name, uses in self.unexplained.items():
            if name not in self.defined and (uses := [use for use in uses if use.counts(block, self.context.version)]):
                yield self._refusal(name, uses, block)

    def _known(self) -> list[str]:
        """Every variable there is here."""
        shipped = (name for name in VARIABLES.names() if any(self._is_name(row) for row in VARIABLES.rows(name)))
        return [*self.defined, *shipped]

    def _is_name(self, row: dict[str, Any]) -> bool:
        return self.exists(row) and not row.get("prefix")

    def _refusal(self, name: str, uses: list[Use], block: Block) -> Refusal:
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
        close = nearest(written, self._known()) if self.context.may_guess() else ""
        help = [f'did you mean "${close}"?'] if close else []
        if name == "connection_upgrade":
            help = [f"write {_CONNECTION_UPGRADE} in http"]
        help += self._reasons(name)
        if first.index < 0:
            help.append(f"set ${name} before {directive.name}, for example: set ${name} $uri;")
        elif not help:
            help.append(f"define it with set, map or geo, or as a named capture; or remove ${written}")
        gap = unread(self.context)
        if gap:
            help.append(gap)
        fixes: tuple[Fix, ...] = ()
        if name == "connection_upgrade" and block.name == "http" and not gap:
            # the map of the WebSocket page of nginx's documentation, which is copied without it
            fixes = (Fix("write the map it stands for", (insert_into(block, _CONNECTION_UPGRADE),), safe=True),)
        others = {id(use.directive): use.directive for use in uses[1:] if use.directive is not directive}
        refusal = self.context.refuse(
            "variable-unknown",
            directive,
            f"nothing defines the variable ${written}" + (f" (used {len(uses)} times)" if len(uses) > 1 else ""),
            f'unknown "{written}" variable',
            span=span,
            nginx_at=None,
            label="no built-in, set, map or capture of this name",
            related=tuple(Note(other.head_span, "also used here") for other in list(others.values())[:20]),
            help=tuple(help),
            fixes=fixes,
        )
        if gap:
            refusal.confidence = Confidence.MEDIUM
        return refusal

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


def _patterns(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Those arguments of a directive that are regular expressions."""
    if name == "location":
        return values if values and values[0].startswith("~") else ()
    if name == "server_name":
        return tuple(value for value in values if value.startswith("~"))
    return values[:1]


def logged_name(match: Match[str]) -> str:
    """The variable that a match of LOGGED names; empty where nginx refuses it."""
    if match[1]:
        return match[2] if match[4] else ""
    return match[3] or ""


def _captures_nothing(text: str) -> bool:
    return "(?" not in text or _NAMED_CAPTURE.search(text) is None


def is_merged(directive: Directive, http: Block) -> bool:
    """Does any server get to merge this value? What stands in http and every server replaces is never looked at; of
    `types` there nginx makes a table nevertheless, for the first server (`ngx_http_core_merge_loc_conf`)."""
    if directive.parent is not http:
        types = directive.parent
        if types is not None and types.name == "types" and types.parent is http:
            return any(child.name == "server" for child in http.body)
        return True
    name = directive.name
    return any(
        child.name == "server" and child.body is not None and all(inner.name != name for inner in child.body)
        for child in http.body
    )


def is_compiled(directive: Directive, around: Block, version: Version) -> bool:
    """Does a text that is compiled late get there? `ngx_stream_ssl_merge_conf` left servers without TLS alone before there
    were virtual servers."""
    if around.name != "stream" or version >= STREAM_LIKE_HTTP:
        return is_merged(directive, around)
    servers = around.blocks("server") if directive.parent is around else [directive.parent]
    return any(
        "ssl" in line.values
        for server in servers
        if server is not None
        for line in server.body
        if line.name == "listen"
    )


def variables_of(context: Context, place: str) -> Variables | None:
    """The variables of the world a place belongs to; None in main and mail, which have none."""
    subsystem = SUBSYSTEM.get(place)
    if subsystem not in ("http", "stream"):
        return None
    variables: Variables | None = context.state.get(f"variables.{subsystem}")
    if variables is None:
        variables = context.state[f"variables.{subsystem}"] = Variables(context, subsystem)
    return variables
