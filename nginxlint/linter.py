"""One run: from roots and rules to one result that every report is a function of."""

from __future__ import annotations

from time import perf_counter

from nginxlint.config import NEWEST, Config, Version
from nginxlint.diagnostic import Diagnostic, Edit, Fix, Note, Severity, Stage
from nginxlint.includes import Loaded, ReadFile
from nginxlint.inputs import Root, Unreadable, reason_of
from nginxlint.patience import Patience, TookTooLong
from nginxlint.selection import Selection
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from nginxlint.catalogue.target import Target
    from nginxlint.registry import Entry
    from nginxlint.suppressions import Suppression

# Of a file that is no configuration at all, so many faults are shown.
_SHOWN_FAULTS = 3
# Faults after which the repaired tree is the one that was meant.
_REPAIRED = frozenset(("semicolon-missing", "argument-too-long"))
# Limits of ours: nginx may accept the file.
_LIMITS = ("nesting-too-deep", "not-a-configuration")
_STRAY = 'unexpected "}"'


class Finding:
    """A diagnostic in its run: the root it was found in, the directives it belongs to (several where a file is
    included several times), and what silences it."""

    __slots__ = ("checked", "diagnostic", "seen_at", "suppressed")

    def __init__(self, diagnostic: Diagnostic, checked: Checked) -> None:
        self.diagnostic = diagnostic
        self.checked = checked
        self.seen_at: list[Directive] = [] if diagnostic.at is None else [diagnostic.at]
        self.suppressed: Suppression | None = None

    def blocks(self) -> list[Block]:
        """The blocks around it that somebody wrote, outermost first; a block it is about counts."""
        at = self.diagnostic.at
        if at is None:
            place = block_around(self.checked.config, self.diagnostic.span)
        else:
            place = at if isinstance(at, Block) else at.parent
        around: list[Block] = []
        while place is not None:
            if not place.synthetic:
                around.append(place)
            place = place.parent
        return around[::-1]

    def servers(self) -> list[Block]:
        """The distinct servers it is seen in."""
        around = [at if at.name == "server" else at.enclosing("server") for at in self.seen_at]
        return list(dict.fromkeys(block for block in around if isinstance(block, Block)))


class Checked:
    """One root that was checked."""

    __slots__ = ("config", "loaded", "root")

    def __init__(self, root: Root, loaded: Loaded, config: Config) -> None:
        self.root = root
        self.loaded = loaded
        self.config = config


class Request:
    """What one run shall do, apart from its roots and rules. `online` takes a configuration and gives an
    `OnlineResult` (see nginxlint/online/stage.py)."""

    __slots__ = (
        "args",
        "build",
        "check_files",
        "fail_on",
        "modules",
        "online",
        "profile",
        "rule_options",
        "severities",
        "suppressions",
        "today",
        "version",
        "version_origin",
    )

    def __init__(
        self,
        *,
        args: tuple[str, ...] = (),
        version: Version = NEWEST,
        version_origin: str = "the newest known",
        modules: frozenset[str] | None = None,
        profile: str = "default",
        fail_on: Severity | None = Severity.ERROR,
        severities: dict[str, Severity] | None = None,
        rule_options: dict[str, dict[str, Any]] | None = None,
        suppressions: bool = True,
        build: Target | None = None,
        check_files: str = "never",
        online: Callable[[Config], Any] | None = None,
        today: str = "",
    ) -> None:
        self.args = args
        self.version = version
        self.version_origin = version_origin
        self.modules = modules
        self.profile = profile
        self.fail_on = fail_on
        self.severities = severities or {}
        self.rule_options = rule_options or {}
        self.suppressions = suppressions
        self.build = build
        self.check_files = check_files
        self.online = online
        self.today = today


