"""Text to statements, exactly as nginx reads them, with the place of every fault.

The rules are those of `ngx_conf_read_token()` (src/core/ngx_conf_file.c). `read` goes from word to word, and hands what it
reads to a `Sink`; that of the parser builds the tree. Before it, `ordinary.py` takes what needs no second look.

nginx stops at the first fault. We put the fault where it was made (the end of the line that lacks its `;`, the
brace that is never closed), repair the statement and go on.
"""

from __future__ import annotations

from sys import intern

from nginxlint.expressions import compiled
from nginxlint.words import ONE_WORD, PLAIN, WORD, unescape, words_at

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterable
    from re import Match
    from typing import Protocol

    class Sink(Protocol):
        """What takes the statements in, in file order. `start` is the offset of the name, `at` that of the `}`; blocks are
        always closed. `restart`: forget everything, the text is read again."""

        def statement(self, name: str, values: tuple[str, ...], start: int) -> None: ...
        def begin(self, name: str, values: tuple[str, ...], start: int) -> None: ...
        def end(self, at: int) -> None: ...
        def restart(self) -> None: ...


# The buffer nginx reads a file through (NGX_CONF_BUFFER); one word has to fit into it.
BUFFER = 4096
# Characters from which a word may be too long: a character has four bytes at most.
NEAR_BUFFER = BUFFER // 4 - 2
# Deeper nesting than any real configuration has; who walks the tree may recurse once a level.
MAX_DEPTH = 400
# A file with more faults than this is not a configuration.
MAX_FAULTS = 100

# Compiled when it is needed: most texts are ordinary.
_STATEMENT = rf"""(?xs)[ \t\r\n]*+(?:
      ([ \t\r\n{PLAIN}]*+) (?: (;) | (?<!\$)(\{{) )   # 1 plain words up to 2 a semicolon or 3 a brace
    | ((?:[{PLAIN}]++[ \t\r\n]++)++)                  # 4 plain words of a statement that goes on
    | (\}})                                            # 5
    | (\#[^\n]*+)                                      # 6
    | ("[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')(?=[ \t\r\n;{{)]|\Z)  # 7 a quoted word
    | ({WORD})                                        # 8 any other word
    | (\Z)                                             # 9
    | (.)                                              # 10 a quote that goes wrong, a backslash at the end
    )"""
# Compiled when they are needed: few texts have any of it.
_QUANTIFIER = r"\d+(?:,\d*)?\}"
# What a comment that speaks to us begins with.
MARK = "nginxlint:"
_BLANKS = frozenset(" \t\r\n")


class Fault:
    """Something nginx refuses to read. `kind` is the id of the finding, `start` to `end` the place of the cause,
    `nginx_message` what nginx prints and `nginx_at` the offset of the line it blames."""

    __slots__ = ("end", "kind", "label", "message", "nginx_at", "nginx_message", "repair", "start")

    def __init__(
        self,
        kind: str,
        start: int,
        end: int,
        message: str,
        *,
        label: str = "",
        nginx_message: str | None = None,
        nginx_at: int | None = None,
        repair: tuple[int, str] | None = None,
    ) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.message = message
        self.label = label
        self.nginx_message = nginx_message
        self.nginx_at = start if nginx_at is None else nginx_at
        self.repair = repair


class Remarks:
    """What a text has besides statements: the offsets of comments that may speak to us, its faults in file order."""

    __slots__ = ("comments", "faults")

    def __init__(self) -> None:
        self.comments: list[int] = []
        self.faults: list[Fault] = []


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def read(text: str, sink: Sink, at: int = 0, open_blocks: Iterable[int] = (), max_depth: int = MAX_DEPTH) -> Remarks:
    """Read a text into `sink`; what stands before `at` it has already, and blocks that begin at `open_blocks` are open.
    Never raises: what is wrong is in `faults`."""
    remarks = _Lexer(text, sink, max_depth, open_blocks).run(at)
    if any(fault.kind == "braces-unmatched" for fault in remarks.faults):
        # Only now does indentation count: it tells which brace is the one that was forgotten.
        sink.restart()
        remarks = _Lexer(text, sink, max_depth, by_indentation=True).run(0)
    return remarks


