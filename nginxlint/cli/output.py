"""Where reports go: `-o FORMAT[:FILE]`, standard output, and how that is drawn."""

from __future__ import annotations

import os
import sys

from nginxlint.error import NginxlintError
from nginxlint.reports.text import PLAIN, Style, in_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from nginxlint.result import Run

_SLICE = 1 << 20  # characters encoded at a time
FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit", "checkstyle")


class Output:
    """A format and the file it goes to (empty: standard output)."""

    __slots__ = ("format", "path")

    def __init__(self, format: str, path: str) -> None:
        self.format = format
        self.path = path


def parse_outputs(texts: list[str]) -> list[Output]:
    """`-o` values. Without any: full, and annotations where GitHub Actions runs us. At most one goes to standard output."""
    outputs = []
    for text in texts:
        format, _, path = text.partition(":")
        if format not in FORMATS:
            from difflib import get_close_matches

            near = get_close_matches(format, FORMATS, 1)
            hint = f" - did you mean {near[0]}?" if near else ""
            raise NginxlintError(f"unknown output format {format!r}{hint} ({', '.join(FORMATS)})")
        outputs.append(Output(format, path))
    if sum(not output.path for output in outputs) > 1:
        raise NginxlintError("only one output can go to standard output: give the others a file, -o json:report.json")
    if not outputs:
        outputs = [Output("full", "")]
        if os.environ.get("GITHUB_ACTIONS") == "true":
            outputs.append(Output("github", ""))
    return outputs


def render_reports(outputs: list[Output], run: Run, style: Style, *, quiet: bool) -> list[tuple[str, str]]:
    """(file, text) of every report. Those that go to files come first: a closed pipe must not cost them."""
    ordered = sorted(outputs, key=lambda output: not output.path)
    return [
        (output.path, _render(output.format, run, PLAIN if output.path else style, quiet=quiet)) for output in ordered
    ]


def deliver(texts: list[tuple[str, str]]) -> None:
    """Every report to its place."""
    for path, text in texts:
        if path:
            write_file(path, text)
        else:
            write_out(text)


def _render(format: str, run: Run, style: Style, *, quiet: bool) -> str:
    if format == "full":
        from nginxlint.reports import full

        return full.render(run, style, quiet=quiet)
    if format == "concise":
        from nginxlint.reports import concise

        return concise.render(run, style)
    if format == "junit":
        from nginxlint.reports import junit

        return junit.of_findings(run)
    text: str = __import__(f"nginxlint.reports.{format}", fromlist=["render"]).render(run)
    return text


def write_out(text: str, *, exact: bool = False) -> None:
    """All of it to standard output; `exact`: as it stands in files, whatever can be shown. Raises BrokenPipeError where
    nobody reads on, NginxlintError where it fails."""
    stream = sys.stdout
    encoding, errors = stream.encoding or "utf-8", "backslashreplace"
    if exact:
        encoding, errors = "utf-8", "surrogateescape"
    elif not _is_unicode(encoding):
        text = in_ascii(text)
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a test reads along
        stream.write(text.encode(encoding, errors).decode(encoding, errors))
        return
    stream.flush()
    try:
        # by hand: the buffered stream of CPython does not report a pipe that is closed amid a long write
        for at in range(0, len(text), _SLICE):
            left = memoryview(text[at : at + _SLICE].encode(encoding, errors))
            while left:
                try:
                    left = left[os.write(descriptor, left) :]
                except BlockingIOError:
                    import select

                    select.select([], [descriptor], [])
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NginxlintError(f"the report cannot be written: {error.strerror}") from error


def write_file(path: str, text: str | bytes, what: str = "the report") -> None:
    """Beside it and renamed, so that nobody reads half of it; straight into what is no file (a pipe, /dev/stderr)."""
    data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(data)
            return
        target = os.path.realpath(path)
        beside = f"{target}.{os.getpid()}.tmp"
        try:
            with open(beside, "wb") as file:
                file.write(data)
            os.replace(beside, target)
        except OSError as error:
            import errno

            if error.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY) or not os.path.isfile(target):
                raise
            # its folder is not ours, or it is mounted into a container: only the file itself may be written
            with open(target, "wb") as file:
                file.write(data)
            if os.path.exists(beside):
                os.unlink(beside)
    except OSError as error:
        if os.path.exists(beside):
            os.unlink(beside)
        raise NginxlintError(f"{what} cannot be written to {path}: {error.strerror}") from error


def style_of(args: Namespace) -> Style:
    """How standard output is drawn: colours and links on a terminal only; ASCII where the encoding has no more."""
    if args.width is not None and args.width < 20:
        raise NginxlintError("--width has to be 20 or more")
    environment = os.environ
    terminal = sys.stdout is not None and sys.stdout.isatty() and environment.get("TERM") != "dumb"
    colour = args.color == "always" or (
        args.color == "auto"
        and not environment.get("NO_COLOR")
        and (terminal or environment.get("FORCE_COLOR", "0") not in ("", "0"))
    )
    return Style(
        colour=colour,
        links=terminal and colour and _knows_links(),
        unicode=_is_unicode(getattr(sys.stdout, "encoding", None) or "utf-8"),
        width=args.width or _columns(terminal),
    )


def _is_unicode(encoding: str) -> bool:
    return encoding.lower().startswith("utf")


def _knows_links() -> bool:
    """Terminals that are known to draw OSC 8 hyperlinks."""
    environment = os.environ
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty")
        or (vte.isdecimal() and int(vte[:9]) >= 5000)
        or any(environment.get(name) for name in ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION"))
    )


def _columns(terminal: bool) -> int:
    text = os.environ.get("COLUMNS", "")
    if text.isdecimal() and text.isascii() and 20 <= int(text[:9]) <= 10_000:
        return int(text)
    if terminal:
        try:
            return max(20, os.get_terminal_size(sys.stdout.fileno()).columns or 100)  # 0: nobody has set it
        except (OSError, ValueError):
            return 100
    return 100
