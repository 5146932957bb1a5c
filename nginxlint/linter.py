"""From a configuration and rules to the sorted list of findings."""

from __future__ import annotations

from collections.abc import Iterable

from nginxlint.config import Config
from nginxlint.diagnostic import Diagnostic, Edit, Fix, Severity, Stage
from nginxlint.includes import ReadFile
from nginxlint.registry import Entry
from nginxlint.rule import Rule
from nginxlint.source import Span


def lint(config: Config, rules: Iterable[Rule]) -> list[Diagnostic]:
    """Everything the syntax stage and these rules have to say, in the order of files and places. Findings that a
    file included several times would repeat are given once."""
    found = syntax_findings(config)
    for rule in rules:
        if not config.broken or rule.tolerant:
            found.extend(rule.check(config))
    return arrange(found, config)


def arrange(found: Iterable[Diagnostic], config: Config) -> list[Diagnostic]:
    """Sorted by file (in the order nginx reads them) and place, without repeats."""
    order = {file.source.path: index for index, file in reversed(list(enumerate(config.files)))}
    unique: dict[tuple[object, ...], Diagnostic] = {}
    for finding in found:
        span = finding.span
        unique.setdefault((finding.rule, span.source.path, span.start, span.end, finding.message), finding)
    return sorted(
        unique.values(),
        key=lambda finding: (
            order.get(finding.span.source.path, len(order)),
            finding.span.start,
            -finding.severity,
            finding.rule,
            finding.message,
        ),
    )


def needed(entries: Iterable[Entry], config: Config) -> list[Entry]:
    """Those of the rules that have anything to look at in this configuration."""
    names = config.names
    return [entry for entry in entries if not entry.directives or not names.isdisjoint(entry.directives)]


def syntax_findings(config: Config) -> list[Diagnostic]:
    """The faults of the lexer as findings."""
    return [finding for file in config.files for finding in _faults(file)]


def _faults(file: ReadFile) -> Iterable[Diagnostic]:
    for fault in file.parsed.faults:
        span = Span(file.source, fault.start, fault.end)
        fixes: tuple[Fix, ...] = ()
        if fault.repair:
            at, text = fault.repair
            fixes = (Fix(f"write the missing {text}", (Edit(Span(file.source, at, at), text),), safe=False),)
        nginx_line = file.source.line(fault.nginx_at)
        hint = () if nginx_line == span.line else (f"nginx reports this at line {nginx_line}",)
        yield Diagnostic(
            fault.kind,
            Severity.ERROR,
            fault.message,
            span,
            group="syntax",
            stage=Stage.SYNTAX,
            label=fault.label,
            help=hint,
            fixes=fixes,
            blocks_start=True,
            nginx_message=fault.nginx_message,
        )
