"""`nginxlint check`: read, judge, and if asked probe; print the reports."""

from __future__ import annotations

import os

from nginxlint.catalogue.contexts import guess
from nginxlint.cli.environment import live_build, standard_input
from nginxlint.cli.main import say
from nginxlint.cli.output import Output, parse_outputs, render_reports, style_of
from nginxlint.config import NEWEST, Version
from nginxlint.diagnostic import Confidence, Severity
from nginxlint.error import NginxlintError
from nginxlint.inputs import InputOptions, Root, find_roots
from nginxlint.linter import check
from nginxlint.registry import all_rules
from nginxlint.result import Memory, Request, Run
from nginxlint.selection import Selection
from nginxlint.settings import KINDS, File, find_settings, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from nginxlint.catalogue.target import Target
    from nginxlint.online.network import Network
    from nginxlint.reports.text import Style

INCOMPLETE = 3
INTERRUPTED = 130

_LEVEL = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO, "never": None}
_CONFIDENCE = {"high": Confidence.HIGH, "medium": Confidence.MEDIUM, "low": Confidence.LOW}


def judge(
    args: Namespace, argv: Sequence[str], network: Network | None = None, memory: Memory | None = None
) -> Outcome | int:
    """Read, judge, and if asked probe; the outcome, or the exit code of what was asked for instead of a check.
    `network` replaces the real one (the demo, tests); `memory` knows what earlier runs have found."""
    memory = memory or Memory()
    near = next((path for path in args.paths if path != "-"), args.stdin_filename or ".")
    file = find_settings(near, args.config, args.no_config)
    if args.run_plan:
        from nginxlint.cli.online import run_plan

        return run_plan(args, file, network)
    outputs = parse_outputs(args.output)
    style = style_of(args)
    paths = args.paths or file.roots or [_default_path(args.root or file.root)]
    inputs = _inputs(args, file)
    given = [*_trees_around(paths), *paths] if args.hook else paths
    roots, unreadable = memory.of(None, find_roots, given, inputs, guess)
    selection = _selection(args, file)
    request = _request(args, file, roots, ["check", *argv], selection.profile)
    request.memory = memory
    for name in request.severities:
        selection.demand(name)
    for id in file.options:
        _know_rule(selection, id, file)
    if args.verbose:
        _explain_choice(file, roots, request)
    probe = None
    fixing = args.fix or args.diff
    if (fixing and (args.online or args.judge)) or (args.unsafe_fixes and not fixing):
        raise NginxlintError(
            "--fix and --diff mend files: --unsafe-fixes needs one of them, --online goes with neither"
        )
    online = (args.online or args.judge or file.online.get("enabled")) and not fixing
    if args.dry_run or args.export_plan or (online and not args.offline):
        from nginxlint.cli.online import Prober, online_options, show_plan, without_unchanged, write_plan

        options = online_options(args, file, request.version)
        if args.changed_since:
            options = without_unchanged(options, roots, request.version, args.changed_since)
        if args.dry_run:
            return show_plan(roots, request.version, options)
        if args.export_plan:
            return write_plan(roots, request.version, options, args.export_plan)
        request.online = probe = Prober(options, network, request.version, args, file)

    accepted = None
    if args.baseline or file.baseline or args.baseline_add or args.update_baseline:
        from nginxlint.cli.accepted import Accepted

        accepted = Accepted(args, args.baseline or file.baseline, selection)

    def examine(changed: Mapping[str, bytes]) -> Run:
        nonlocal roots, unreadable
        if changed:
            inputs.changed = changed
            roots, unreadable = find_roots(given, inputs, guess)
        result = check(roots, unreadable, selection, request)
        found = result.findings
        result.findings = [one for one in found if not inputs.excludes(one.diagnostic.span.source.path)]
        if args.hook:
            _keep_staged(result, paths)
        result.elsewhere = len(found) - len(result.findings)
        if accepted is not None:
            accepted.note(result)
        return result

    result = examine({})
    remarks: list[str] = []
    if fixing:
        from nginxlint.cli.fix import fix, show, tell, write

        named = {os.path.realpath(path) for path in paths} if args.hook else None

        def may_change(path: str) -> bool:
            return not inputs.excludes(path) and (named is None or os.path.realpath(path) in named)

        fixes = fix(result, examine, may_change, unsafe=args.unsafe_fixes)
        result = fixes.run
        remarks = tell(fixes, written=not args.diff, unsafe=args.unsafe_fixes)
        if args.diff:
            show(fixes, style)
            _say(remarks)
            return int(not args.exit_zero) if fixes.files else _final_code(args, result, strict=False)
        write(fixes)
    if accepted is not None:
        remarks += accepted.finish(result)
    result.final_code = _final_code(args, result, strict=probe is not None and probe.strict)
    own = all(entry.origin.startswith("the built-in") for entry in selection.known.values())
    interrupted = probe is not None and probe.interrupted
    return Outcome(result, outputs, style, args, remarks, interrupted=interrupted, own=own)


