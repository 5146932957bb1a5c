"""nginxlint.toml: found beside what is linted, read, and refused where a key is not known."""

from __future__ import annotations

import os

from nginxlint.config import Version
from nginxlint.error import NginxlintError

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from typing import Any

_NAMES = ("nginxlint.toml", ".nginxlint.toml")
_LEVELS = ("error", "warning", "info")

# Known keys and what they hold.
_KEYS: dict[str, type] = {
    "select": list,
    "ignore": list,
    "extend-select": list,
    "extend-ignore": list,
    "min-confidence": str,
    "fail-on": str,
    "nginx-version": str,
    "modules": list,
    "profile": str,
    "prefix": str,
    "root": str,
    "roots": list,
    "map": list,
    "exclude": list,
    "baseline": str,
    "severity": dict,
    "rules": dict,
    "online": dict,
    "plugins": dict,
}
_ONLINE_KEYS: dict[str, type] = {
    "enabled": bool,
    "timeout": object,
    "budget": object,
    "concurrency": int,
    "per-host": int,
    "retries": int,
    "resolver": str,
    "resolve": list,
    "allow": list,
    "deny": list,
    "connect-timeout": object,
    "read-timeout": object,
    "rate": int,
    "probe-level": str,
    "cache-ttl": object,
    "strict": bool,
    "vantage": str,
    "certificate-days": int,
    "targets": dict,
}
_PLUGIN_KEYS: dict[str, type] = {"paths": list}
# What a user is told a value has to be.
KINDS: dict[type, str] = {
    list: "a list",
    str: "a text in quotes",
    dict: "a table",
    bool: "true or false",
    int: "a number",
}
_CHOICES = {
    "fail-on": ("error", "warning", "info", "never"),
    "profile": ("default", "strict", "security", "gate"),
    "min-confidence": ("high", "medium", "low"),
}


class File:
    """The settings a file holds; all empty where there is none."""

    def __init__(self, path: str = "", values: dict[str, Any] | None = None, text: str = "") -> None:
        values = values or {}
        here = os.path.dirname(path)
        self.path = path
        self._text = text
        self.select: list[str] = values.get("select", [])
        self.ignore: list[str] = values.get("ignore", [])
        self.extend_select: list[str] = values.get("extend-select", [])
        self.extend_ignore: list[str] = values.get("extend-ignore", [])
        self.min_confidence: str = values.get("min-confidence", "")
        self.fail_on: str = values.get("fail-on", "")
        self.nginx_version: str = values.get("nginx-version", "")
        self.modules: list[str] | None = values.get("modules")
        self.profile: str = values.get("profile", "")
        self.prefix: str = _beside(here, values.get("prefix", ""))
        self.root: str = _beside(here, values.get("root", ""))
        self.roots: list[str] = [_beside(here, text) for text in values.get("roots", [])]
        self.maps: tuple[tuple[str, str], ...] = tuple((one["from"], one["to"]) for one in values.get("map", []))
        self.exclude: list[str] = [_pattern_beside(here, text) for text in values.get("exclude", [])]
        self.baseline: str = _beside(here, values.get("baseline", ""))
        self.severities: dict[str, str] = values.get("severity", {})
        self.options: dict[str, dict[str, Any]] = values.get("rules", {})
        self.online: dict[str, Any] = values.get("online", {})
        self.rule_folders: list[str] = [_beside(here, text) for text in values.get("plugins", {}).get("paths", [])]

    def line(self, key: str) -> int:
        """The line a key stands on."""
        return _line(self._text, key)


def _beside(folder: str, path: str) -> str:
    return os.path.join(folder, path) if path and folder and not os.path.isabs(path) else path


def _pattern_beside(folder: str, pattern: str) -> str:
    """The same files wherever we are: `legacy/**` is below the folder of the settings, `*.bak` and `**/old/*` anywhere."""
    if "/" not in pattern or pattern.startswith(("/", "**/")):
        return pattern
    literal = "".join(f"[{one}]" if one in "*?[" else one for one in os.path.abspath(folder))
    return os.path.join(literal, pattern)


def find_settings(path: str, given: str, none: bool) -> File:
    """The settings for a linted path: the file given, else the nearest one from `path` upwards to the top of the
    repository, else /etc/nginxlint.toml. Raises NginxlintError for an absent, unreadable or wrong file."""
    if none:
        return File()
    if given:
        return _read(given, given=True)
    folder = os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path) or ".")
    while True:
        for name in _NAMES:
            candidate = os.path.join(folder, name)
            if os.path.isfile(candidate):
                return _read(_shortest(candidate))
        project = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(project) and _has_table(project):
            return _read(_shortest(project))
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            break
        folder = above
    return _read("/etc/nginxlint.toml") if os.path.isfile("/etc/nginxlint.toml") else File()


