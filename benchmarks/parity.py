"""How often we say what nginx said: scores the catalogue check, and what the rules say of nginx's warnings, against the
stored verdicts of a corpus.

    python benchmarks/parity.py [--corpus DIR] [--against relaxed|mainline] [--set real|docs|mutants] [--misses N]

A case is judged as one whole configuration (a snippet with its prefix and suffix). Compared are the verdict, and where
nginx rejects: the line it names and the class of its message (message_classes.json). The first thing nginx would
meet is taken of lexer faults and refusals together.

Warnings ([warn] lines) are compared by message and line. Those that hang on the machine or on a certificate do not count
(tests/catalogue/warnings.tsv says which). Where nginx rejects a case it may not have come to a warning: a warning too many
counts where it accepts. Exit code 1 where a floor (see FLOORS) is missed.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from nginxlint.catalogue import check
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.modules import built_modules
from nginxlint.catalogue.refusal import Refusal
from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import Target
from nginxlint.config import Config
from nginxlint.files import Disk
from nginxlint.includes import Loaded, load
from nginxlint.registry import all_rules
from nginxlint.rule import Rule
from nginxlint.source import Source
from nginxlint.testing import has_something_to_judge

DEFAULT_CORPUS = "/work/shared/corpus"
FLOORS = {"real": 0.995, "docs": 0.995, "mutants": 0.99, "line": 0.98, "class": 0.98, "warnings": 0.95}
WARNINGS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "catalogue", "warnings.tsv"
)
# What Debian's nginx 1.22.1 was built with, and the dynamic modules that were loaded where a config needs them.
DEBIAN = """with-compat with-debug with-pcre-jit with-http_ssl_module with-http_stub_status_module with-threads
with-http_auth_request_module with-http_v2_module with-http_dav_module with-http_slice_module with-http_realip_module
with-http_addition_module with-http_flv_module with-http_gunzip_module with-http_gzip_static_module
with-http_mp4_module with-http_random_index_module with-http_secure_link_module with-http_sub_module
with-mail with-mail_ssl_module with-stream with-stream_ssl_module with-stream_ssl_preread_module
with-stream_realip_module with-http_geoip_module with-http_image_filter_module with-http_perl_module
with-http_xslt_module with-stream_geoip_module"""
ADDED = """nchan ngx_http_auth_pam_module ngx_http_cache_purge_module ngx_http_dav_ext_module ngx_http_echo_module
ngx_http_fancyindex_module ngx_http_geoip2_module ngx_http_headers_more_filter_module ngx_http_lua_module
ngx_http_subs_filter_module ngx_http_uploadprogress_module ngx_http_upstream_fair_module ngx_stream_geoip2_module
ngx_http_js_module ngx_stream_js_module ngx_http_js_core_module ngx_http_set_misc_module ngx_http_brotli_filter_module
ngx_http_brotli_static_module"""
ADDED_FAMILY = "ngx_rtmp_"

Warning = tuple[str | None, int | None]  # message and line


class CorpusFiles(Disk):
    """The verdicts were taken in each file's own folder: absolute includes were not mapped into the repository. What was
    included and not there was an empty file."""

    def __init__(self, folder: str, supplied: list[list[str]]) -> None:
        super().__init__(folder)
        self._foreign = False
        named = {kind: {os.path.basename(name) for of, name in supplied if of == kind} for kind, _ in supplied}
        self._empty = named.get("include", set()) - named.get("include_cert", set())

    def read(self, path: str) -> bytes:
        try:
            return super().read(path)
        except FileNotFoundError:
            if os.path.basename(path) in self._empty:
                return b""
            raise


class Verdict:
    """What we say of a case: ok, or the message and line nginx would print."""

    def __init__(self, ok: bool, message: str = "", line: int | None = None, cause: int | None = None) -> None:
        self.ok = ok
        self.message = message
        self.line = line
        self.cause = cause


def target_1_22() -> Target:
    options = tuple(f"--{option}" for option in DEBIAN.split())
    rtmp = {row["module"] for name in DIRECTIVES.names() for row in DIRECTIVES.rows(name)}
    added = {*ADDED.split()} | {module for module in rtmp if module.startswith(ADDED_FAMILY)}
    return Target((1, 22, 1), built_modules(options) | added, options=options)


def target_mainline() -> Target:
    options = (*(f"--{option}" for option in DEBIAN.split()), "--with-http_v3_module", "--with-file-aio")
    return Target((1, 31, 5), built_modules(options), options=options)


def place_of(source: Source, offset: int) -> tuple[int, ...]:
    """A place as nginx's reading order sorts it: through the includes that lead there."""
    chain = [include.start for include in source.include_chain()]
    return (*chain, offset)


