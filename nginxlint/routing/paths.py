"""Paths as nginx compares them: decoded, without what follows `?`, slashes merged. What is written otherwise never matches."""

from __future__ import annotations

from nginxlint.diagnostic import Fix
from nginxlint.edits import replace
from nginxlint.expressions import compiled
from nginxlint.routing.servers import split_location
from nginxlint.source import Span
from nginxlint.syntax import Block

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_RAW_PATHS = ("$request_uri", "${request_uri}")

# What somebody's template puts in: __PATH__, %PATH%, {{ path }}, <path>, [[path]], $PATH, PATH/.
_PLACEHOLDER = r"__\w+__|%[A-Za-z_]{3,}%|\{[{A-Za-z_]|[<>]|\[\[|\$[A-Z{]|^[A-Z0-9_]+(?:/|$)"
_SUSPECT = r"[?#%*\\$(\[]|\.\+|//|/\.\.?(?:/|$)"
_DOTS = r"//|/\.\.?(?:/|$)"
_ENCODED = r"%[0-9A-Fa-f]{2}"
_REGEX_SIGNS = ("*", "\\.", "\\d", "\\w", "\\/", ".+", "[0-9", "[a-z", "[A-Z", "[^")

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
    odd = servers_with_odd_paths(config)
    rewriting = {one.enclosing("server") for one in config.find("rewrite")}
    scripted = any(name == "ssi" or name.startswith(("js_", "perl")) or "_by_lua" in name for name in config.names)
    found = []
    for values, kind in suspects:
        modifier, pattern = split_location(values)
        if (kind == "slash" and scripted) or _is_asked_for(config, pattern):
            continue
        for block in alike.members(values):
            server = block.enclosing("server")
            location = config.location(block)
            if not isinstance(block, Block) or location is None or location.internal or server in odd:
                continue
            if kind == "dots" and (server in rewriting or "merge_slashes" in config.names):
                continue
            found.append(DeadPrefix(block, kind, modifier, pattern))
    return found


def _kind(modifier: str, pattern: str) -> str:
    """Why no path begins with the pattern of a location; an empty text where some may."""
    if modifier in ("~", "~*", "@") or not pattern:
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
    return "dots" if compiled(_DOTS).search(pattern) else ""


def looks_like_regex(pattern: str) -> bool:
    """Is it certainly meant as a regular expression (or with `*` for anything)? Paths hold parentheses, too."""
    return (
        any(sign in pattern for sign in _REGEX_SIGNS)
        or pattern[0] == "^"
        or (pattern[-1] == "$" and len(pattern) > 2)
        or ("(" in pattern and "|" in pattern and ")" in pattern)
    )


def _is_asked_for(config: Config, pattern: str) -> bool:
    """Does nginx itself make a request that begins so?"""
    begin = "\0" + pattern.lower()
    return any(begin in config.said(name) for name in _INNER_REQUESTS if name in config.names)


def servers_with_odd_paths(config: Config) -> set[Block | None]:
    """The servers in which a `rewrite` can make a path that is none: without a slash, still encoded, with the query."""
    return {rewrite.enclosing("server") for rewrite in config.saying(_makes_odd_paths, "rewrite")}


def _makes_odd_paths(values: tuple[str, ...]) -> bool:
    if len(values) < 2 or values[1].startswith(("http://", "https://", "$scheme")):
        return False
    return not values[1].startswith("/") or any(name in values[1] for name in _RAW_PATHS)


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
    first, last = dead.block.args[0].span, dead.block.args[-1].span
    text = f"{modifier} {pattern}" if modifier else pattern
    return Fix(f"write location {text}", (replace(Span(first.source, first.start, last.end), text),), safe=False)
