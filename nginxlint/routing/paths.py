"""Paths as nginx compares them: decoded, without what follows `?`, slashes merged. What is written otherwise never matches."""

from __future__ import annotations

from nginxlint.diagnostic import Fix
from nginxlint.edits import replace
from nginxlint.expressions import compiled
from nginxlint.pattern import shapes
from nginxlint.routing.servers import split_condition, split_location
from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

_PATHS = ("$uri", "$document_uri", "${uri}", "${document_uri}")
_RAW_PATHS = ("$request_uri", "${request_uri}")

# What somebody's template puts in: __PATH__, %PATH%, {{ path }}, <path>, [[path]], $PATH, PATH/.
_PLACEHOLDER = r"__\w+__|%[A-Za-z_]{3,}%|\{[{A-Za-z_]|[<>]|\[\[|\$[A-Z{]|^[A-Z0-9_]+(?:/|$)"
_SUSPECT = r"[?#%*\\$(\[]|\.\+|//|/\.\.?(?:/|$)"
_DOTS = ("//", "/./", "/../")  # `/.` at the end of a prefix is the beginning of `/.git`
_ENCODED = r"%[0-9A-Fa-f]{2}"
_REGEX_SIGNS = ("*", "\\.", "\\d", "\\w", "\\/", ".+", "[0-9", "[a-z", "[A-Z", "[^")

_HOST = r"(?i)(?:www\.|(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|dev|eu|de|uk|fr|nl|ru|cn|jp|br|au)(?:[/(:.]|$))"

# What can make nginx look for a location by a URI that no visitor sent, as it is written there.
_INNER_REQUESTS = ("auth_request", "mirror", "try_files", "post_action", "add_before_body", "add_after_body", "rewrite")


class DeadPrefix:
    """A prefix or exact location no visitor's path begins with. `kind`: `slash` (it does not begin with one), `query`
    (it holds `?` or `#`), `encoded` (percent escapes), `dots` (`//`, `/./` or `/../`), `regex` (a regular
    expression without `~`, or `*`)."""

    __slots__ = ("block", "kind", "modifier", "pattern")

    def __init__(self, block: Block, kind: str, modifier: str, pattern: str) -> None:
        self.block = block
        self.kind = kind
        self.modifier = modifier
        self.pattern = pattern


def dead_prefixes(config: Config) -> list[DeadPrefix]:
    """The locations that no visitor gets to, as far as their patterns prove it."""
    alike = config.alike("location")
    suspects = [(values, kind) for values in alike if (kind := _kind(*split_location(values)))]
    if not suspects:
        return []
    bare, odd = _servers_with_odd_paths(config)
    rewriting = {one.enclosing("server") for one in config.find("rewrite")}
    scripted = config.runs_code or "ssi" in config.names
    found = []
    for values, kind in suspects:
        modifier, pattern = split_location(values)
        if (kind == "slash" and scripted) or _is_asked_for(config, pattern):
            continue
        for block in alike.members(values):
            server = block.enclosing("server")
            location = config.location(block)
            if not isinstance(block, Block) or location is None or location.internal or server in bare:
                continue
            if kind != "slash" and server in odd:
                continue
            if kind == "dots" and (server in rewriting or "merge_slashes" in config.names):
                continue
            found.append(DeadPrefix(block, kind, modifier, pattern))
    return found


def _kind(modifier: str, pattern: str) -> str:
    """Why no path begins with the pattern of a location; an empty text where some may."""
    if modifier not in ("", "=", "^~") or not pattern:
        return ""
    if pattern[0] == "/" and compiled(_SUSPECT).search(pattern) is None:
        return ""
    if compiled(_PLACEHOLDER).search(pattern):
        return ""
    if pattern[0] != "/":
        return "" if pattern[0] == "$" else "slash"
    if looks_like_regex(pattern):
        return "regex"
    if "?" in pattern or "#" in pattern:
        return "query"
    if compiled(_ENCODED).search(pattern):
        return "encoded"
    if modifier == "=" and pattern.endswith(("/.", "/..")):
        return "dots"
    return "dots" if any(part in pattern for part in _DOTS) else ""


def looks_like_regex(pattern: str) -> bool:
    """Is it certainly meant as a regular expression (or with `*` for anything)? Paths hold parentheses, too."""
    return (
        any(sign in pattern for sign in _REGEX_SIGNS)
        or pattern.startswith("^")
        or (pattern.endswith("$") and len(pattern) > 2)
        or ("(" in pattern and "|" in pattern and ")" in pattern)
    )


def regex_meant(pattern: str) -> str | None:
    """The regular expression that a pattern without `~` was meant as, be it written as in a shell; None where it is none."""
    if "*" in pattern and not any(sign in pattern for sign in ("\\", ".*", ")*", "]*", "(", "[", "^", "$", "+")):
        body = pattern.strip("*").replace(".", "\\.").replace("*", ".*")
        start = "" if pattern.startswith("*") else "^" if pattern.startswith("/") else "^/"
        regex = f"{start}{body}{'' if pattern.endswith('*') else '$'}"
    elif pattern.startswith("^"):
        regex = pattern if pattern[1:2] in ("/", "(", ".") else f"^/{pattern[1:]}"
    else:
        regex = f"^{pattern}" if pattern.startswith("/") else pattern
    from nginxlint.regex import Regex, compile_regex

    return regex if regex and isinstance(compile_regex(regex), Regex) else None