def _shortest(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _has_table(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"[tool.nginxlint" in file.read()
    except OSError:
        return False


def _read(path: str, *, given: bool = False) -> File:
    """Read one file. One that was found, not `given`, has to belong to root or the caller where we are root: it
    names folders of rules, whose code runs."""
    import tomllib

    from nginxlint.files import Disk

    try:
        owner = os.stat(path).st_uid
        data = Disk("").read(path)
    except OSError as error:
        raise NginxlintError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if os.geteuid() == 0 and not given and owner not in (0, _caller()):
        raise NginxlintError(
            f"{path}: belongs to user {owner}; as root only files of root are read (--no-config passes)"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NginxlintError(f"{path}:{data.count(10, 0, error.start) + 1}: this byte is not UTF-8") from error
    try:
        values: Any = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also for a number of 5,000 digits
        raise NginxlintError(f"{path}: {error}") from error
    if os.path.basename(path) == "pyproject.toml":
        values = values.get("tool", {}).get("nginxlint", {})
        if not isinstance(values, dict):
            raise NginxlintError(f"{path}: tool.nginxlint has to be a table")
    _check(values, _KEYS, path, text)
    _check(values.get("online", {}), _ONLINE_KEYS, path, text, "online.")
    _check(values.get("plugins", {}), _PLUGIN_KEYS, path, text, "plugins.")
    _check_values(values, path, text)
    return File(path, values, text)


def _caller() -> int:
    """The user who called sudo."""
    text = os.environ.get("SUDO_UID", "")
    return int(text[:10]) if text.isdecimal() and text.isascii() else 0


def _check(values: dict[str, Any], known: dict[str, type], path: str, text: str, prefix: str = "") -> None:
    for key, value in values.items():
        if key not in known:
            from difflib import get_close_matches

            near = get_close_matches(key.replace("_", "-"), known, 1)
            hint = f' - did you mean "{near[0]}"?' if near else f" (known: {', '.join(sorted(known))})"
            raise NginxlintError(f'{path}:{_line(text, key)}: unknown key "{prefix}{key}"{hint}')
        if not isinstance(value, known[key]) or (known[key] is int and isinstance(value, bool)):
            raise NginxlintError(f'{path}:{_line(text, key)}: "{prefix}{key}" has to be {KINDS[known[key]]}')
        if isinstance(value, list) and key != "map" and not all(isinstance(item, str) for item in value):
            raise NginxlintError(f'{path}:{_line(text, key)}: "{prefix}{key}" has to be a list of texts')


def _check_values(values: dict[str, Any], path: str, text: str) -> None:
    """The contents of keys whose kind is right."""

    def refuse(key: str, message: str) -> None:
        raise NginxlintError(f"{path}:{_line(text, key)}: {message}")

    for key, choices in _CHOICES.items():
        if key in values and values[key] not in choices:
            refuse(key, f'"{key}" is one of {", ".join(choices)}, not "{values[key]}"')
    for rule, level in values.get("severity", {}).items():
        if level not in _LEVELS:
            refuse(rule, f'the severity of "{rule}" is one of {", ".join(_LEVELS)}, not "{level}"')
    for rule, options in values.get("rules", {}).items():
        if not isinstance(options, dict):
            refuse(rule, f"write the options of a rule as a table: [rules.{rule}]")
    for one in values.get("map", []):
        if not isinstance(one, dict) or set(one) != {"from", "to"} or not all(isinstance(v, str) for v in one.values()):
            refuse("map", 'an entry of "map" is { from = "sites-enabled", to = "sites-available" }')
    if "nginx-version" in values:
        parse_version(values["nginx-version"], f'{path}:{_line(text, "nginx-version")}: "nginx-version"')


def _line(text: str, key: str) -> int:
    """The line a key stands on (the first that begins with it, in any quotes or as a table)."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip().lstrip("[").strip("\"' ").startswith(key) or f".{key}" in line or f'"{key}"' in line:
            return number
    return 1


def parse_version(text: str, what: str) -> Version:
    """`1.26`, `1.26.2` or `nginx/1.26.2` as numbers. Raises NginxlintError."""
    parts = text.strip().removeprefix("nginx/").split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() and part.isascii() and len(part) < 5 for part in parts):
        raise NginxlintError(f"{what}: {text!r} is not a version of nginx; write 1.26 or 1.26.2")
    numbers = [int(part) for part in parts] + [0]
    return numbers[0], numbers[1], numbers[2]