# The last outcome: a process that is about to end need not free the tree of 10,000 hosts (9 ms).
_held: list[Outcome] = []


class Outcome:
    """What a check came to, and how it is to be shown. `repeats`: the same questions would have the same answers, as
    neither the network, nor rules of others, nor a bug of ours had a part in it."""

    def __init__(
        self,
        run: Run,
        outputs: list[Output],
        style: Style,
        args: Namespace,
        remarks: list[str],
        *,
        interrupted: bool,
        own: bool,
    ) -> None:
        self.run = run
        self._outputs = outputs
        self._style = style
        self._args = args
        self._remarks = remarks
        self._interrupted = interrupted
        self.repeats = own and run.request.online is None and not run.crashes and not run.stopped

    def render(self) -> list[tuple[str, str]]:
        """(file, text) of every report; no file: standard output."""
        return render_reports(self._outputs, self.run, self._style, quiet=self._args.quiet)

    def finish(self) -> int:
        """What is left to say on standard error; the exit code."""
        _held[:] = [self]
        _say(self._remarks)
        _to_stderr(self._args, self.run)
        return INTERRUPTED if self._interrupted else self.run.final_code


def _final_code(args: Namespace, result: Run, *, strict: bool) -> int:
    code = result.exit_code()
    if strict and code == INCOMPLETE:
        code = 1
    if args.gate:
        worst = max((finding.diagnostic.severity for finding in result.shown()), default=Severity.INFO)
        code = int(result.request.fail_on is not None and worst >= result.request.fail_on and bool(result.shown()))
    return 0 if args.exit_zero and code in (1, INCOMPLETE) else code


