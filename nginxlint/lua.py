"""The body of a `*_by_lua_block`: Lua up to the matching brace, as lua-nginx-module reads it.

Source: ngx_http_lua_conf_lua_block_parse (ngx_http_lua_directive.c).
"""

from __future__ import annotations

from nginxlint.expressions import compiled

_LUA = r"""(?s)--\[(=*)\[|--[^\n]*+|\[(=*)\[|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|([{}])"""


def end_of_block(text: str, begin: int) -> tuple[int, str]:
    """Where the `}` of a block is whose body begins at `begin`, and ""; where there is none, the end of the text and what
    nginx says of it."""
    depth, at = 1, begin
    lua = compiled(_LUA)
    while match := lua.search(text, at):
        at = match.end()
        level = match[1] if match[1] is not None else match[2]
        if level is not None:
            closing = text.find(f"]{level}]", at)
            if closing < 0:
                return len(text), (
                    f'Lua code block missing the closing long bracket "]{level}]", the inlined Lua code may be too long'
                )
            at = closing + len(level) + 2
        elif brace := match[3]:
            depth += 1 if brace == "{" else -1
            if not depth:
                return at - 1, ""
    return len(text), 'unexpected end of file, expecting "}"'
