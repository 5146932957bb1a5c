"""The last lines of the report `full`: what was read, what was found, what was not analysed."""

from __future__ import annotations

from nginxlint.diagnostic import Severity
from nginxlint.reports.text import Style, counted, visible
from nginxlint.result import Run

_ROOT_LINES = 5


def summary(run: Run, style: Style) -> str:
    """Several lines, each ended by a newline."""
    lines = _contexts(run)
    shown = run.shown()
    sums = [checked.sums for checked in run.checked]
    targets = sum(one.targets for one in sums)
    unprobed = f", {counted(targets, 'proxy_pass target')} not probed: use --online" if targets else ""
    online = run.request.online is not None
    version = ".".join(map(str, run.request.version))
    read = counted(run.file_count(), "file")
    if not shown and run.complete:
        detail = f"{counted(run.rule_count, 'rule')}, for nginx {version}{'' if online else unprobed}"
        lines.append(f"{'Nothing to show of' if run.elsewhere else 'No problems in'} {read} ({detail}).")
    else:
        servers, locations = sum(one.servers for one in sums), sum(one.locations for one in sums)
        lines.append(
            f"{read}, {counted(servers, 'server')}, {counted(locations, 'location')} in {run.seconds:.1f} s, "
            f"judged for nginx {version} ({run.request.version_origin}){'' if online else unprobed}"
        )
    lines.extend(visible(text) for text in run.online_summaries if text)
    if shown:
        lines.append(_tally(run))
        lines.extend(_fixes(run))
    lines.extend(f"analysis is incomplete: {visible(reason)}" for reason in run.why_incomplete())
    if run.elsewhere:
        lines.append(f"{counted(run.elsewhere, 'finding')} in other files, which --hook or --exclude leaves out")
    if known := sum(finding.known for finding in run.findings):
        lines.append(f"{counted(known, 'finding')} known to the baseline")
    if silenced := len(run.findings) - len(shown) - known:
        fixme = sum(finding.suppressed is not None and finding.suppressed.fixme for finding in run.findings)
        marked = f", {fixme} of them marked fixme" if fixme else ""
        lines.append(f"{counted(silenced, 'finding')} suppressed by comments{marked}")
    if shown:
        first = next((finding.diagnostic.rule for finding in shown), "")
        lines.append(style.paint("dim", f"Explain any of these with: nginxlint explain {first}"))
    return "".join(f"{line}\n" for line in lines)


def _tally(run: Run) -> str:
    parts = [
        style_word
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        if (number := run.count(severity))
        for style_word in [counted(number, severity.word, "info" if severity == Severity.INFO else "")]
    ]
    blocking = sum(finding.diagnostic.blocks_start for finding in run.shown())
    if not blocking:
        return ", ".join(parts)
    verb = "stops" if blocking == 1 else "stop"
    return f"{', '.join(parts)}; {blocking} of them {verb} nginx from starting"


def _fixes(run: Run) -> list[str]:
    """What could be mended at once."""
    offered = [fix for finding in run.findings if (fix := finding.fix(unsafe=True))]
    safe = sum(fix.safe for fix in offered)
    if not offered or not run.in_files:
        return []
    if not safe:
        return [f"{counted(len(offered), 'fix', 'fixes')} by --fix --unsafe-fixes; look at --diff --unsafe-fixes first"]
    more = f", {len(offered) - safe} more with --unsafe-fixes" if len(offered) > safe else ""
    return [f"{counted(safe, 'fix', 'fixes')} by --fix{more}; --diff shows what would change"]


def _contexts(run: Run) -> list[str]:
    """Which files were taken for pieces of a configuration."""
    guessed = [checked.root for checked in run.checked if checked.root.guessed]
    lines = [
        f"{visible(root.path)}: taken as {root.context} context (--context says otherwise)"
        for root in guessed[:_ROOT_LINES]
    ]
    if len(guessed) > _ROOT_LINES:
        lines.append(f"and {len(guessed) - _ROOT_LINES} more files with a guessed context")
    return lines
