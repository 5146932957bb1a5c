"""Percent-encoding as nginx writes and reads it: ngx_escape_uri and ngx_unescape_uri (nginx 1.21.1 and later)."""

from __future__ import annotations

from nginxlint.syntax import Directive

# What ngx_escape_uri escapes besides control characters and bytes above 0x7e (src/core/ngx_string.c).
_IN_URI = b' "#%<>?\\^`{|}'
_IN_ARGS = b' "#%&+;<>?\\^`{|}'
_HEX = b"0123456789abcdefABCDEF"


def escape_uri(text: str) -> str:
    """NGX_ESCAPE_URI: a decoded path made fit for a request line."""
    return _escape(text, _URI_TABLE)


def escape_args(text: str) -> str:
    """NGX_ESCAPE_ARGS: text made fit for one argument of a query."""
    return _escape(text, _ARGS_TABLE)


def unescape_redirect(text: str) -> str:
    """NGX_UNESCAPE_REDIRECT: what a redirecting `rewrite` undoes, up to the query."""
    raw = text.encode("utf-8", "surrogateescape")
    result = bytearray()
    at = 0
    while at < len(raw):
        byte = raw[at]
        if byte == 0x3F:
            break
        if byte == 0x25 and len(raw) > at + 2 and raw[at + 1] in _HEX and raw[at + 2] in _HEX:
            decoded = int(raw[at + 1 : at + 3], 16)
            if decoded == 0x3F:
                result.append(decoded)
                at += 3
                break
            result += bytes((decoded,)) if 0x25 < decoded < 0x7F else raw[at : at + 3]
            at += 3
            continue
        if byte == 0x25:  # no valid escape: the sign goes, and one digit with what should be the other
            broken = at + 1 < len(raw) and raw[at + 1] in _HEX
            result += b"" if broken else raw[at + 1 : at + 2]
            at += 3 if broken else 2
            continue
        result.append(byte)
        at += 1
    return (bytes(result) + raw[at:]).decode("utf-8", "surrogateescape")


def path_is_raw(place: Directive) -> bool:
    """Has `rewrite ^ $request_uri` put what the visitor sent, still encoded and with its query, in place of the path?

    nginx does not decode what a rewrite makes (ngx_http_script_regex_end_code), so $uri and what later rewrites
    capture are then encoded, too. The trick with which a path is cut without being decoded.
    """
    block = place.parent
    while block is not None and block.name in ("location", "if", "limit_except"):
        if any(one.values[1:2] == ("$request_uri",) for one in block.children("rewrite")):
            return True
        block = block.parent
    return False


def _table(special: bytes) -> list[str]:
    return [f"%{byte:02X}" if byte < 0x20 or byte > 0x7E or byte in special else chr(byte) for byte in range(256)]


def _escape(text: str, table: list[str]) -> str:
    return "".join([table[byte] for byte in text.encode("utf-8", "surrogateescape")])


_URI_TABLE = _table(_IN_URI)
_ARGS_TABLE = _table(_IN_ARGS)
