"""The entry point: which command runs, and what becomes of what goes wrong in it."""

from __future__ import annotations

import os
import sys

from nginxlint.error import NginxlintError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# command → its module, and the line `nginxlint --help` shows. A module has `run(argv) -> int`: the words behind the
# command, and the exit code. It may raise NginxlintError.
COMMANDS = {
    "check": ("nginxlint.cli.cached", "check configurations, offline or online"),
    "route": ("nginxlint.cli.route", "show which server, location and upstream answer a URL, and why"),
    "test": ("nginxlint.cli.test", "test routing: expected answers in a file, without nginx"),
    "targets": ("nginxlint.cli.targets", "list what nginx would talk to, and how"),
    "graph": ("nginxlint.cli.graph", "draw the routing: Mermaid, dot or SVG"),
    "rules": ("nginxlint.cli.rules", "list the rules"),
    "explain": ("nginxlint.cli.explain", "show the page of a rule"),
    "demo": ("nginxlint.cli.demo", "check a sample configuration against faulty upstreams on loopback"),
    "completions": ("nginxlint.cli.completions", "print a completion script for bash, fish or zsh"),
    "version": ("nginxlint.cli.version", "show versions"),
}

WRONG_USE = 2
INTERNAL_ERROR = 4
INTERRUPTED = 130
PIPE_CLOSED = 141


def run() -> NoReturn:
    """What the installed `nginxlint` calls: run, flush, leave without freeing every object first."""
    import gc

    gc.disable()  # nothing here makes garbage worth a pause; the process is about to end
    if not sys.flags.optimize and sys.pycache_prefix is None:
        from nginxlint.cli.shortcut import Shortcut

        sys.meta_path.insert(0, Shortcut)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _stand_in()
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE_CLOSED
    except (OSError, ValueError):
        code = code or WRONG_USE
    os._exit(code)


def _stand_in() -> None:
    """Put something where the caller has closed a stream, so that no file of ours gets its number: writing to standard output
    still fails, and what goes to standard error is lost."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code. Nothing escapes from it."""
    words = list(sys.argv[1:] if argv is None else argv)
    code = _guarded(words)
    if words[:1] == ["check"] and code not in (0, 1, INTERRUPTED, PIPE_CLOSED) and _is_gate(words):
        complain("--gate lets this pass")  # our own trouble must never keep a web server down
        return 0
    return code


def _is_gate(words: list[str]) -> bool:
    from nginxlint.cli.environment import OFF

    return "--gate" in words or os.environ.get("NGINXLINT_GATE", "").lower() not in OFF


def _guarded(words: list[str]) -> int:
    try:
        return _dispatch(words)
    except NginxlintError as error:
        complain(str(error))
        return WRONG_USE
    except SystemExit as done:  # argparse: --help
        return done.code if isinstance(done.code, int) else WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return PIPE_CLOSED
    except Exception:  # noqa: BLE001 - a bug of ours: the user gets a file to send, not a traceback
        try:
            os.getcwd()
        except FileNotFoundError:
            complain("the folder we are in is not there any more")
            return WRONG_USE
        import traceback

        complain(crash_notice(traceback.format_exc(), words))
        return INTERNAL_ERROR


def complain(message: str) -> None:
    """One message on standard error."""
    say(f"nginxlint: {message}")


def say(text: str) -> None:
    """Lines on standard error. That they cannot be written changes nothing."""
    from nginxlint.reports.text import visible

    shown = "\n".join(map(visible, text.split("\n")))
    try:
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    except (OSError, ValueError, AttributeError):
        return  # nobody listens


def crash_notice(trace: str, words: Sequence[str]) -> str:
    """Write a traceback to the state folder; the sentence that names the file."""
    from nginxlint import __version__

    last = trace.rstrip().rsplit("\n", 1)[-1]
    folder = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    for place in (os.path.join(folder, "nginxlint"), None):
        try:
            if place is None:
                import tempfile

                place = tempfile.mkdtemp(prefix="nginxlint-")
            os.makedirs(place, mode=0o700, exist_ok=True)
            path = os.path.join(place, f"crash-{os.getpid()}.txt")
            with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"nginxlint {__version__}, python {sys.version}\n{list(words)}\n\n{trace}\n")
        except OSError:
            continue
        return f"internal error: {last}\nThis is a bug in nginxlint. The details are in {path}"
    return (
        f"internal error: {last}\nThis is a bug in nginxlint, and its details could not be written anywhere.\n{trace}"
    )


def _dispatch(words: list[str]) -> int:
    command = words[0] if words else ""
    if command in COMMANDS:
        code: int = __import__(COMMANDS[command][0], fromlist=["run"]).run(words[1:])
        return code
    if command in ("-V", "--version"):
        return _dispatch(["version", *words[1:]])
    if command in ("-h", "--help", "help"):
        from nginxlint.cli.output import write_out

        write_out(usage())
        return 0
    if not words:
        say(usage().rstrip("\n"))
        return WRONG_USE
    from difflib import get_close_matches

    near = get_close_matches(command, COMMANDS, 1)
    if near:
        hint = f" - did you mean {near[0]}?"
    elif os.path.exists(command):
        hint = f" - did you mean: nginxlint check {command}?"
    else:
        hint = f": write one of {', '.join(COMMANDS)}"
    kind = "option" if command.startswith("-") else "command"
    raise NginxlintError(f'unknown {kind} "{command}"{hint}')


def usage() -> str:
    """What `nginxlint --help` prints."""
    lines = "".join(f"  {name:<12} {line}\n" for name, (_, line) in COMMANDS.items())
    return (
        "usage: nginxlint COMMAND [OPTION ...] [PATH ...]\n\n"
        "Lint nginx configurations, and prove which proxy_pass target would answer 502 before you reload.\n\n"
        f"commands:\n{lines}\n"
        "nginxlint COMMAND --help shows the options of a command; nginxlint --version the version.\n"
    )