def _is_asked_for(config: Config, pattern: str) -> bool:
    """Does nginx itself make a request that begins so?"""
    begin = "\0" + pattern.lower()
    return any(begin in config.said(name) for name in _INNER_REQUESTS if name in config.names)


class DeadPattern:
    """A regular expression that is compared with paths and matches none, in argument `index` of a directive (-1: its
    name). `why`: `slash` (it begins with something else), `anchor` (`^` or `$` in the middle), `host`, `scheme`, `query`
    (what it holds is not in a path)."""

    __slots__ = ("directive", "index", "pattern", "why")

    def __init__(self, directive: Directive, index: int, pattern: str, why: str) -> None:
        self.directive = directive
        self.index = index
        self.pattern = pattern
        self.why = why

    @property
    def place(self) -> Directive | Word:
        """Where it stands."""
        return self.directive if self.index < 0 else self.directive.args[self.index]


def dead_patterns(config: Config) -> list[DeadPattern]:
    """The regular expressions for paths that match none."""
    found: list[DeadPattern] = []
    servers: tuple[set[Block | None], set[Block | None]] | None = None
    for directives, index, pattern, raw in _patterns(config):
        why = _why_dead(pattern, raw)
        if not why or (why == "scheme" and "merge_slashes" in config.names):
            continue
        servers = _servers_with_odd_paths(config) if servers is None else servers
        odd = servers[why in ("query", "scheme")]
        found += [
            DeadPattern(directive, index, pattern, why)
            for directive in directives
            if directive.enclosing("server") not in odd and not (index < 0 and odd)
        ]
    return found


def _why_dead(pattern: str, raw: bool) -> str:
    found = shapes(pattern)
    if found is None:
        return ""
    if not found:
        return "anchor"
    if not raw and all(any("?" in run for run in shape.runs) for shape in found):
        return "query"
    if not raw and all(any("://" in run for run in shape.runs) for shape in found):
        return "scheme"
    if any(not shape.start or shape.runs[0][:1] in ("", "/") for shape in found):
        return ""
    return "host" if compiled(_HOST).match(pattern.replace("\\", "").lstrip("^(")) else "slash"


def _patterns(config: Config) -> Iterator[tuple[list[Directive], int, str, bool]]:
    """The regular expressions compared with a path: who has it, in which argument (-1: the name), the pattern, and whether
    the path is the one that was sent, with its query."""
    for values, locations in config.alike("location").groups():
        if values and values[0][:1] == "~":
            yield locations, len(values) - 1, split_location(values)[1], False
    for values, rewrites in config.alike("rewrite").groups():
        if len(values) > 1:
            yield rewrites, 0, values[0], False
    for values, tests in config.alike("if").groups():
        words = split_condition(values)
        if len(words) == 3 and "~" in words[1] and words[0] in (*_PATHS, *_RAW_PATHS):
            index = next(at for at, value in enumerate(values) if at and value.startswith(words[2]))
            yield tests, index, words[2], words[0] in _RAW_PATHS
    for block in config.find("map"):
        variable = block.values[0] if block.values else ""
        for line in block.body or () if variable in (*_PATHS, *_RAW_PATHS) else ():
            if line.name.startswith("~"):
                yield [line], -1, line.name.removeprefix("~").removeprefix("*"), variable in _RAW_PATHS


def _servers_with_odd_paths(config: Config) -> tuple[set[Block | None], set[Block | None]]:
    """The servers in which a `rewrite` can make a path that does not begin with a slash; and with them those in which one
    can make a path that is still encoded and has the query in it."""
    inside = [line for line in config.find("rewrite") if len(line.values) > 1 and not _redirects(line.values)]
    bare = {line.enclosing("server") for line in inside if not line.values[1].startswith(("/", *_PATHS, *_RAW_PATHS))}
    raw = {line.enclosing("server") for line in inside if any(name in line.values[1] for name in _RAW_PATHS)}
    return bare, bare | raw


def _redirects(rewrite: tuple[str, ...]) -> bool:
    return rewrite[-1] in ("redirect", "permanent") or rewrite[1].startswith(("http://", "https://", "$scheme"))


def decoded_path(text: str) -> str | None:
    """What nginx makes of a path (ngx_http_parse_complex_uri): decoded, slashes merged, dots followed. None where that is
    no text."""
    raw = bytearray()
    at = 0
    while at < len(text):
        if compiled(_ENCODED).match(text, at):
            raw.append(int(text[at + 1 : at + 3], 16))
            at += 3
        else:
            raw += text[at].encode("utf-8", "surrogateescape")
            at += 1
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        return None
    parts: list[str] = []
    *folders, last = path.split("/")[1:]
    for part in (*folders, last):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    ends = "/" if last in ("", ".", "..") and parts else ""
    return None if "\0" in path else f"/{'/'.join(parts)}{ends}"


def respelled(dead: DeadPrefix, modifier: str, pattern: str) -> Fix:
    """The location with another modifier and pattern; in quotes where it needs them."""
    if compiled(r"""[\s;{}"'#]""").search(pattern):
        pattern = '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = f"{modifier} {pattern}" if modifier else pattern
    return Fix(f"write location {text}", (replace(dead.block.args_span, text),), safe=False)
