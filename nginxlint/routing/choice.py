"""Whether a visitor can choose the host or port of a pass: by an argument, a header, a cookie, the name he asks for, a group."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.regex import matches
from nginxlint.routing.captures import group_text, patterns_behind
from nginxlint.routing.destinations import split_template
from nginxlint.routing.passes import Pass
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_VARIABLE = r"\$(?:\{(\w+)\}|(\d|[A-Za-z_]\w*))"
_VISITORS = ("arg_", "cookie_", "http_")
_WHOLE = ("args", "query_string", "ssl_preread_server_name")
_ASKED = ("host", "http_host")
_MAX_STEPS = 4
_MAX_PATTERNS = 16

# Hosts that nobody meant; and what leaves a domain that is written behind the group.
_HOSTS = ("198.51.100.7", "evil.example.net")
_WAYS_OUT = ("evil.example.net/x", "evil.example.net?x", "evil.example.net#x")
_PORTS = ("22", "6379", "11211")


class Choice:
    """A visitor chooses the host by `variable`, or the port of the host `on`; `source` is the pattern that captures it, or
    the `set` or line of a map it comes from."""

    __slots__ = ("on", "source", "variable")

    def __init__(self, variable: str, source: Directive | None, on: str = "") -> None:
        self.variable = variable
        self.source = source
        self.on = on


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
        on = before.removesuffix(":") if before.endswith(":") else ""
        if not on and (":" in before or (before and not config.scope(target.directive).effective("resolver"))):
            return None  # behind the port; or at the end of a name that nobody looks up
        if name in _WHOLE or (name.startswith(_VISITORS) and name != "http_host"):
            return Choice(f"${name}", source, on)
        if name in _ASKED and not before and not config.other_definitions(name):
            return Choice(f"${name}", source) if _takes_every_name(config, target) else None
        held = bool(on) or behind.startswith((":", "/", "?", "#")) or not behind
        assigned = config.assignments(name).get(place.enclosing("server"), ())
        if not assigned and (default := _default_of(config, name)) is not None:
            place = source = default
        elif not assigned:
            patterns = patterns_behind(place, name if name.isdigit() else "0")  # named groups of those near by
            patterns = patterns if len(patterns) <= _MAX_PATTERNS else []
            # to have a host for each name is what those of server_name are for
            patterns = [one for one in patterns if one[1].name != "server_name"]
            taken = [by for one, by in patterns if _takes_any(one, name, bool(before), held, bool(on))]
            return Choice(f"${name}", taken[0], on) if taken else None
        elif len(assigned) > 1 or config.other_definitions(name):
            return None
        else:
            place = source = assigned[0]
        text = before + split_template(place.values[-1])[0] + behind
    return None


def _takes_every_name(config: Config, target: Pass) -> bool:
    """Does the server answer whatever host a visitor names, and does nginx look that up?"""
    server = config.server(target.directive)
    if server is None or not server.is_whole or server.is_local:
        return False
    if not config.scope(target.directive).effective("resolver"):
        return False
    nameless = not config.partial and all(name.text in ("", "_", "*") for name in server.names)
    return any(
        listen.default or (nameless and config.listeners.at(server, listen).default is server)
        for listen in server.listens
    )


def _default_of(config: Config, name: str) -> Directive | None:
    """The default of the one map that makes a variable, where it hands on what the visitor says."""
    made = config.other_definitions(name)
    if len(made) != 1 or made[0].name != "map" or not isinstance(made[0], Block):
        return None
    default = made[0].child("default")
    return default if default is not None and any("$" in value for value in default.values[-1:]) else None


def _takes_any(pattern: str, group: str, joined: bool, ends: bool, port: bool) -> bool:
    """Does a group take the name of any host (`joined`: as the end of one; not `ends`: before a domain), or any `port`?"""
    text = group_text(pattern, group)
    if text is None:
        return False
    names = _PORTS if port else [f"x.{host}" if joined else host for host in _HOSTS] if ends else _WAYS_OUT
    taken = [matches(f"^(?:{text})$", name) for name in names]
    return all(taken) if ends else any(taken)
