"""Whether a visitor can choose the host a pass leads to: by an argument, a header, a cookie, or by what a group captures."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.regex import Regex, RegexLimit, compile_regex
from nginxlint.routing.captures import group_text, patterns_behind
from nginxlint.routing.destinations import split_template
from nginxlint.routing.passes import Pass
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_VARIABLE = r"\$(?:\{(\w+)\}|(\d|[A-Za-z_]\w*))"
_VISITORS = ("arg_", "cookie_", "http_")
_WHOLE = ("args", "query_string")
_MAX_STEPS = 4
_MAX_PATTERNS = 16

# Hosts that nobody meant; and what leaves a domain that is written behind the group.
_HOSTS = ("198.51.100.7", "evil.example.net")
_WAYS_OUT = ("evil.example.net/x", "evil.example.net?x", "evil.example.net#x")


class Choice:
    """A visitor chooses the host by `variable`; `source` is the pattern that captures it, or the `set` it comes from."""

    __slots__ = ("source", "variable")

    def __init__(self, variable: str, source: Directive | None) -> None:
        self.variable = variable
        self.source = source


def chosen_host(config: Config, target: Pass) -> Choice | None:
    """By what a visitor chooses the host of a pass; None where he does not, or may be held to those that are meant."""
    text, place, source = split_template(target.text)[0], target.directive, None
    for _ in range(_MAX_STEPS):
        text = text.partition("://")[2] or text
        found = compiled(_VARIABLE).search(text)
        if found is None:
            return None
        name = (found[1] or found[2]).lower()
        before, behind = text[: found.start()], text[found.end() :]
        if ":" in before or (before and not config.scope(target.directive).effective("resolver")):
            return None  # behind the port; or at the end of a name that nobody looks up
        if name in _WHOLE or (name.startswith(_VISITORS) and name != "http_host"):
            return Choice(f"${name}", source)
        held = behind.startswith((":", "/", "?", "#")) or not behind
        assigned = config.assignments(name).get(place.enclosing("server"), ())
        if not assigned:
            patterns = patterns_behind(place, name if name.isdigit() else "0")  # named groups of those near by
            patterns = patterns if len(patterns) <= _MAX_PATTERNS else []
            return next(
                (Choice(f"${name}", by) for one, by in patterns if _takes_any(one, name, by, bool(before), held)), None
            )
        if len(assigned) > 1 or config.other_definitions(name):
            return None
        place = source = assigned[0]
        text = before + split_template(place.values[1])[0] + behind
    return None


def _takes_any(pattern: str, group: str, place: Directive, joined: bool, ends: bool) -> bool:
    """Does a group take the name of any host (`joined`: as the end of one; not `ends`: before a domain)?"""
    text = group_text(pattern, group)
    if text is None or place.name == "server_name":  # to have a host for each name is what these are for
        return False
    regex = compile_regex(f"^(?:{text})$")
    if not isinstance(regex, Regex):
        return False
    try:
        taken = [regex.search(f"x.{host}" if joined else host) is not None for host in (_HOSTS if ends else _WAYS_OUT)]
    except RegexLimit:
        return False
    return all(taken) if ends else any(taken)