class Run:
    """The result of a run. `findings` are sorted and include the suppressed ones; `trouble` is what could not be
    read; `incomplete` are sentences on what else was not analysed; `crashes` are (what, traceback) of our own bugs."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.checked: list[Checked] = []
        self.findings: list[Finding] = []
        self.trouble: list[Unreadable] = []
        self.incomplete: list[str] = []
        self.crashes: list[tuple[str, str]] = []
        self.stopped = False  # a part took too long: another run may come further
        self.rule_count = 0
        self.target_rows: list[Sequence[dict[str, Any]]] = []
        self.online_summaries: list[str] = []
        self.vantage: str | None = None
        self.seconds = 0.0
        self.timings: dict[str, float] = {}
        self.final_code = 0  # the exit code once flags like --exit-zero had their say

    @property
    def targets(self) -> Iterator[dict[str, Any]]:
        """The rows of the JSON contract, made one by one."""
        return (row for rows in self.target_rows for row in rows)

    @property
    def complete(self) -> bool:
        return not (self.trouble or self.incomplete or self.crashes)

    def shown(self) -> list[Finding]:
        """The findings that nothing silences."""
        return [finding for finding in self.findings if finding.suppressed is None]

    def count(self, severity: Severity) -> int:
        return sum(finding.diagnostic.severity == severity for finding in self.shown())

    def file_count(self) -> int:
        return len({file.source.path for checked in self.checked for file in checked.config.files})

    def exit_code(self) -> int:
        """4 for a bug of ours, 1 where something reaches `fail_on`, 3 where the analysis is incomplete, else 0."""
        if self.crashes:
            return 4
        threshold = self.request.fail_on
        if threshold is not None and any(finding.diagnostic.severity >= threshold for finding in self.shown()):
            return 1
        return 0 if self.complete else 3

    def why_incomplete(self) -> list[str]:
        """The sentences that say what was not analysed."""
        reasons = []
        if self.trouble:
            total = self.file_count() + len(self.trouble)
            named = ", ".join(f"{trouble.path}: {trouble.reason}" for trouble in self.trouble[:5])
            more = f" and {len(self.trouble) - 5} more" if len(self.trouble) > 5 else ""
            reasons.append(
                f"{len(self.trouble)} of {total} file{'' if total == 1 else 's'} could not be read ({named}{more})"
            )
        return reasons + self.other_reasons()

    def other_reasons(self) -> list[str]:
        """Those that are not about a file that could not be read."""
        return self.incomplete + [f"nginxlint itself failed in {what}" for what, _ in self.crashes]


def check(roots: Iterable[Root], unreadable: Iterable[Unreadable], selection: Selection, request: Request) -> Run:
    """Check every root with the selected rules."""
    run = Run(request)
    begin = perf_counter()
    run.trouble.extend(unreadable)
    run.rule_count = len(selection.entries)
    for root, loaded in kept_roots(roots):
        config = Config(root.given, loaded, version=request.version, snippet=root.context is not None)
        if root.checks_files(request.check_files):
            config.look, config.locate = root.look, root.locate
        checked = Checked(root, loaded, config)
        run.checked.append(checked)
        _note_trouble(checked, run)
    run.timings["read and parse"] = perf_counter() - begin
    for checked in run.checked:
        found = [Finding(diagnostic, checked) for diagnostic in _judge(checked, selection, request, run)]
        run.findings.extend(found)
    run.findings = arrange(run.findings, run.checked)
    if request.severities:
        _override_severities(run.findings, request.severities)
    if request.suppressions:
        _suppress(run, selection)
    run.findings = [finding for finding in run.findings if selection.shows(finding.diagnostic)]
    run.seconds = perf_counter() - begin
    run.final_code = run.exit_code()
    return run


def kept_roots(roots: Iterable[Root]) -> list[tuple[Root, Loaded]]:
    """The roots with what they include, without those another one includes; twins once."""
    roots = list(roots)
    if len(roots) == 1:
        return [(roots[0], roots[0].load())]
    loaded: list[tuple[Root, Loaded, object]] = []
    included: set[object] = set()
    # whole configurations first: they tell which of the other files are only pieces of them
    order = sorted(enumerate(roots), key=lambda item: (item[1].context is not None, item[0]))
    taken: dict[object, int] = {}
    for index, root in order:
        identity = _identity(root, root.path)
        if identity in taken or identity in included:
            continue
        taken[identity] = index
        tree = root.load()
        for include in tree.includes:
            included.update(_identity(root, path) for path in include.files)
        loaded.append((root, tree, identity))
    kept = {id(root) for root, _, identity in loaded if identity not in included}
    if not kept:  # they include one another
        kept = {id(loaded[0][0])} if loaded else set()
    place = {id(root): index for index, root in order}
    result = [(root, tree) for root, tree, _ in loaded if id(root) in kept]
    return sorted(result, key=lambda item: place[id(item[0])])


def _identity(root: Root, path: str) -> object:
    return (id(root.files), path) if root.is_dump else root.files.identity(path)


def _note_trouble(checked: Checked, run: Run) -> None:
    """What of this root could not be read. That a file is absent is a fact about the configuration, not trouble."""
    known = {trouble.path for trouble in run.trouble}
    for include in checked.loaded.includes:
        for path, reason in include.problems:
            if isinstance(reason, OSError) and not isinstance(reason, FileNotFoundError) and path not in known:
                known.add(path)
                run.trouble.append(Unreadable(path, reason_of(reason), include.directive))
    for file in checked.config.faulty:
        run.incomplete.extend(f"{file.source.path}: {fault.message}" for fault in file.faults if fault.kind in _LIMITS)
    if checked.loaded.limit:
        run.incomplete.append(checked.loaded.limit)


def _judge(checked: Checked, selection: Selection, request: Request, run: Run) -> list[Diagnostic]:
    """Everything the stages have to say about one root."""
    config = checked.config
    found = list(syntax_findings(config))
    faults = {fault.kind for file in config.faulty for fault in file.faults}
    intact = faults <= _REPAIRED
    stray = None if intact else next((one for one in found if one.nginx_message == _STRAY), None)
    # before the rules: the memory it needs is theirs afterwards
    refusals = _refused(checked, request, run) if intact or stray is not None else []
    stated: list[Diagnostic] = []
    patience = Patience(config.directive_count)
    stopped: list[str] = []
    for entry in needed(selection.entries, config):
        if patience.exhausted:
            stopped.append(entry.id)
            continue
        begin = perf_counter()
        with_options = request.rule_options.get(entry.id, {})
        work = patience.limited, _run_rule, entry, with_options, config, intact
        try:
            stated.extend(_guarded(f"the rule {entry.id}", run, *work))
        except TookTooLong:
            stopped.append(entry.id)
        run.timings[entry.id] = run.timings.get(entry.id, 0.0) + perf_counter() - begin
    if refusals is None:
        stopped.append("what nginx would refuse")
    elif stray is not None:
        # the block that was never opened: nginx meets its content first, and says no more than that
        found.extend(
            one for one in refusals[:1] if one.span.source is stray.span.source and one.span.start < stray.span.start
        )
    else:
        found.extend(_unsaid(refusals, stated))
    if stopped:
        found.append(_given_up(config, stopped, run))
    found.extend(stated)
    if request.online is not None:
        begin = perf_counter()
        found.extend(_guarded("the online stage", run, _online, config, request, run))
        run.timings["online"] = run.timings.get("online", 0.0) + perf_counter() - begin
    return found


def _given_up(config: Config, stopped: list[str], run: Run) -> Diagnostic:
    """Say which parts were stopped: the result is incomplete, and nobody may take it for clean."""
    said = ", ".join(stopped[:5]) + (f" and {len(stopped) - 5} more" if len(stopped) > 5 else "")
    run.stopped = True
    run.incomplete.append(f"{config.main.source.path}: stopped because it took too long: {said}")
    return Diagnostic(
        "analysis-limited",
        Severity.WARNING,
        f"this configuration takes too long to judge: {said} stopped",
        Span(config.main.source, 0, 0),
        group="syntax",
        stage=Stage.SYNTAX,
    )


def _run_rule(entry: Entry, options: dict[str, Any], config: Config, intact: bool) -> list[Diagnostic]:
    if entry.judges and not getattr(config, entry.judges):
        return []
    rule = entry.load()(**options)
    return list(rule.check(config)) if intact or rule.tolerant else []


def _guarded(what: str, run: Run, work: Callable[..., list[Diagnostic]], *args: object) -> list[Diagnostic]:
    """The findings of one part; where that part has a bug, the others still speak, and the run is marked."""
    try:
        return work(*args)
    except Exception:  # noqa: BLE001 - reported with its traceback, exit code 4
        import traceback

        run.crashes.append((what, traceback.format_exc()))
        return []


def _refused(checked: Checked, request: Request, run: Run) -> list[Diagnostic] | None:
    """What nginx would refuse; None where that took too long to find out."""
    begin = perf_counter()
    patience = Patience(checked.config.directive_count)
    try:
        return _guarded("the catalogue check", run, patience.limited, _refusals, checked, request)
    except TookTooLong:
        return None
    finally:
        run.timings["catalogue"] = run.timings.get("catalogue", 0.0) + perf_counter() - begin


def _refusals(checked: Checked, request: Request) -> list[Diagnostic]:
    config = checked.config
    from nginxlint.catalogue import check as refusals
    from nginxlint.catalogue.target import Target

    target = request.build or Target(request.version, request.modules)
    found: list[Diagnostic] = list(refusals(config.main, target, complete=not config.snippet, index=config.index))
    if checked.root.checks_files(request.check_files):
        from nginxlint.catalogue.files import check_files

        found.extend(check_files(config.find, checked.root.locate))
    return found


def _unsaid(refusals: list[Diagnostic], stated: list[Diagnostic]) -> Iterator[Diagnostic]:
    """The catalogue's findings that no rule has put in better words: same line, same message of nginx's."""
    said = {
        (finding.span.source.path, finding.span.line, _message_class(finding.nginx_message))
        for finding in stated
        if finding.nginx_message is not None
    }
    for refusal in refusals:
        message = refusal.nginx_message
        if (
            message is None
            or not said
            or (refusal.span.source.path, refusal.span.line, _message_class(message)) not in said
        ):
            yield refusal


def _message_class(message: str | None) -> str:
    """nginx's message without the quoted parts, which differ from place to place."""
    return "".join((message or "").split('"')[::2])


