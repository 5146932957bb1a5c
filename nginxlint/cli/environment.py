"""What the command line takes from its surroundings: environment twins of options, and the nginx of this machine."""

from __future__ import annotations

import os
import sys
from io import open_code

from nginxlint.error import NginxlintError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from nginxlint.config import Version

BINARIES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/bin/nginx")
_LARGEST = 64 * 1024 * 1024
_VERSION = rb"nginx version: \w+/\d[^\0\n]*"
_OPTIONS = rb"configure arguments:[^\0\n]*"
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


def standard_input(limit: int) -> bytes:
    """What is given on standard input, up to one byte more than `limit`. Raises NginxlintError."""
    if sys.stdin is None:
        raise NginxlintError("-: there is no standard input")
    try:
        return sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise NginxlintError(f"-: standard input cannot be read: {(error.strerror or str(error)).lower()}") from error


def live_build() -> str:
    """What `nginx -V` says of the nginx of this machine, as far as is known; empty where there is none."""
    for binary in BINARIES:
        if os.access(binary, os.X_OK):
            return _held_by(binary) or _told_by(binary)
    return ""


def live_version() -> Version | None:
    """The version of the nginx of this machine; None where there is none."""
    from nginxlint.catalogue.target import Target

    build = Target.from_build(live_build())
    return None if build is None else build.version


def _held_by(binary: str) -> str:
    """What stands in a program: what it says of its build does, and to read it takes a tenth of the time to run it. The
    cache tells another program by its mark, so that nobody has to watch this."""
    from nginxlint.expressions import compiled

    try:
        with open_code(binary) as file:
            content = file.read(_LARGEST)
    except OSError:
        return ""
    version = compiled(_VERSION).search(content)
    options = compiled(_OPTIONS).search(content)
    return (version[0] + b"\n" + (options[0] if options else b"")).decode("utf-8", "replace") if version else ""


def _told_by(binary: str) -> str:
    """What `nginx -V` says: the file may be a script that starts the program."""
    import subprocess

    try:
        said = subprocess.run(
            [binary, "-V"], capture_output=True, timeout=5, check=False, stdin=subprocess.DEVNULL
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.decode("utf-8", "replace")
