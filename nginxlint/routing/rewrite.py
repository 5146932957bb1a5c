"""The rewrite phase: `set`, `if`, `rewrite`, `break` and `return` in order (ngx_http_rewrite_module)."""

from __future__ import annotations

from nginxlint.catalogue.numbers import MAX, number_or
from nginxlint.regex import Regex, RegexLimit, compile_regex
from nginxlint.routing.escaping import unescape_redirect
from nginxlint.routing.evaluate import expand
from nginxlint.routing.servers import split_condition
from nginxlint.routing.visit import Unsure, Visit
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.config import Config

STATEMENTS = frozenset(("set", "if", "rewrite", "break", "return"))
_REDIRECTS = (301, 302, 303, 307, 308)
_KINDS = {"-f": ("file",), "-d": ("folder",), "-e": ("file", "folder")}
_FILE_TESTS = {"-f": "is a file", "-d": "is a folder", "-e": "exists", "-x": "is executable"}


class Ending:
    """The rewrite phase ended the request: with a `return` or a redirecting `rewrite`. `text`: a response body or
    a redirect target was written; a bare status goes through `error_page`."""

    __slots__ = ("directive", "redirect_to", "sent", "status")

    def __init__(
        self, status: int, directive: Directive, *, redirect_to: str | None = None, sent: bool = False
    ) -> None:
        self.status = status
        self.directive = directive
        self.redirect_to = redirect_to
        self.sent = sent


def run_rewrites(config: Config, visit: Visit, block: Block) -> Ending | None:
    """Run the statements of a block. `visit.uri_changed` says afterwards whether locations are searched again."""
    return _run(config, visit, block)[0]


def _run(config: Config, visit: Visit, block: Block) -> tuple[Ending | None, bool]:
    """How the request ended, and whether the program stops here."""
    for statement in block.body:
        name = statement.name
        if name not in STATEMENTS:
            if "_by_lua" in name and name.startswith(("rewrite_", "set_")):
                visit.doubt(f"what {name} does", statement)
            continue
        if name == "set" and len(statement.values) == 2:
            _set(config, visit, statement)
        elif name == "break":
            visit.uri_changed = False
            visit.say("break: no more rewriting here", statement)
            return None, True
        elif name == "return":
            return _return(config, visit, statement), True
        elif name == "rewrite" and len(statement.values) >= 2:
            ending, stop = _rewrite(config, visit, statement)
            if ending is not None or stop:
                return ending, True
        elif isinstance(statement, Block):
            if not _condition(config, visit, statement):
                continue
            if visit.location is not None:
                visit.enter(statement, visit.location)
            ending, stop = _run(config, visit, statement)
            if ending is not None or stop:
                return ending, True
    return None, False


def _set(config: Config, visit: Visit, statement: Directive) -> None:
    name = statement.values[0].removeprefix("$").lower()
    value = expand(config, visit, statement.values[1])
    if name == "args":
        visit.args = value
        visit.pristine = False
    else:
        visit.variables[name] = value
    visit.say(f'${name} is "{value}"', statement)


def _return(config: Config, visit: Visit, statement: Directive) -> Ending:
    values = statement.values
    if not values:
        return Ending(500, statement)
    if values[0].isdecimal():
        status = number_or(values[0], MAX)
        text = values[1] if len(values) > 1 else None
    else:
        status, text = 302, values[0]
    if text is not None and status in _REDIRECTS:
        target = visit.settle(expand(config, visit, text), statement)
        visit.say(f"return {status} {target}", statement)
        return Ending(status, statement, redirect_to=str(target))
    visit.say(f"return {status}", statement)
    return Ending(status, statement, sent=status < 400 or bool(text))