def _online(config: Config, request: Request, run: Run) -> list[Diagnostic]:
    assert request.online is not None
    result = request.online(config)
    run.target_rows.append(result.targets_json)
    run.online_summaries.append(result.summary)
    run.vantage = result.vantage
    if not result.complete:
        run.incomplete.append("the online stage did not check every target")
    return list(result.diagnostics)


def _override_severities(findings: list[Finding], severities: dict[str, Severity]) -> None:
    for finding in findings:
        diagnostic = finding.diagnostic
        wanted = severities.get(diagnostic.rule) or severities.get(diagnostic.group)
        if wanted is not None:
            diagnostic.severity = wanted


def _suppress(run: Run, selection: Selection) -> None:
    for checked in run.checked:
        if any(file.comments for file in checked.config.files):
            from nginxlint.suppressions import apply_suppressions

            own = [finding for finding in run.findings if finding.checked is checked]
            silenced, extra = apply_suppressions(
                checked.config,
                [finding.diagnostic for finding in own],
                selection.is_known,
                _seen(selection, checked.config, run.request),
                today=run.request.today,
            )
            for finding in own:
                finding.suppressed = silenced.get(id(finding.diagnostic))
            run.findings.extend(Finding(diagnostic, checked) for diagnostic in extra)
    run.findings = arrange(run.findings, run.checked)