def first_fault(loaded: Loaded, refusals: list[Refusal]) -> Verdict:
    """What nginx would have met first."""
    found: list[tuple[tuple[Any, ...], Verdict]] = []
    # behind a quote that is never closed nginx reads other words than we repaired
    limits = {
        file.source: min((fault.start for fault in file.faults if fault.kind == "quote-unclosed"), default=None)
        for file in loaded.files
    }
    for file in loaded.files:
        limit = limits[file.source]
        for fault in file.faults:
            if fault.nginx_message is None or (limit is not None and fault.start > limit):
                continue
            verdict = Verdict(
                False, fault.nginx_message, file.source.line(fault.nginx_at), file.source.line(fault.start)
            )
            # a directive is looked up before nginx says how it ends, but after it was read to its end
            rank = 1 if "is not terminated" in fault.nginx_message else -1
            found.append(((0, place_of(file.source, fault.nginx_at), rank), verdict))
    for refusal in refusals:
        limit = limits[refusal.span.source]
        at, met = refusal.nginx_at, refusal.met_at
        if not refusal.blocks_start or (limit is not None and (met is None or met.start > limit)):
            continue
        rank = 0 if refusal.rule in ("directive-unknown", "directive-context") else 2
        key = (1, (refusal.order,), 0) if met is None else (0, place_of(met.source, met.start), rank, refusal.order)
        verdict = Verdict(False, refusal.nginx_message or "", at.line if at else None, refusal.span.line)
        found.append((key, verdict))
    return min(found, key=lambda pair: pair[0])[1] if found else Verdict(True)


def without(text: str, target: Target, supplied: list[list[str]]) -> tuple[str, Target]:
    """The case without the modules whose load_module line was blanked because no nginx had them."""
    for kind, name in supplied:
        if kind == "load_module" and target.modules is not None:
            text = re.sub(rf"load_module[^;\n]*{re.escape(name)}[^;\n]*;", "", text)
            target = Target(target.version, target.modules - {name.removesuffix(".so")}, options=target.options)
    return text, target


def judge(text: str, path: str, target: Target, supplied: list[list[str]]) -> tuple[Verdict, set[Warning]]:
    loaded = load(CorpusFiles(os.path.dirname(path), supplied), path, text)
    refusals = check(loaded.main, target)
    said = {
        (one.nginx_message, one.nginx_at.line if one.nginx_at else None) for one in refusals if not one.blocks_start
    }
    said |= warnings_of_rules(Config(path, loaded, version=target.version))
    return first_fault(loaded, refusals), {(message, line) for message, line in said if message}


def warnings_of_rules(config: Config) -> set[Warning]:
    """The [warn] lines that rules speak of: nginx names the end of the statement."""
    said: set[Warning] = set()
    for rule in RULES_THAT_WARN:
        if not config.broken and has_something_to_judge(rule, config):
            for one in rule().check(config):
                said.add((one.nginx_message or "", terminator(one.at).line if one.at else None))
    return said


def told() -> tuple[list[re.Pattern[str]], list[type[Rule]]]:
    """The messages that we do not mean to say, and the rules that say one, as the table of the tests has them."""
    unsaid: list[re.Pattern[str]] = []
    rules: set[str] = set()
    with open(WARNINGS, encoding="utf-8") as lines:
        for line in lines:
            message, _, _, by = line.rstrip("\n").split("\t") if not line.startswith("#") else ("", "", "", "")
            if by.startswith("-: "):
                unsaid.append(re.compile(re.sub(r"%(ui|ud|V|v|s|i)", ".*", re.escape(message).replace(r"\%", "%"))))
            rules.update(by.partition("rule: ")[2].split())
    return unsaid, [entry.load() for id, entry in all_rules().items() if id in rules]


UNSAID, RULES_THAT_WARN = told()


def read(path: str) -> str:
    with open(path, "rb") as handle:
        return handle.read().decode("utf-8", "surrogateescape")


def cases(corpus: str, against: str) -> list[tuple[str, str, str, str, dict[str, Any], list[list[str]]]]:
    """(set, name, text, path, expected, supplied) of every scored case."""
    found = []
    with open(os.path.join(corpus, "index.jsonl"), encoding="utf-8") as index:
        for line in index:
            row = json.loads(line)
            expected = row.get(against)
            if not row["scored"] or expected is None or (against == "relaxed" and row.get("only") == "mainline"):
                continue
            path = os.path.join(corpus, row["path"])
            text = row.get("prefix", "") + read(path) + row.get("suffix", "")
            found.append((row["set"], row["path"], text, path, expected, row["supplied"]))
    with open(os.path.join(corpus, "mutants", "mutants.jsonl"), encoding="utf-8") as mutants:
        for line in mutants:
            row = json.loads(line)
            expected = row.get(against)
            if row["scored"] and expected is not None:
                path = os.path.join(corpus, row["base"])
                found.append(("mutants", f"{row['id']} {row['kind']}", row["text"], path, expected, row["supplied"]))
    return found


