"""Regular expressions as nginx reads them (PCRE2 over bytes, caseless as the only option): the one door to them."""

from __future__ import annotations

from nginxlint.expressions import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bounds for one match: enough for honest patterns, and the end of a catastrophic one.
MATCH_LIMIT = 1_000_000

# Since 10.43 PCRE2 names the offset behind these items; the nginx of most machines has an older one, that points at
# them: bad quantifier, bad range, unknown group, stray parenthesis.
_POINTS_BEHIND = frozenset((108, 109, 115, 122))

_NO_BYTES = 185  # "using \\C is disabled in this PCRE2 library"
_ESCAPES = r"(?s)\\Q.*?(?:\\E|$)|\\(.)"
_UNSUPPORTED = r"PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u"

_compiled: dict[tuple[str, bool], Regex | RegexError] = {}


class RegexError:
    """Why a pattern does not compile: `text` and `offset` (in bytes) as PCRE2 gives them."""

    __slots__ = ("offset", "pattern", "text")

    def __init__(self, pattern: str, text: str, offset: int) -> None:
        self.pattern = pattern
        self.text = text
        self.offset = offset

    @property
    def nginx_message(self) -> str:
        """The line nginx prints."""
        raw = _encode(self.pattern)
        message = f'pcre2_compile() failed: {self.text} in "{self.pattern}"'
        if self.offset < len(raw):
            message += f' at "{raw[self.offset :].decode("utf-8", "surrogateescape")}"'
        return message

    @property
    def character_offset(self) -> int:
        """`offset` counted in characters."""
        return len(_encode(self.pattern)[: self.offset].decode("utf-8", "ignore"))

    def __repr__(self) -> str:
        return f"RegexError({self.pattern!r}, {self.text!r}, {self.offset})"


class Regex:
    """A compiled pattern: how many groups it captures, what they are called, and what it matches."""

    __slots__ = ("_bounded", "_caseless", "captures", "names", "pattern")

    def __init__(self, pattern: str, caseless: bool, program: Any) -> None:
        self.pattern = pattern
        self._caseless = caseless
        self._bounded: Any = None
        self.captures: int = program.groups
        self.names: dict[str, int] = {_decode(name): number for name, number in program.groupindex.items()}

    def search(self, subject: str) -> RegexMatch | None:
        """The first match, or None; raises `RegexLimit` when PCRE2 gives up."""
        import pcre2

        if self._bounded is None:
            # The binding takes no limits, PCRE2 takes them from the head of a pattern.
            limited = f"(*LIMIT_MATCH={MATCH_LIMIT}){self.pattern}"
            self._bounded = pcre2.compile(_encode(limited), pcre2.IGNORECASE if self._caseless else pcre2.NOFLAG)
        try:
            found = self._bounded.search(_encode(subject))
        except pcre2.LibraryError as error:
            raise RegexLimit(f"{self.pattern}: {error}") from error
        return None if found is None else RegexMatch(found)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


class RegexMatch:
    """What one match captured."""

    __slots__ = ("_match",)

    def __init__(self, match: Any) -> None:
        self._match = match

    def group(self, number: int | str = 0) -> str:
        """The text of a group; an empty string where it took no part, as nginx's variables have it."""
        raw = self._match.group(number)
        return _decode(raw) if raw is not None else ""

    @property
    def end(self) -> int:
        """Where the match ends, in bytes."""
        return int(self._match.end())


class RegexLimit(Exception):
    """PCRE2 stopped: the pattern needs more steps on this subject than its limit allows."""


def compile_regex(pattern: str, *, caseless: bool = False) -> Regex | RegexError:
    """The compiled pattern or why it is none; the answer is remembered."""
    key = (pattern, caseless)
    known = _compiled.get(key)
    if known is None:
        known = _compiled[key] = _compile(pattern, caseless)
    return known


def matches(pattern: str, subject: str, *, caseless: bool = False) -> bool:
    """Does it match? False where it does not compile, and where PCRE2 gives up."""
    regex = compile_regex(pattern, caseless=caseless)
    try:
        return isinstance(regex, Regex) and regex.search(subject) is not None
    except RegexLimit:
        return False


def _compile(pattern: str, caseless: bool) -> Regex | RegexError:
    import pcre2

    try:
        program = pcre2.compile(_encode(pattern), pcre2.IGNORECASE if caseless else pcre2.NOFLAG)
    except pcre2.PatternError as error:
        if error.code == _NO_BYTES and "\\C" in pattern:  # only the binding's library is built without it
            return _compile(pattern.replace("\\C", "."), caseless)
        text = error.msg.split("; ", 1)[-1]
        return RegexError(pattern, text, error.pos - (error.code in _POINTS_BEHIND and error.pos > 0))
    if "\\u" in pattern or "\\U" in pattern:
        # the binding asks PCRE2 to take them as JavaScript does (PCRE2_ALT_BSUX), nginx does not
        for match in compiled(_ESCAPES).finditer(pattern):
            if match[1] in ("u", "U"):
                return RegexError(pattern, _UNSUPPORTED, len(_encode(pattern[: match.end()])))
    return Regex(pattern, caseless, program)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(raw: bytes | str) -> str:
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