class _GiveUp(Exception):
    """A limit is reached; a fault says which."""


class _Lexer:
    """One pass over one text."""

    def __init__(
        self, text: str, sink: Sink, max_depth: int, open_blocks: Iterable[int] = (), *, by_indentation: bool = False
    ) -> None:
        self.text = text
        self.sink = sink
        self.max_depth = max_depth
        self.by_indentation = by_indentation
        self.out = Remarks()
        self.open = list(open_blocks)  # offsets of the blocks around us
        self.pending: list[str] = []  # words of the statement being read, when it is not plain
        self.start = 0  # where the first pending word begins
        self.last_end = 0  # where the last one ends
        self.last_start = 0  # where the last one begins, if it touches what is read next

    def run(self, begin: int) -> Remarks:
        at: int | None = begin
        try:
            while at is not None:
                at = self._scan(at)
        except _GiveUp:
            self.pending.clear()
        while self.open:
            self._close(len(self.text))
        self.out.faults.sort(key=lambda fault: (fault.start, fault.end))
        return self.out

    def _scan(self, at: int) -> int | None:
        """Read on from `at`. Returns where to go on after something out of the ordinary, None at the end."""
        text, pending, open_blocks = self.text, self.pending, self.open
        end = self.sink.end
        comments = self.out.comments.append
        plain_braces = not self.by_indentation
        for match in compiled(_STATEMENT).finditer(text, at):
            which = match.lastindex
            if which == 2:
                run = match[1]
                words = run.split()
                if len(run) >= NEAR_BUFFER or not (words or pending):
                    return self._end(match, ";")
                if not pending:
                    self.start = match.start(1)
                pending += words
                self._emit()
            elif which == 3:
                return self._end(match, "{")
            elif which == 5:
                if plain_braces and open_blocks and not pending:
                    open_blocks.pop()
                    end(match.end() - 1)
                elif (again := self._brace_closes(match.end() - 1)) is not None:
                    return again
            elif which == 6:
                if MARK in match[6]:
                    comments(match.start(6))
                if match.end(6) - match.start(6) >= NEAR_BUFFER:
                    self._check_length(match.start(6), match.end(6))
            elif which == 4:
                run = match[4]
                if len(run) >= NEAR_BUFFER:
                    self._take_plain(match.start(4), run)
                    continue
                if not pending:
                    self.start = match.start(4)
                pending += run.split()
                self.last_end = match.start(4) + len(run.rstrip())
            elif which == 7 or which == 8:
                self._take_word(match.start(which), match[which], quoted=which == 7)
            elif which == 9:
                self._end_of_file()
                return None
            elif match[10] == "{":  # behind an escaped $, which does not begin a variable
                return self._end(match, "{")
            else:
                return self._broken_quote(match.start(10))
        return None

    # --- statements -------------------------------------------------------------------------------------------

    def _end(self, match: Match[str], terminator: str) -> int:
        """A statement ends with `;` or opens a block."""
        end = match.end()
        if match[1]:
            self._take_plain(match.start(1), match[1])
        if not self.pending:
            self._fault(
                "unexpected-character",
                end - 1,
                end,
                f'"{terminator}" stands where a directive should begin',
                nginx_message=f'unexpected "{terminator}"',
            )
            if terminator == "{":
                self._open_block("", (), end - 1, end)
            return end
        if terminator == ";":
            self._emit()
            return end
        return self._block(end)

    def _block(self, end: int) -> int:
        """The pending words open a block whose body begins at `end`."""
        words = self.pending
        if self.last_end == end - 1 and (quantifier := compiled(_QUANTIFIER).match(self.text, end)):
            return self._unquoted_brace(end, quantifier.end())
        if split := self._forgotten_semicolon():
            raw = words_at(self.text, self.start)
            self.last_end = raw[split - 1].end
            self._missing_semicolon(f'directive "{words[0]}" is not terminated by ";"', end - 1)
            tail = words[split:]
            del words[split:]
            self._emit()
            words += tail
            self.start = raw[split].start
        if words[0].endswith("_by_lua_block"):
            return self._lua_block(end)
        name, values = self._head()
        self._open_block(name, values, self.start, end)
        return end

    def _lua_block(self, begin: int) -> int:
        """The pending words open a block of Lua, which is one more argument to nginx."""
        from nginxlint.lua import end_of_block

        close, missing = end_of_block(self.text, begin)
        if missing:
            self._fault(
                "braces-unmatched",
                begin - 1,
                begin,
                f'the Lua block "{self.pending[0]}" is never closed',
                label="this { has no }",
                nginx_message=missing,
                nginx_at=len(self.text),
            )
        name, values = self._head()
        self.sink.statement(name, (*values, self.text[begin:close]), self.start)
        return min(close + 1, len(self.text))

    def _open_block(self, name: str, values: tuple[str, ...], start: int, end: int) -> None:
        self.sink.begin(name, values, start)
        self.open.append(start)
        if len(self.open) >= self.max_depth:
            self._fault(
                "nesting-too-deep",
                end - 1,
                end,
                f"more than {MAX_DEPTH} blocks inside each other: gave up reading here",
            )
            raise _GiveUp

    def _head(self) -> tuple[str, tuple[str, ...]]:
        """Name and values of the pending words, which are no longer pending."""
        name, *values = self.pending
        self.pending.clear()
        return intern(name), tuple(values)

    def _emit(self) -> None:
        name, values = self._head()
        self.sink.statement(name, values, self.start)

    def _take(self, text: str, start: int, end: int) -> None:
        """One more word of the statement being read."""
        if not self.pending:
            self.start = start
        self.pending.append(text)
        self.last_start = start
        self.last_end = end

    def _take_plain(self, at: int, run: str) -> None:
        for match in compiled(_PLAIN_WORD).finditer(run):
            start, end = match.span()
            self._take(match[0], at + start, at + end)
            if end - start >= NEAR_BUFFER:
                self._check_length(at + start, at + end)

    def _take_word(self, start: int, raw: str, *, quoted: bool) -> None:
        end = start + len(raw)
        quote = raw[0] if quoted else ""
        content = raw[1:-1] if quoted else raw
        self._take(unescape(content) if "\\" in content else content, start, end)
        if end - start >= NEAR_BUFFER:
            self._check_length(start + quoted, end - quoted, quote)

    def _check_length(self, start: int, end: int, quote: str = "") -> None:
        """nginx needs a word or comment, its closing quote and one blank behind it in its buffer at once. `start` to
        `end` is the content without quotes."""
        raw = self.text[start:end]
        size = _bytes(raw)
        behind = self.text[end + len(quote) : end + len(quote) + 1]
        held = size + len(quote) + (behind in _BLANKS and raw[:1] != "#")
        if held < BUFFER or _bytes(self.text[start : start + BUFFER + 1]) <= BUFFER:
            return
        self._fault(
            "argument-too-long",
            start,
            min(end, start + 20),
            f"this {'comment' if raw[0] == '#' else 'argument'} has {size} bytes; nginx reads {BUFFER - 1} at most",
            nginx_message=f'too long parameter, probably missing terminating "{quote}" character'
            if quote and size >= BUFFER
            else f'too long parameter "{raw[:10]}..." started',
        )

    # --- faults -----------------------------------------------------------------------------------------------

    def _fault(
        self,
        kind: str,
        start: int,
        end: int,
        message: str,
        *,
        label: str = "",
        nginx_message: str | None = None,
        nginx_at: int | None = None,
        repair: tuple[int, str] | None = None,
    ) -> None:
        self.out.faults.append(
            Fault(kind, start, end, message, label=label, nginx_message=nginx_message, nginx_at=nginx_at, repair=repair)
        )
        if len(self.out.faults) == MAX_FAULTS:
            self._fault(
                "not-a-configuration", start, end, f"more than {MAX_FAULTS} syntax errors: gave up reading here"
            )
            raise _GiveUp

    def _missing_semicolon(self, nginx_message: str, nginx_at: int) -> None:
        """The pending statement should have ended at its last word."""
        name = self.pending[0]
        self._fault(
            "semicolon-missing",
            self.last_end,
            self.last_end,
            f'"{name}" is not ended by a semicolon',
            label='";" is missing here',
            nginx_message=nginx_message,
            nginx_at=nginx_at,
            repair=(self.last_end, ";"),
        )

    def _forgotten_semicolon(self) -> int:
        """The index of the pending word that begins a statement of its own, or 0.

        A block that begins on a later line than the statement it seems to belong to: `listen 80` on one line and
        `location / {` on the next. Names that take a block are the ones that tell.
        """
        if _takes_block(self.pending[0]) or "\n" not in self.text[self.start : self.last_end]:
            return 0
        words = words_at(self.text, self.start)[: len(self.pending)]
        for index in range(len(words) - 1, 0, -1):
            word = words[index]
            if _takes_block(word.text) and not word.quote and "\n" in self.text[words[index - 1].end : word.start]:
                return index
        return 0

    def _unquoted_brace(self, end: int, close: int) -> int:
        """`a{2}` outside quotes: nginx takes the brace for a block. Read on as if it had been quoted."""
        tail = ONE_WORD.match(self.text, close)
        rest = tail[2] if tail and tail.lastindex == 2 and tail.start(2) == close else ""
        stop = close + len(rest)
        behind = compiled(r"[^\s;{]*").match(self.text, end)
        self._fault(
            "regex-brace-unquoted",
            end - 1,
            close,
            "an unquoted { opens a block: put the regular expression in quotes",
            label="nginx reads this as the beginning of a block",
            nginx_message=_of_a_torn_regex(self.pending, behind[0] if behind else ""),
        )
        written = self.text[self.last_start : stop]
        self.pending[-1] = unescape(written)
        self.last_end = stop
        return stop

    def _brace_closes(self, at: int) -> int | None:
        """A `}` at `at`. Returns where to go on when the scan has to begin anew."""
        if self.pending:
            self._missing_semicolon('unexpected "}"', at)
            self._emit()
        if self.by_indentation and self._stray_or_late(at):
            return None
        if not self.open:
            self._fault(
                "braces-unmatched",
                at,
                at + 1,
                "this } closes nothing",
                label="no block is open here",
                nginx_message='unexpected "}"',
            )
            return None
        self._close(at)
        return None

    def _close(self, at: int) -> None:
        self.open.pop()
        self.sink.end(at)

    def _stray_or_late(self, at: int) -> bool:
        """With braces known to be unbalanced: does the indentation of this `}` say that it is not the one of the
        innermost block? Then the inner blocks were never closed, or this one closes too much."""
        indent = self._indent(at)
        inner = self._indent(self.open[-1]) if self.open else None
        if indent is None or inner is None or indent >= inner:
            return False
        outer = [start for start in self.open if self._indent(start) == indent]
        if not outer:
            return False
        while self.open[-1] != outer[-1]:
            self._never_closed(self.open[-1])
            self._close(at)
        self._close(at)
        return True

    def _indent(self, at: int) -> int | None:
        """Width of the blanks before `at` if nothing else stands before it on its line."""
        begin = self.text.rfind("\n", max(0, at - MAX_DEPTH), at) + 1
        if not begin and at > MAX_DEPTH:
            return None
        blanks = self.text[begin:at]
        return None if blanks.strip(" \t") else len(blanks.expandtabs(8))

    def _never_closed(self, start: int) -> None:
        words = words_at(self.text, start)
        end = words[-1].end if words else start
        brace = self.text.find("{", end)
        name = words[0].text if words else ""
        self._fault(
            "braces-unmatched",
            brace if brace >= 0 else start,
            (brace if brace >= 0 else start) + 1,
            f'the block "{name}" is never closed',
            label="this { has no }",
            nginx_message='unexpected end of file, expecting "}"',
            nginx_at=len(self.text),
        )

    def _end_of_file(self) -> None:
        if self.pending:
            self._missing_semicolon('unexpected end of file, expecting ";" or "}"', len(self.text))
            self._emit()
        while self.open:
            self._never_closed(self.open[-1])
            self._close(len(self.text))
        # nginx asks for the end of a statement before it asks for the end of the blocks around it
        unfinished = 'unexpected end of file, expecting ";" or "}"'
        if any(fault.nginx_message == unfinished for fault in self.out.faults):
            for fault in self.out.faults:
                if fault.nginx_message == 'unexpected end of file, expecting "}"':
                    fault.nginx_message = unfinished

    def _broken_quote(self, at: int) -> int:
        """At `at` stands a quote that is never closed, or closed in the middle of a word; or a lone backslash."""
        text = self.text
        quote = text[at]
        if quote == "\\":  # only at the very end of the file
            self._take("\\", at, at + 1)
            return at + 1
        closed = ONE_WORD.match(text, at)
        end = closed.end(1) if closed and closed.lastindex == 1 else 0
        line_end = text.find("\n", at)
        line_end = len(text) if line_end < 0 else line_end
        if end and end <= line_end:
            # closed on its own line, and something follows without a blank: nginx wants a blank there
            self._take_word(at, text[at:end], quoted=True)
            self._fault(
                "quote-unclosed" if text[end] in "\"'" else "unexpected-character",
                end,
                end + 1,
                f"{text[end]} follows a closing quote without a blank",
                label="a blank, ; or { has to follow the quote",
                nginx_message=f'unexpected "{text[end]}"',
            )
            return end
        nginx = f'unexpected "{text[end]}"' if end else 'unexpected end of file, expecting ";" or "}"'
        stop = at + 1 + len(text[at + 1 : line_end].rstrip())
        body_end = stop - 1 if text[stop - 1] in ";{" and stop - 1 > at else stop
        self._fault(
            "quote-unclosed",
            at,
            at + 1,
            f"the quote {quote} that begins here is not closed on its line",
            label=f"no closing {quote}",
            nginx_message=nginx,
            nginx_at=end or len(text),
            repair=(body_end, quote),
        )
        self._take(unescape(text[at + 1 : body_end]), at, body_end)
        if body_end == stop:
            self._emit()
        return body_end