def environmental(expected: dict[str, Any], classes: dict[str, Any]) -> bool:
    return expected.get("class") in classes["env_classes"]


def class_of(message: str, classes: dict[str, Any]) -> str:
    for name, pattern in classes["classes"]:
        if re.search(pattern, message):
            return str(name)
    return "other"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default=DEFAULT_CORPUS)
    parser.add_argument("--against", choices=("relaxed", "mainline"), default="relaxed")
    parser.add_argument("--set", choices=("real", "docs", "mutants"))
    parser.add_argument("--misses", type=int, default=20)
    parser.add_argument("--case", help="only cases whose name contains this")
    options = parser.parse_args()
    with open(os.path.join(options.corpus, "message_classes.json"), encoding="utf-8") as handle:
        classes = json.load(handle)
    target = target_1_22() if options.against == "relaxed" else target_mainline()
    count: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    warnings: collections.Counter[str] = collections.Counter()
    misses: list[str] = []
    for group, name, text, path, expected, supplied in cases(options.corpus, options.against):
        if (options.set and group != options.set) or (options.case and options.case not in name):
            continue
        if environmental(expected, classes):
            continue
        tally = count[group]
        tally["cases"] += 1
        text, had = without(text, target, supplied)
        verdict, warned = judge(text, path, had, supplied)
        score_warnings(expected, warned, warnings, misses, f"{group} {name}")
        accepted = expected["verdict"] == "ok"
        said = f"{verdict.message} :{verdict.line}" if not verdict.ok else "ok"
        wanted = f"{expected['message']} :{expected['line']}" if not accepted else "ok"
        if verdict.ok == accepted:
            tally["agree"] += 1
        elif accepted:
            tally["false rejects"] += 1
            misses.append(f"FALSE REJECT {group} {name}\n    nginx: {wanted}\n    we:    {said}")
        else:
            misses.append(f"MISSED {group} {name}\n    nginx: {wanted}\n    we:    {said}")
        if accepted or verdict.ok:
            continue
        tally["both reject"] += 1
        same_line = verdict.line == expected["line"]
        same_class = class_of(verdict.message, classes) == expected["class"]
        tally["same line"] += same_line
        tally["same class"] += same_class
        if not (same_line and same_class):
            misses.append(f"DIFFERS {group} {name}\n    nginx: {wanted}\n    we:    {said}")
    for text in misses[: options.misses]:
        print(text)
    return report(count) | report_warnings(warnings)


def score_warnings(
    expected: dict[str, Any], ours: set[Warning], tally: collections.Counter[str], misses: list[str], name: str
) -> None:
    theirs = {(one["message"], one["line"]) for one in expected.get("warnings", ())}
    theirs = {one for one in theirs if not any(unsaid.fullmatch(one[0]) for unsaid in UNSAID)}
    unplaced = {message for message, line in theirs if line is None}
    ours = {(message, None if message in unplaced else line) for message, line in ours}
    tally["logged"] += len(theirs)
    tally["said"] += len(theirs & ours)
    for message, line in sorted(theirs - ours, key=str):
        misses.append(f"NOT WARNED {name}\n    nginx: {message} :{line}")
    if expected["verdict"] == "ok":
        tally["too many"] += len(ours - theirs)
        for message, line in sorted(ours - theirs, key=str):
            misses.append(f"WARNED {name}\n    we:    {message} :{line}")


def report_warnings(tally: collections.Counter[str]) -> int:
    rate = tally["said"] / (tally["logged"] or 1)
    print(
        f"warnings {tally['said']}/{tally['logged']} said ({rate:.2%}, floor {FLOORS['warnings']:.1%}), "
        f"{tally['too many']} that nginx did not log"
    )
    return int(rate < FLOORS["warnings"] or tally["too many"] > 0)


def report(count: dict[str, collections.Counter[str]]) -> int:
    missed = False
    total: collections.Counter[str] = collections.Counter()
    for group, tally in count.items():
        total.update(tally)
        rate = tally["agree"] / tally["cases"]
        missed |= rate < FLOORS[group] or tally["false rejects"] > 0
        print(
            f"{group:8} {tally['agree']}/{tally['cases']} agree ({rate:.2%}, floor {FLOORS[group]:.1%}), "
            f"{tally['false rejects']} false rejects; "
            f"line {tally['same line']}/{tally['both reject']}, class {tally['same class']}/{tally['both reject']}"
        )
    rejected = total["both reject"] or 1
    for what in ("line", "class"):
        rate = total[f"same {what}"] / rejected
        missed |= rate < FLOORS[what]
        print(f"same {what:5} {total[f'same {what}']}/{rejected} ({rate:.2%}, floor {FLOORS[what]:.1%})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