def _seen(selection: Selection, config: Config, request: Request) -> Callable[[str], bool]:
    """Would a finding of an id have been seen in this run? Only then is a comment against it of no use."""

    def has_run(id: str) -> bool:
        if config.snippet or config.broken:
            return False
        entry = selection.known.get(id)
        if entry is not None:
            return selection.is_on(id, entry.group, entry.opt_in)
        from nginxlint.pages import group_without_class

        group = group_without_class(id)
        return group is not None and (group != "online" or request.online is not None) and selection.is_on(id, group)

    return has_run


def arrange(found: Iterable[Finding], checked: Iterable[Checked]) -> list[Finding]:
    """Sorted by file (in the order nginx reads them) and place. What a file included several times, or a file of
    several roots, would repeat is given once; the first finding then knows all places."""
    order: dict[str, int] = {}
    for one in checked:
        for file in one.config.files:
            order.setdefault(file.source.path, len(order))
    unique: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        diagnostic = finding.diagnostic
        span = diagnostic.span
        key = (diagnostic.rule, span.source.path, span.start, span.end, diagnostic.message)
        first = unique.setdefault(key, finding)
        if first is not finding:
            first.seen_at.extend(at for at in finding.seen_at if at not in first.seen_at[-1:])
    return sorted(
        unique.values(),
        key=lambda finding: (
            order.get(finding.diagnostic.span.source.path, len(order)),
            finding.diagnostic.span.start,
            -finding.diagnostic.severity,
            finding.diagnostic.rule,
            finding.diagnostic.message,
        ),
    )


def needed(entries: Iterable[Entry], config: Config) -> list[Entry]:
    """Those of the rules that have anything to look at in this configuration."""
    return [entry for entry in entries if not entry.directives or config.concerns(entry.directives, entry.texts)]


def block_around(config: Config, span: Span) -> Block | None:
    """The innermost block that a place stands in."""
    place: Block = config.main if span.source.included_at is None else span.source.included_at.parent or config.main
    inner: Block | None = place
    while inner is not None:
        place = inner
        inner = next(
            (
                child
                for child in place.blocks()
                if child.synthetic or (child.source is span.source and child.start <= span.start <= child.close)
            ),
            None,
        )
    return place


def syntax_findings(config: Config) -> Iterator[Diagnostic]:
    """The faults of the lexer as findings."""
    for file in config.faulty:
        yield from _faults(file)


def _faults(file: ReadFile) -> Iterator[Diagnostic]:
    faults = file.faults
    hopeless = [fault for fault in faults if fault.kind == "not-a-configuration"]
    for fault in faults if not hopeless else [*faults[:_SHOWN_FAULTS], *hopeless]:
        span = Span(file.source, fault.start, fault.end)
        fixes: tuple[Fix, ...] = ()
        if fault.repair:
            at, text = fault.repair
            fixes = (Fix(f"write the missing {text}", (Edit(Span(file.source, at, at), text),), safe=False),)
        limit = fault.kind in _LIMITS
        seen = Span(file.source, fault.nginx_at, min(fault.nginx_at + 1, len(file.source.text)))
        elsewhere = () if limit or seen.line == span.line else (Note(seen, "nginx notices it only here"),)
        yield Diagnostic(
            fault.kind,
            Severity.WARNING if limit else Severity.ERROR,
            fault.message,
            span,
            group="syntax",
            stage=Stage.SYNTAX,
            label=fault.label,
            related=elsewhere,
            fixes=fixes,
            blocks_start=not limit,
            nginx_message=fault.nginx_message,
        )
