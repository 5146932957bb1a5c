"""One run: from roots and rules to one result."""

from __future__ import annotations

from time import perf_counter

from nginxlint.config import Config
from nginxlint.diagnostic import Diagnostic, Edit, Fix, Note, Severity, Stage
from nginxlint.expressions import compiled
from nginxlint.includes import Loaded, ReadFile
from nginxlint.inputs import Root, Unreadable, reason_of
from nginxlint.patience import Patience, TookTooLong
from nginxlint.result import Finding, Judged, Kept, Request, Run, arrange
from nginxlint.selection import ALL, Selection
from nginxlint.source import Span

TYPE_CHECKING = False  # typing costs 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    from nginxlint.registry import Entry
    from nginxlint.source import Source

    Tree = TypeVar("Tree", Loaded, Loaded | Kept)

# Of a file that is no configuration at all, so many faults are shown.
_SHOWN_FAULTS = 3
# Faults after which the repaired tree is the one that was meant.
_REPAIRED = frozenset(("semicolon-missing", "argument-too-long"))
# Limits of ours: nginx may accept the file.
_LIMITS = ("nesting-too-deep", "not-a-configuration")
# Jinja, Go, Mustache; ERB.
_TEMPLATE = r"\{\{[^{}\n]+\}\}|\{%[^\n]*?%\}|<%[^\n]*?%>"
_NEAR = 500  # characters of a line that are looked at
_STRAY = 'unexpected "}"'


def check(roots: Iterable[Root], unreadable: Iterable[Unreadable], selection: Selection, request: Request) -> Run:
    """Check every root with the selected rules, or say again what an earlier run has kept of it."""
    run = Run(request)
    memory = request.memory

    def load(root: Root) -> Loaded:
        return memory.of(root, root.load)

    begin = perf_counter()
    run.trouble.extend(unreadable)
    run.rule_count = len(selection.entries)
    trees = memory.of(None, kept_roots, roots, lambda root: memory.recall(root, request.version) or load(root))
    shared = _shared_paths(tree for _, tree in trees) if len(trees) > 1 else set()
    for root, tree in trees:
        alone = not shared or shared.isdisjoint(tree.paths)
        if isinstance(tree, Kept) and alone:
            run.checked.append(tree)
        else:
            loaded = load(root) if isinstance(tree, Kept) else tree
            run.checked.append(_read(root, loaded, run, lasting=alone))
    run.timings["read and parse"] = perf_counter() - begin
    judged = [checked for checked in run.checked if isinstance(checked, Judged)]
    for checked in judged:
        gaps = run.gaps
        found = memory.of(checked.root, _judge, checked, selection, request, run)
        run.findings.extend(Finding(diagnostic, checked) for diagnostic in found)
        checked.lasting = checked.lasting and run.gaps == gaps
    run.findings = arrange(run.findings, run.checked)
    if request.severities:
        _override_severities(run.findings, request.severities)
    if request.suppressions:
        _suppress(run, judged, selection)
    run.findings = [finding for finding in run.findings if selection.shows(finding.diagnostic)]
    memory.keep([checked for checked in judged if checked.lasting], run.findings)
    if told := [finding for checked in run.checked if isinstance(checked, Kept) for finding in checked.findings]:
        run.findings = arrange([*run.findings, *told], run.checked)
    run.seconds = perf_counter() - begin
    run.final_code = run.exit_code()
    return run


def kept_roots(roots: Iterable[Root], load: Callable[[Root], Tree]) -> list[tuple[Root, Tree]]:
    """The roots with what they include, without those another one includes; twins once."""
    roots = list(roots)
    if len(roots) == 1:
        return [(roots[0], load(roots[0]))]
    loaded: list[tuple[Root, Tree, object]] = []
    included: set[object] = set()
    # whole configurations first: they tell which of the other files are only pieces of them
    order = sorted(enumerate(roots), key=lambda item: (item[1].context is not None, item[0]))
    taken: dict[object, int] = {}
    for index, root in order:
        identity = _identity(root, root.path)
        if identity in taken or identity in included:
            continue
        taken[identity] = index
        tree = load(root)
        included.update(_identity(root, path) for path in tree.included)
        loaded.append((root, tree, identity))
    kept = {id(root) for root, _, identity in loaded if identity not in included}
    if not kept:  # they include one another
        kept = {id(loaded[0][0])} if loaded else set()
    place = {id(root): index for index, root in order}
    result = [(root, tree) for root, tree, _ in loaded if id(root) in kept]
    return sorted(result, key=lambda item: place[id(item[0])])


def _shared_paths(trees: Iterable[Loaded | Kept]) -> set[str]:
    """The files that several roots read: what is found in them is said once, so that no root stands for itself."""
    seen: set[str] = set()
    shared: set[str] = set()
    for tree in trees:
        paths = set(tree.paths)
        shared |= seen & paths
        seen |= paths
    return shared


def _identity(root: Root, path: str) -> object:
    return (id(root.files), path) if root.is_dump else root.files.identity(path)