_PLAIN_WORD = r"[^ \t\r\n]++"

# Directives that take a block, of nginx and of the modules people use (from the catalogue; a test compares).
BLOCK_NAMES = frozenset((
    "charset_map", "events", "geo", "geoip2", "http", "if", "if_valid", "limit_except", "location", "mail", "map",
    "match", "otel_exporter", "server", "split_clients", "stream", "types", "upstream", "rtmp", "application",
    "acme_issuer",
))  # fmt: skip


def _of_a_torn_regex(words: list[str], behind: str) -> str:
    """What nginx says of a statement that its reader ends at the `{` of a quantifier; `behind` is the word it goes on with."""
    name, last = words[0], words[-1]
    if name.startswith("~"):
        return 'unexpected "{"'  # a line of a map
    if name == "if":
        return f'invalid condition "{last}"'
    if name not in BLOCK_NAMES:
        return f'directive "{name}" is not terminated by ";"'
    if name == "location" and "~" in "".join(words[1:])[:1]:
        from nginxlint.regex import RegexError, compile_regex

        regex = compile_regex(last if len(words) > 2 else last.lstrip("~").removeprefix("*"))
        if isinstance(regex, RegexError):
            return regex.nginx_message
    return f'unknown directive "{behind}"'


def _takes_block(name: str) -> bool:
    return name in BLOCK_NAMES or name.endswith("_by_lua_block")
