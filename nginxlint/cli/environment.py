"""What the command line takes from its surroundings: environment twins of options, and the nginx of this machine."""

from __future__ import annotations

import os
from io import open_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from nginxlint.config import Version

BINARIES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/bin/nginx")
_LARGEST = 64 * 1024 * 1024
_PREFIX = "NGINXLINT_"
# What an environment variable says to leave a flag off.
OFF = ("", "0", "false", "no", "off")
# A flag written out also beats the environment's opposite.
_AGAINST = {"--online": ("--offline",), "--offline": ("--online", "--dry-run"), "--config": ("--no-config",)}


def speaks() -> bool:
    """Does the environment say anything?"""
    return any(name.startswith(_PREFIX) for name in os.environ)


def with_environment(parser: ArgumentParser, argv: Sequence[str]) -> list[str]:
    """The arguments with those of the environment put before them, so that a flag written out wins."""
    if not speaks():
        return list(argv)
    added: list[str] = []
    for action in parser._actions:
        long = next((option for option in action.option_strings if option.startswith("--")), None)
        if long is None or long == "--help":
            continue
        value = os.environ.get(_PREFIX + long[2:].replace("-", "_").upper())
        if value is None or any(_names(word, [*action.option_strings, *_AGAINST.get(long, ())]) for word in argv):
            continue
        if action.nargs == 0:
            added += [long] if value.lower() not in OFF else []
        elif value:
            added += [f"{long}={value}"]
    return [*added, *argv]


def _names(word: str, options: list[str]) -> bool:
    """Is this word of the command line one of the options (with or without a value)?"""
    return any(
        word == option
        or (option.startswith("--") and word.startswith(f"{option}="))
        or (not option.startswith("--") and word.startswith(option))
        for option in options
    )


def live_version() -> Version | None:
    """The version of the nginx of this machine; None where there is none."""
    for binary in BINARIES:
        if os.access(binary, os.X_OK):
            return _version(_content(binary)) or _version(_told_by(binary))
    return None


def _version(text: bytes) -> Version | None:
    from nginxlint.expressions import compiled

    found = compiled(rb"nginx version: \w+/(\d+)\.(\d+)\.(\d+)").search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _content(binary: str) -> bytes:
    """What stands in a program: what it says of its version does, and to read it takes a tenth of the time to run it. The
    cache tells another program by its mark, so that nobody has to watch this."""
    try:
        with open_code(binary) as file:
            return file.read(_LARGEST)
    except OSError:
        return b""


def _told_by(binary: str) -> bytes:
    """What `nginx -v` says: the file may be a script that starts the program."""
    import subprocess

    try:
        return subprocess.run(
            [binary, "-v"], capture_output=True, timeout=5, check=False, stdin=subprocess.DEVNULL
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return b""