def _read(root: Root, loaded: Loaded, run: Run, *, lasting: bool) -> Judged:
    """A root that has been read, and what of it could not be."""
    request = run.request
    config = Config(root.given, loaded, version=request.version, snippet=root.context is not None)
    if root.checks_files(request.check_files):
        config.look, config.locate = root.look, root.locate
    gaps = run.gaps
    _note_trouble(loaded, config, run)
    return Judged(root, loaded, config, lasting=lasting and run.gaps == gaps)


def _note_trouble(loaded: Loaded, config: Config, run: Run) -> None:
    """What of this root could not be read. That a file is absent is a fact about the configuration, not trouble."""
    known = {trouble.path for trouble in run.trouble}
    for include in loaded.includes:
        for path, reason in include.problems:
            if isinstance(reason, OSError) and not isinstance(reason, FileNotFoundError) and path not in known:
                known.add(path)
                run.trouble.append(Unreadable(path, reason_of(reason), include.directive))
    for file in config.faulty:
        run.incomplete.extend(f"{file.source.path}: {fault.message}" for fault in file.faults if fault.kind in _LIMITS)
    if loaded.limit:
        run.incomplete.append(loaded.limit)


def _judge(checked: Judged, selection: Selection, request: Request, run: Run) -> list[Diagnostic]:
    """Everything the stages have to say about one root."""
    config = checked.config
    templates = {file.source: mark for file in config.faulty if (mark := _template_mark(file)) is not None}
    found = list(syntax_findings(config, templates))
    faults = {fault.kind for file in config.faulty for fault in file.faults}
    intact = faults <= _REPAIRED and not templates
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
    if templates:
        found = [one for one in found if one.stage is Stage.SYNTAX or one.span.source not in templates]
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
    except (Exception, SystemExit):  # noqa: BLE001 - reported with its traceback, exit code 4
        import traceback

        run.crashes.append((what, traceback.format_exc()))
        return []


def _refused(checked: Judged, request: Request, run: Run) -> list[Diagnostic] | None:
    """What nginx would refuse; None where that took too long to find out."""
    begin = perf_counter()
    patience = Patience(checked.config.directive_count)
    try:
        return _guarded("the catalogue check", run, patience.limited, _refusals, checked, request)
    except TookTooLong:
        return None
    finally:
        run.timings["catalogue"] = run.timings.get("catalogue", 0.0) + perf_counter() - begin


def _refusals(checked: Judged, request: Request) -> list[Diagnostic]:
    config = checked.config
    from nginxlint.catalogue import check as refusals
    from nginxlint.catalogue.target import Target

    target = request.build or Target(request.version, request.modules)
    found: list[Diagnostic] = list(refusals(config.main, target, complete=not config.snippet, index=config.index))
    if checked.root.checks_files(request.check_files):
        from nginxlint.catalogue.files import check_files

        found.extend(check_files(config.find, checked.root.locate, config.version))
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
        wanted = severities.get(diagnostic.rule) or severities.get(diagnostic.group) or severities.get(ALL)
        if wanted is not None:
            diagnostic.severity = wanted


def _suppress(run: Run, judged: list[Judged], selection: Selection) -> None:
    for checked in judged:
        if any(file.comments for file in checked.config.files):
            from nginxlint.suppressions import apply_suppressions

            own = [finding for finding in run.findings if finding.checked is checked]
            silenced, extra = apply_suppressions(
                checked.config,
                [finding.diagnostic for finding in own],
                selection.is_known,
                _seen(selection, checked.config, run.request),
                nearest=selection.nearest,
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


def needed(entries: Iterable[Entry], config: Config) -> list[Entry]:
    """Those of the rules that have anything to look at in this configuration."""
    return [entry for entry in entries if not entry.directives or config.concerns(entry.directives, entry.texts)]


def syntax_findings(config: Config, templates: Mapping[Source, Span]) -> Iterator[Diagnostic]:
    """The faults of the lexer as findings; of templates, whose marks are given, only that they are some."""
    for file in config.faulty:
        yield from _faults(file, templates.get(file.source))


def _template_mark(file: ReadFile) -> Span | None:
    """The place of a template's language on a line with a fault: what the file is rendered to may be in order."""
    text = file.source.text
    for fault in file.faults:
        begin = text.rfind("\n", max(fault.start - _NEAR, 0), fault.start) + 1 or max(fault.start - _NEAR, 0)
        end = text.find("\n", fault.start, fault.start + _NEAR)
        if mark := compiled(_TEMPLATE).search(text, begin, end if end >= 0 else fault.start + _NEAR):
            return Span(file.source, mark.start(), mark.end())
    return None


def _faults(file: ReadFile, mark: Span | None) -> Iterator[Diagnostic]:
    faults = file.faults
    if mark is not None:
        yield Diagnostic(
            "not-a-configuration",
            Severity.ERROR,
            "this is a template: nginx refuses the file as it stands",
            mark,
            group="syntax",
            stage=Stage.SYNTAX,
            help=("check what it is rendered to",),
            blocks_start=True,
        )
        return
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
