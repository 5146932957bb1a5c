"""What a run was asked for, and what it came to: every report is a function of it."""

from __future__ import annotations

from nginxlint.config import NEWEST, Config, Version
from nginxlint.diagnostic import Diagnostic, Fix, Severity, Stage
from nginxlint.includes import Loaded
from nginxlint.inputs import Root, Unreadable
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from nginxlint.catalogue.target import Target
    from nginxlint.suppressions import Suppression

    Result = TypeVar("Result")


class Finding:
    """A diagnostic in its run: the root it was found in, the directives it belongs to (several where a file is
    included several times), what silences it, and whether the project knows it (see nginxlint/baseline.py)."""

    __slots__ = ("checked", "diagnostic", "known", "seen_at", "suppressed")

    def __init__(self, diagnostic: Diagnostic, checked: Checked) -> None:
        self.diagnostic = diagnostic
        self.checked = checked
        self.seen_at: list[Directive] = [] if diagnostic.at is None else [diagnostic.at]
        self.suppressed: Suppression | None = None
        self.known = False

    @property
    def place(self) -> Block | None:
        """The innermost block around it; a block it is about counts."""
        at = self.diagnostic.at
        if at is None:
            return self.checked.block_around(self.diagnostic.span)
        return at if isinstance(at, Block) else at.parent

    def blocks(self) -> list[Block]:
        """The blocks around it that somebody wrote, outermost first; a block it is about counts."""
        place = self.place
        around: list[Block] = []
        while place is not None:
            if not place.synthetic:
                around.append(place)
            place = place.parent
        return around[::-1]

    def fix(self, *, unsafe: bool) -> Fix | None:
        """The fix that can be made for it: its first, if it is safe or unsafe ones are wanted too. None for what nobody
        is told, and for what the online stage finds, which may be mended elsewhere."""
        if self.suppressed is not None or self.known or self.diagnostic.stage == Stage.ONLINE:
            return None
        return next((fix for fix in self.diagnostic.fixes[:1] if fix.safe or unsafe), None)

    def servers(self) -> list[Block]:
        """The distinct servers it is seen in."""
        around = [at if at.name == "server" else at.enclosing("server") for at in self.seen_at]
        return list(dict.fromkeys(block for block in around if isinstance(block, Block)))


class Sums:
    """What a root has: directives, servers, locations, `proxy_pass` targets."""

    __slots__ = ("directives", "locations", "servers", "targets")

    def __init__(self, directives: int, servers: int, locations: int, targets: int) -> None:
        self.directives = directives
        self.servers = servers
        self.locations = locations
        self.targets = targets


class Checked:
    """One root that was checked: `paths` are its files in the order nginx reads them."""

    __slots__ = ("paths", "root")

    def __init__(self, root: Root, paths: list[str]) -> None:
        self.root = root
        self.paths = paths

    @property
    def sums(self) -> Sums:
        raise NotImplementedError

    def block_around(self, span: Span) -> Block | None:
        """The innermost block that a place stands in."""
        raise NotImplementedError


class Judged(Checked):
    """One root that this run has read and judged. `lasting`: what is found of it will be the same while its files are;
    all of it was analysed, and none of it belongs to another root as well."""

    __slots__ = ("config", "lasting", "loaded")

    def __init__(self, root: Root, loaded: Loaded, config: Config, *, lasting: bool) -> None:
        super().__init__(root, loaded.paths)
        self.lasting = lasting
        self.loaded = loaded
        self.config = config

    @property
    def sums(self) -> Sums:
        config = self.config
        locations, targets = (sum(1 for _ in found) for found in (config.blocks("location"), config.find("proxy_pass")))
        return Sums(config.directive_count, len(config.servers), locations, targets)

    def block_around(self, span: Span) -> Block | None:
        return block_around(self.config, span)


class Kept(Checked):
    """One root of which an earlier run has kept what it found: `included` are the files it includes."""

    __slots__ = ("_around", "_sums", "findings", "included")

    def __init__(self, root: Root, paths: list[str], included: list[str], sums: Sums) -> None:
        super().__init__(root, paths)
        self.included = included
        self._sums = sums
        self.findings: list[Finding] = []
        self._around: dict[Span, Block | None] = {}

    @property
    def sums(self) -> Sums:
        return self._sums

    def add(self, finding: Finding, around: Block | None) -> None:
        """One of its findings, and the block around it."""
        self.findings.append(finding)
        self._around[finding.diagnostic.span] = around

    def block_around(self, span: Span) -> Block | None:
        return self._around[span]


class Memory:
    """What earlier runs know of roots. This one knows nothing, and keeps nothing; `nginxlint.cli.known_roots` has one that
    does."""

    def recall(self, root: Root, version: Version) -> Kept | None:
        """The root as an earlier run, for the same nginx, has kept it, where that still holds."""
        return None

    def of(self, root: Root | None, work: Callable[..., Result], *args: object) -> Result:
        """Do a part of the work on a root, or (None) find out which roots there are: what is asked of the file system
        is what this part hangs on."""
        return work(*args)

    def keep(self, judged: list[Judged], findings: list[Finding]) -> None:
        """Keep what was found of these roots."""


class Request:
    """What one run shall do, apart from its roots and rules. `online` takes a configuration and gives an
    `OnlineResult` (see nginxlint/online/stage.py)."""

    __slots__ = (
        "args",
        "build",
        "check_files",
        "fail_on",
        "memory",
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
        self.memory = Memory()


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
        self.elsewhere = 0  # findings in files that are read, but were not asked about
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
    def gaps(self) -> int:
        """How many things were not analysed."""
        return len(self.trouble) + len(self.incomplete) + len(self.crashes)

    @property
    def complete(self) -> bool:
        return not self.gaps

    @property
    def in_files(self) -> bool:
        """Does all of it stand in files, which can be written? Not so standard input and dumps."""
        return not any(checked.root.is_dump or checked.root.given == "-" for checked in self.checked)

    def shown(self) -> list[Finding]:
        """The findings that nothing silences, and that are new."""
        return [finding for finding in self.findings if finding.suppressed is None and not finding.known]

    def count(self, severity: Severity) -> int:
        return sum(finding.diagnostic.severity == severity for finding in self.shown())

    def file_count(self) -> int:
        return len({path for checked in self.checked for path in checked.paths})

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


def arrange(found: Sequence[Finding], checked: Iterable[Checked]) -> list[Finding]:
    """Sorted by file (in the order nginx reads them) and place. What a file included several times, or a file of
    several roots, would repeat is given once; the first finding then knows all places."""
    named = {finding.diagnostic.span.source.path for finding in found}
    order: dict[str, int] = {}
    for one in checked:
        for path in one.paths:
            if path in named:
                order.setdefault(path, len(order))
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