def _default_path(root: str) -> str:
    """Without PATH: that of a copied tree; else the nearest folder upwards that holds a configuration, up to the top of
    the repository; else the live configuration."""
    if root and os.path.isfile(path := os.path.join(root, "etc/nginx/nginx.conf")):
        return path
    folder = ""
    while True:
        for name in ("nginx.conf", "nginx/nginx.conf", "etc/nginx/nginx.conf"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
        if os.path.exists(os.path.join(folder, ".git")) or os.path.abspath(folder or ".") == "/":
            break
        folder = os.path.join(folder, "..")
    for live in ("/etc/nginx", "/usr/local/etc/nginx", "/usr/local/nginx/conf"):
        if os.path.exists(os.path.join(live, "nginx.conf")):
            return live
    raise NginxlintError("nothing to check: no nginx.conf here and no /etc/nginx; name a file or a folder")


def _inputs(args: Namespace, file: File) -> InputOptions:
    maps = []
    for text in args.map:
        old, _, new = text.partition("=")
        if not old or not new:
            raise NginxlintError(f"--map {text}: write FROM=TO, for example sites-enabled=sites-available")
        maps.append((old, new))
    return InputOptions(
        context=args.context,
        prefix=args.prefix or file.prefix,
        root=args.root or file.root,
        maps=tuple(maps) or file.maps,
        stdin_filename=args.stdin_filename,
        stdin=standard_input,
        exclude=(*args.exclude, *file.exclude),
    )


def _selection(args: Namespace, file: File) -> Selection:
    entries = all_rules([*file.rule_folders, *args.rules]).values()

    def known_elsewhere() -> frozenset[str]:
        from nginxlint.pages import ids_without_class

        return ids_without_class()

    written = {*file.select, *file.ignore, *file.extend_select, *file.extend_ignore, *file.severities}
    return Selection(
        entries,
        select=_words(args.select) or file.select,
        ignore=_words(args.ignore) or file.ignore,
        extend_select=[*_words(args.extend_select), *file.extend_select],
        extend_ignore=[*_words(args.extend_ignore), *file.extend_ignore],
        profile="gate" if args.gate else args.profile or file.profile or "default",
        min_confidence=_CONFIDENCE[args.min_confidence or file.min_confidence or "medium"],
        known_elsewhere=known_elsewhere,
        place_of=lambda name: f"{file.path}:{file.line(name)}: " if name in written else "",
    )


def _know_rule(selection: Selection, id: str, file: File) -> None:
    if id not in selection.known:
        near = selection.nearest(id)
        hint = f' - did you mean "{near}"?' if near else ""
        raise NginxlintError(f'{file.path}:{file.line(id)}: [rules.{id}]: there is no rule "{id}"{hint}')
    known = selection.known[id].load().options
    for option in file.options[id]:
        if option not in known:
            names = f"; it has {', '.join(known)}" if known else "; it has none"
            raise NginxlintError(f'{file.path}:{file.line(option)}: the rule {id} has no option "{option}"{names}')
        if type(file.options[id][option]) is not type(known[option]):
            kind = KINDS.get(type(known[option]), type(known[option]).__name__)
            raise NginxlintError(f'{file.path}:{file.line(option)}: "{option}" of the rule {id} has to be {kind}')


def _request(args: Namespace, file: File, roots: list[Root], words: list[str], profile: str) -> Request:
    severities = dict(file.severities)
    for text in args.severity:
        name, _, level = text.partition("=")
        if level not in ("error", "warning", "info"):
            raise NginxlintError(f"--severity {text}: write RULE=error, RULE=warning or RULE=info")
        severities[name] = level
    version, origin, build = _target(args, file, roots)
    fail_on = args.fail_on or file.fail_on or ("warning" if profile == "strict" else "error")
    modules = None
    if file.modules is not None:
        from nginxlint.catalogue.modules import modules_with

        modules = modules_with(file.modules)
    return Request(
        args=tuple(words),
        build=build,
        check_files=args.check_files,
        version=version,
        version_origin=origin,
        modules=modules,
        profile=profile,
        fail_on=_LEVEL[fail_on],
        severities={name: Severity.named(level) for name, level in severities.items()},
        rule_options=file.options,
        suppressions=not args.no_suppressions,
    )


def _build(path: str) -> Target:
    """The nginx whose `nginx -V` somebody saved."""
    from nginxlint.catalogue.target import Target

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            build = Target.from_build(file.read(1_000_000))
    except OSError as error:
        raise NginxlintError(f"--nginx-build {path}: {(error.strerror or str(error)).lower()}") from error
    if build is None:
        raise NginxlintError(f"--nginx-build {path}: this is not what nginx -V prints; save it with nginx -V 2> {path}")
    return build


def _target(args: Namespace, file: File, roots: list[Root]) -> tuple[Version, str, Target | None]:
    """The nginx to judge for: its version, who says so, and how it was built where that is known."""
    if args.nginx_build:
        build = _build(args.nginx_build)
        return build.version, "--nginx-build", build
    if args.nginx_version:
        return parse_version(args.nginx_version, "--nginx-version"), "--nginx-version", None
    if file.nginx_version:
        return parse_version(file.nginx_version, file.path), file.path, None
    if roots and all(root.live for root in roots) and (said := live_build()):
        from nginxlint.catalogue.target import Target

        if (live := Target.from_build(said)) is not None:
            return live.version, "nginx -V", live if file.modules is None else None
    return NEWEST, "the newest known", None


def _words(values: list[str]) -> list[str]:
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def _trees_around(paths: list[str]) -> list[str]:
    """The trees that staged files belong to: the nearest nginx.conf above each, up to the top of the repository."""
    trees: dict[str, None] = {}
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        while True:
            candidate = os.path.join(folder, "nginx.conf")
            if os.path.isfile(candidate):
                trees[os.path.relpath(candidate)] = None
                break
            if os.path.exists(os.path.join(folder, ".git")) or folder == os.path.dirname(folder):
                break
            folder = os.path.dirname(folder)
    return list(trees)


def _keep_staged(result: Run, paths: list[str]) -> None:
    """Only the findings that touch the files that were named."""
    staged = {os.path.realpath(path) for path in paths}
    result.findings = [
        finding
        for finding in result.findings
        if any(
            os.path.realpath(span.source.path) in staged
            for span in (finding.diagnostic.span, *(note.span for note in finding.diagnostic.related))
        )
    ]


def _explain_choice(file: File, roots: list[Root], request: Request) -> None:
    version = ".".join(map(str, request.version))
    lines = [f"settings: {file.path or 'none'}", f"nginx {version} ({request.version_origin})"]
    lines.extend(f"root: {root.path} ({root.context or 'whole configuration'})" for root in roots)
    _say(lines)


def _to_stderr(args: Namespace, result: Run) -> None:
    if args.statistics:
        counts: dict[str, int] = {}
        for finding in result.shown():
            counts[finding.diagnostic.rule] = counts.get(finding.diagnostic.rule, 0) + 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        _say([f"{count:6} {rule}" for rule, count in ordered])
    if args.timings:
        slowest = sorted(result.timings.items(), key=lambda item: -item[1])
        _say([f"{seconds * 1000:9.2f} ms  {name}" for name, seconds in slowest])
    for what, trace in result.crashes:
        from nginxlint.cli.main import complain, crash_notice

        complain(f"{what}: {crash_notice(trace, result.request.args)}")


def _say(lines: list[str]) -> None:
    if lines:
        say("\n".join(lines))
