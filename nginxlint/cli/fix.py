"""`nginxlint check --fix` and `--diff`: mend what findings know how to mend, round by round, and write it or show it.

Nothing is written before all of it was judged: a round whose result is worse (an error that was not there before) is
taken back, and the fix that did it left out. Then every file is written beside itself and renamed, all or none.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile

from nginxlint.cli.output import write_out
from nginxlint.diagnostic import Severity
from nginxlint.error import NginxlintError
from nginxlint.fixer import Mended, mend, uses_of
from nginxlint.reports.text import counted, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nginxlint.reports.text import Style
    from nginxlint.result import Finding, Run

    # Judges everything anew, with what some files (by real path) shall be taken to hold.
    Judge = Callable[[Mapping[str, bytes]], Run]

_ROUNDS = 10
_WORSE = "it would bring in an error"


class Fixes:
    """What all rounds came to: `files` by real path, as they are and as they shall be; the run that judges the result."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.files: dict[str, tuple[bytes, bytes]] = {}
        self.done: list[Finding] = []
        self.left: list[tuple[Finding, str]] = []


def fix(run: Run, judge: Judge, may_change: Callable[[str], bool], *, unsafe: bool) -> Fixes:
    """Mend what a run has found. Raises NginxlintError for files that cannot be read."""
    if not run.in_files:
        raise NginxlintError("--fix and --diff need files: standard input and dumps cannot be mended")
    fixes = Fixes(run)
    left_out: set[tuple[str, ...]] = set()
    for _ in range(_ROUNDS):
        wanted = [one for one in fixes.run.findings if one.fix(unsafe=unsafe) and _name(one) not in left_out]
        if not wanted:
            break
        uses = uses_of(fixes.run)

        def made(findings: list[Finding], uses: Mapping[str, int] = uses) -> Mended:
            return mend(findings, uses, may_change, unsafe=unsafe)

        mended = made(wanted)
        left = mended.left
        if mended.done:
            files, after = _judged(fixes, mended, judge)
            if guilty := _guilty(fixes, mended, after, made, judge):
                left = left + [(one, _WORSE) for one in guilty]
                names = {_name(finding) for finding, _ in left}
                mended = made([one for one in wanted if _name(one) not in names])
                files, after = _judged(fixes, mended, judge)
            fixes.files, fixes.run = files, after
            fixes.done += mended.done
        fixes.left += left
        left_out.update(_name(finding) for finding, _ in left)
    return fixes


def _guilty(
    fixes: Fixes, mended: Mended, after: Run, made: Callable[[list[Finding]], Mended], judge: Judge
) -> list[Finding]:
    """Those of the mended findings whose fixes make it worse (`after` judges all of them together), found by halves."""
    if not _is_worse(fixes.run, after):
        return []
    if len(mended.done) == 1:
        return mended.done
    middle = len(mended.done) // 2
    guilty: list[Finding] = []
    for half in map(made, (mended.done[:middle], mended.done[middle:])):
        guilty += _guilty(fixes, half, _judged(fixes, half, judge)[1], made, judge)
    return guilty or mended.done  # neither half alone: it takes both


def _name(finding: Finding) -> tuple[str, ...]:
    """A fix, as far as it can be told from others when lines have moved."""
    diagnostic = finding.diagnostic
    return diagnostic.rule, diagnostic.span.source.path, diagnostic.message, diagnostic.fixes[0].title


def _judged(fixes: Fixes, mended: Mended, judge: Judge) -> tuple[dict[str, tuple[bytes, bytes]], Run]:
    files = dict(fixes.files)
    for path, text in mended.texts.items():
        before = files[path][0] if path in files else _read(path)
        files[path] = before, text.encode("utf-8", "surrogateescape")
    return files, judge({path: new for path, (_, new) in files.items()})


def _is_worse(before: Run, after: Run) -> bool:
    """Is anything refused, or in error, that was not?"""
    known = _errors(before)
    return after.gaps > before.gaps or any(count > known.get(rule, 0) for rule, count in _errors(after).items())


def _errors(run: Run) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in run.findings:
        diagnostic = finding.diagnostic
        if diagnostic.severity == Severity.ERROR or diagnostic.blocks_start:
            counts[diagnostic.rule] = counts.get(diagnostic.rule, 0) + 1
    return counts


# --- what comes of it -------------------------------------------------------------------------------------------


def show(fixes: Fixes, style: Style) -> None:
    """The changes as a unified diff, on standard output: as it is for `patch`, without control characters on a terminal."""
    from difflib import unified_diff

    lines: list[str] = []
    for real, (old, new) in sorted(fixes.files.items()):
        path = os.path.relpath(real) if real.startswith(os.getcwd() + os.sep) else real
        for line in unified_diff(_lines(old), _lines(new), fromfile=path, tofile=path):
            whole = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            role = {"+": "info", "-": "error", "@": "dim"}.get(line[:1], "")
            lines.append(f"{style.paint(role, visible(whole[:-1]))}\n" if style.colour and role else whole)
    write_out("".join(lines), exact=not sys.stdout.isatty())


def _lines(content: bytes) -> list[str]:
    """Lines with their ends, which for `patch` and nginx are line feeds alone."""
    *lines, last = content.decode("utf-8", "surrogateescape").split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def write(fixes: Fixes) -> None:
    """Write every file, or none: beside itself first, with the rights, owner and label it has. Raises NginxlintError.
    Nobody interrupts it: Ctrl-C and a kill wait until it is done."""
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        _write(fixes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def _write(fixes: Fixes) -> None:
    beside: dict[str, str] = {}
    replaced: list[str] = []
    path = ""
    try:
        for path, (old, new) in fixes.files.items():
            if _read(path) != old:
                raise NginxlintError(f"{path} has changed since it was read: nothing was written")
            beside[path] = _written_beside(path, new)
        for path in fixes.files:
            os.replace(beside[path], path)
            del beside[path]
            replaced.append(path)
    except OSError as error:
        for done in replaced:
            os.replace(_written_beside(done, fixes.files[done][0]), done)
        raise NginxlintError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        for temporary in beside.values():
            os.unlink(temporary)


def _written_beside(path: str, content: bytes) -> str:
    status = os.stat(path)
    # hidden: `include sites-enabled/*;` passes it over, should nginx reload meanwhile
    descriptor, temporary = tempfile.mkstemp(prefix=".nginxlint-", dir=os.path.dirname(path))
    with open(descriptor, "wb") as file:
        try:
            file.write(content)
            file.flush()
            own = os.fstat(file.fileno())
            if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            shutil.copystat(path, temporary)
            os.utime(temporary)
            os.fsync(file.fileno())
        except BaseException:
            os.unlink(temporary)
            raise
    return temporary


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise NginxlintError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error


def tell(fixes: Fixes, *, written: bool, unsafe: bool) -> list[str]:
    """What was mended, and what was left, for standard error."""
    verb = "mended" if written else "would mend"
    lines = [f"{verb} {counted(len(fixes.done), 'finding')} in {counted(len(fixes.files), 'file')}"]
    for finding, reason in fixes.left:
        span = finding.diagnostic.span
        lines.append(f"left {span.source.path}:{span.line}: {finding.diagnostic.rule}: {reason}")
    waiting = 0 if unsafe else sum(bool(one.fix(unsafe=True)) for one in fixes.run.findings)
    if waiting:
        lines.append(
            f"{counted(waiting, 'fix', 'fixes')} may change more than the fault: --unsafe-fixes makes them too"
        )
    return lines
