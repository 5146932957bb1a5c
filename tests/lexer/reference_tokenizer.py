"""A port, character by character, of nginx's ngx_conf_read_token and of the block structure ngx_conf_parse reads.

It is the yardstick for the lexer; test_against_nginx.py holds it against the real nginx.
"""

from __future__ import annotations

BLANK = " \t\r\n"
UNESCAPED = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}


class Refused(Exception):
    """nginx would print this."""


def statements(text: str) -> list[tuple[list[str], str]]:
    """The statements of a text as (words, terminator), the terminator `;`, `{` or `}` (no words). Raises Refused."""
    result: list[tuple[list[str], str]] = []
    depth, at = 0, 0
    while True:
        words, terminator, at = _read(text, at)
        if terminator == "":
            if depth:
                raise Refused('unexpected end of file, expecting "}"')
            return result
        if terminator == "}":
            if not depth:
                raise Refused('unexpected "}"')
            depth -= 1
        elif terminator == "{":
            depth += 1
        result.append((words, terminator))


def _read(text: str, at: int) -> tuple[list[str], str, int]:
    words: list[str] = []
    need_space = comment = variable = quoted = False
    last_space = True
    quote = ""
    start = at
    while True:
        if at >= len(text):
            if words or not last_space:
                raise Refused('unexpected end of file, expecting ";" or "}"')
            return [], "", at
        ch = text[at]
        at += 1
        if ch == "\n" and comment:
            comment = False
        if comment:
            continue
        if quoted:
            quoted = False
            continue
        if need_space:
            if ch in BLANK:
                last_space, need_space = True, False
                continue
            if ch in ";{":
                return words, ch, at
            if ch == ")":
                last_space, need_space = True, False
            else:
                raise Refused(f'unexpected "{ch}"')
        if last_space:
            start = at - 1
            if ch in BLANK:
                continue
            if ch in ";{":
                if not words:
                    raise Refused(f'unexpected "{ch}"')
                return words, ch, at
            if ch == "}":
                if words:
                    raise Refused('unexpected "}"')
                return [], "}", at
            if ch == "#":
                comment = True
                continue
            last_space = False
            if ch == "\\":
                quoted = True
            elif ch in "\"'":
                start += 1
                quote = ch
            elif ch == "$":
                variable = True
            continue
        if ch == "{" and variable:
            continue
        variable = False
        if ch == "\\":
            quoted = True
            continue
        if ch == "$":
            variable = True
            continue
        if quote:
            if ch != quote:
                continue
            quote, need_space = "", True
        elif ch in BLANK or ch in ";{":
            last_space = True
        else:
            continue
        words.append(_unescape(text[start : at - 1]))
        if ch in ";{" and not need_space:
            return words, ch, at


def _unescape(raw: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(raw):
        if raw[at] == "\\" and at + 1 < len(raw) and raw[at + 1] in UNESCAPED:
            out.append(UNESCAPED[raw[at + 1]])
            at += 2
        else:
            out.append(raw[at])
            at += 1
    return "".join(out)