def _rewrite(config: Config, visit: Visit, statement: Directive) -> tuple[Ending | None, bool]:
    pattern, replacement = statement.values[:2]
    flag = statement.values[2] if len(statement.values) > 2 else ""
    regex = compile_regex(pattern)
    if not isinstance(regex, Regex):
        visit.doubt(f'"{pattern}" is no regex nginx accepts', statement)
        return None, False
    try:
        match = regex.search(visit.uri)
    except RegexLimit:
        visit.doubt(f'"{pattern}" needs too many steps on this URI: 500 where nginx gives up as well', statement)
        return Ending(500, statement), True
    if match is None:
        visit.captures = []  # nginx forgets $1 when a pattern of this phase does not match
        visit.say(f"rewrite {pattern}: no match", statement)
        return None, False
    visit.remember(regex, match, visit.uri)
    visit.internal, visit.pristine = True, False
    redirects = flag in ("redirect", "permanent") or replacement.startswith(("http://", "https://", "$scheme"))
    add_args = not replacement.endswith("?")
    if not add_args:
        replacement = replacement[:-1]
    if redirects:
        head, mark, tail = replacement.partition("?")
        text = expand(config, visit, head, quote_captures=True)
        if mark:
            text = _join(text, "?", expand(config, visit, tail, quote_captures=True))
        target = unescape_redirect(str(visit.settle(text, statement)))
        if add_args and visit.args:
            target += ("&" if mark else "?") + visit.args
        status = 301 if flag == "permanent" else 302
        visit.say(f"rewrite {pattern} matches: redirected to {target}", statement)
        return Ending(status, statement, redirect_to=target), True
    if flag == "break":
        visit.valid_location = False
        visit.uri_changed = False
    else:
        visit.uri_changed = True
    head, mark, tail = replacement.partition("?")
    uri = visit.settle(expand(config, visit, head), statement)
    if mark:
        args = expand(config, visit, tail, quote_captures=True)
        if add_args and visit.args:
            args = _join(args, "&", visit.args)
        visit.args = args
    elif not add_args:
        visit.args = ""
    visit.uri = _whole(uri)
    visit.say(f"rewrite {pattern} matches: the URI is now {visit.uri}" + (f" ({flag})" if flag else ""), statement)
    if not uri:
        visit.say("the rewritten URI is empty: 500", statement)
        return Ending(500, statement), True
    return None, flag in ("last", "break")


def _join(*texts: str) -> str:
    joined = "".join(texts)
    for text in texts:
        if isinstance(text, Unsure):
            return Unsure(joined, text.why)
    return joined


def _whole(text: str) -> str:
    """Captures may cut UTF-8 sequences; put together again they are one character."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _condition(config: Config, visit: Visit, block: Block) -> bool:
    words = split_condition(block.values)
    shown = " ".join(words)
    if not words:
        return False
    if words[0].lstrip("!") in _FILE_TESTS and len(words) > 1:
        path = expand(config, visit, words[1])
        kind = _FILE_TESTS[words[0].lstrip("!")]
        known = visit.kind_of(path)
        if known is None or words[0].endswith("x"):
            holds = visit.ask(f"whether {path or words[1]} {kind}", block)
        else:
            holds = known in _KINDS[words[0].lstrip("!")]
        answer = holds != words[0].startswith("!")
        visit.say(f"if ({shown}): {'yes' if answer else 'no'}", block)
        return answer
    value = expand(config, visit, words[0])
    unsure = value if isinstance(value, Unsure) else None
    regex: Regex | None = None
    if len(words) == 1:
        answer = value not in ("", "0")
    elif len(words) >= 3 and words[1] in ("=", "!="):
        other = expand(config, visit, words[2])
        unsure = unsure if unsure is not None else other if isinstance(other, Unsure) else None
        answer = (str(value) == str(other)) == (words[1] == "=")
    elif len(words) >= 3 and words[1] in ("~", "~*", "!~", "!~*"):
        compiled = compile_regex(words[2], caseless=words[1].endswith("*"))
        if not isinstance(compiled, Regex):
            visit.doubt(f'"{words[2]}" is no regex nginx accepts', block)
            return False
        regex = compiled
        try:
            match = regex.search(value)
        except RegexLimit:
            visit.doubt(f'the pattern "{words[2]}" needs too many steps', block)
            return False
        if match is not None:
            visit.remember(regex, match, value)
        else:
            visit.captures = []
        answer = (match is not None) != words[1].startswith("!")
    else:
        visit.doubt(f"the condition ({shown}) is none nginx accepts", block)
        return False
    if unsure is not None:
        assumed = visit.ask(f"whether ({shown}) holds: {unsure.why}", block, answer)
        if regex is not None and assumed != answer:
            # what it captures then, nobody knows; without a match nginx forgets what was captured before
            if assumed != words[1].startswith("!"):
                visit.remember(regex, None, unsure)
            else:
                visit.captures = []
        answer = assumed
    visit.say(f"if ({shown}): {'yes' if answer else 'no'}", block)
    return answer
