"""The online part of `nginxlint check`: its options, its progress line, and the plan that `--dry-run` prints."""

from __future__ import annotations

import gc
import os
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import TypeVar

from nginxlint.cli.cache import folder
from nginxlint.cli.environment import standard_input
from nginxlint.cli.output import write_file, write_out
from nginxlint.cli.progress import Bar
from nginxlint.config import NEWEST, Config, Version
from nginxlint.error import NginxlintError
from nginxlint.files import MAX_FILE_BYTES, Disk
from nginxlint.inputs import LIVE, Root
from nginxlint.linter import kept_roots
from nginxlint.online import running, stage
from nginxlint.online.earlier_answers import EarlierAnswers
from nginxlint.online.expect import read_expectations, targets_asked
from nginxlint.online.gather import Evidence
from nginxlint.online.hosts import overrides_of
from nginxlint.online.memory import Memory
from nginxlint.online.network import Network
from nginxlint.online.options import Options
from nginxlint.online.records import RecordFault
from nginxlint.online.types import CONTAINER, ELSEWHERE, LOCAL, SERVER, Target
from nginxlint.online.vantage import in_container, on_ci
from nginxlint.reports.text import visible
from nginxlint.settings import File

INCOMPLETE = 3
_Result = TypeVar("_Result")
# A job shares its network with others, and somebody waits for it (reference/online.md C).
_ON_CI = {
    "budget": 20.0, "connect_timeout": 2.0, "read_timeout": 3.0, "concurrency": 50, "per_host": 2, "rate": 100.0,
    "probe_level": "tcp",
}  # fmt: skip
# How long an answer is good enough for a look at a change; before a reload it proves nothing.
_A_WHILE = 300.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


def online_options(args: Namespace, file: File, version: Version) -> Options:
    """Flags, then the settings file, then the defaults: those of a CI job where this is one, else of the stage."""
    chosen: dict[str, object] = {
        "cache_ttl": _A_WHILE if args.changed_since else 0.0,
        "nginx_version": version,
        **(_ON_CI if on_ci() else {}),
    }
    for key, value in file.online.items():
        if key in ("enabled", "vantage"):
            continue
        if key == "targets":
            chosen["expectations"] = read_expectations(value, file.path)
            chosen["settings"] = file.path
            continue
        name = key.replace("-", "_")
        if name in ("timeout", "budget", "connect_timeout", "read_timeout", "cache_ttl"):
            chosen[name] = seconds(value, f"{file.path}: online.{key}")
        else:
            chosen[name] = tuple(value) if isinstance(value, list) else value
    for name in ("timeout", "budget", "cache_ttl"):
        if text := getattr(args, name):
            chosen[name] = seconds(text, f"--{name.replace('_', '-')}")
    if args.concurrency is not None:
        chosen["concurrency"] = args.concurrency
    for name in ("allow", "deny", "resolve"):
        if given := getattr(args, name):
            chosen[name] = tuple(word for text in given for word in ([text] if name == "resolve" else text.split(",")))
    mapped, hidden = _mapped(args)
    chosen["resolve"] = (*chosen.get("resolve", ()), *mapped)  # type: ignore[misc]
    chosen["hidden"] = hidden
    chosen["vantage"] = vantage_of(args, file, live=True)
    if args.probe_level:
        chosen["probe_level"] = args.probe_level
    for name, given in (("trace", args.trace), ("strict", args.strict_online)):
        if given:
            chosen[name] = True
    if args.resolver:
        chosen["resolver"] = args.resolver
    return Options(**chosen)  # type: ignore[arg-type]  # each value is checked by Options and by the settings


def _mapped(args: Namespace) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """What hosts and compose files say of names: overrides, and (name, why) of what may not be seen from here."""
    resolve: list[str] = []
    hidden: list[tuple[str, str]] = []
    for path in args.hosts_file:
        resolve += _read("--hosts-file", path, partial(overrides_of, where=path))
    for text in args.map_from:
        kind, _, path = text.partition("=")
        if kind not in ("compose", "hosts") or not path:
            raise NginxlintError(f"--map-from {text}: write compose=FILE or hosts=FILE")
        if kind == "hosts":
            resolve += _read("--map-from", path, partial(overrides_of, where=path))
            continue
        from nginxlint.online.compose import places_of

        use = partial(places_of, where=path, environment=os.environ, outside=not in_container())
        places = _read("--map-from", path, use)
        resolve += places.resolve
        hidden += places.hidden
    return resolve, tuple(hidden)


def vantage_of(args: Namespace, file: File, *, live: bool) -> str:
    """From where it is looked: as the user says; else where nginx runs if this is its own tree, or recorded there."""
    said = args.vantage or file.online.get("vantage", "")
    if said or live or args.judge:
        return said or SERVER
    return ELSEWHERE if on_ci() else CONTAINER if in_container() else LOCAL


def seconds(value: object, what: str) -> float:
    """`3`, `3s` or `500ms` as seconds. Raises NginxlintError."""
    text = str(value).strip()
    unit = next(unit for unit in ("ms", "s", "m", "") if text.endswith(unit))
    try:
        result = float(text.removesuffix(unit)) * _UNITS[unit]
    except ValueError:
        result = 0.0
    if not (0 < result <= 86400 or text == "0"):
        raise NginxlintError(f"{what} {text}: write seconds, for example 3s or 500ms")
    return result


class Prober:
    """What the linter calls for each root. `interrupted`: somebody pressed Ctrl-C, and the report is partial. `strict`:
    a target that could not be judged is a failure."""

    def __init__(
        self, options: Options, network: Network | None, version: Version, args: Namespace, file: File
    ) -> None:
        self.interrupted = False
        self._vantage = partial(vantage_of, args, file)
        self.strict = options.strict
        self._options = options
        self._recorded = _recorded(args.judge, version) if args.judge else None
        where = "" if args.no_cache or args.judge else folder()
        self._memory = Memory(os.path.join(where, "names.json"), time.time()) if where else None
        ttl = options.cache_ttl
        self._earlier = EarlierAnswers(os.path.join(where, "answers.json"), time.time(), ttl) if where and ttl else None
        self._look_at_nginx = args.running_nginx
        self._network = network
        self._runs = 0

    def __call__(self, config: Config) -> stage.OnlineResult:
        gc.collect()  # what reading left behind makes room for what probing needs
        live = bool(config.files) and os.path.abspath(config.files[0].source.path) in LIVE
        if self._memory is not None:
            self._memory.started = running.started() if live else None
        held = running.peers() if self._look_at_nginx else frozenset()
        used = running.usage() if live else []
        with Bar() as bar:
            options = replace(self._options, vantage=self._vantage(live=live))
            result = stage.run(
                config, options, self._network, bar, self._recorded, self._memory, self._earlier, held, used
            )
        self.interrupted = self.interrupted or result.interrupted
        if result.summary:
            result = replace(result, summary=f"{result.summary}; seen from {result.vantage}")
        if self.strict and result.counts["unknown"]:
            result = replace(result, complete=False)
        for file in (self._memory, self._earlier):
            if file is not None:
                file.save()
                for note in file.notes:
                    from nginxlint.cli.main import complain

                    complain(note)
                file.notes.clear()
        self._runs += 1
        if self._runs > 1:  # the stage counts from t1 in every configuration
            prefix = f"r{self._runs}."
            result = replace(result, targets_json=result.targets_json.prefixed(prefix))
            for finding in result.diagnostics:
                finding.target = finding.target and prefix + finding.target
        return result


def without_unchanged(options: Options, roots: list[Root], version: Version, ref: str) -> Options:
    """`--changed-since`: the options with the questions that the configuration of that commit asked as well."""
    from nginxlint.earlier import EarlierFiles, earlier_roots
    from nginxlint.online.expect import identity

    known: set[str] = set()
    with earlier_roots(roots, ref) as earlier:
        for root, config in _configs(earlier, version):
            assert isinstance(root.files, EarlierFiles)
            altered = cache(root.files.altered)
            for target in targets_asked(config, options)[0]:
                if target.skip is None and not any(map(altered, target.tls.files if target.tls else ())):
                    known.add(identity(target))
    return replace(options, unchanged=frozenset(known), since=ref)


def write_plan(roots: list[Root], version: Version, options: Options, path: str) -> int:
    """`--export-plan`: the questions of all roots as one file; nothing is sent. A `.pyz` runs them by itself."""
    from nginxlint.online import recording

    targets = [target for _, config in _configs(roots, version) for target in targets_asked(config, options)[0]]
    text = recording.export_plan(targets, options, version)
    if path.endswith(".pyz"):
        from nginxlint.online.runner import bundle

        write_file(path, bundle(text), "the plan")
    elif path == "-":
        write_out(text)
    else:
        write_file(path, text, "the plan")
    return 0


def run_plan(args: Namespace, file: File, network: Network | None) -> int:
    """`--run-plan`: ask what the plan asks, under the limits and lists of this place. 3: only a part of it."""
    from nginxlint.online import recording

    if args.offline:
        raise NginxlintError("--run-plan sends what the plan asks: it does not go with --offline")
    options = online_options(args, file, NEWEST)
    with Bar() as bar:
        text, whole = _read("--run-plan", args.run_plan, lambda plan: recording.run_plan(plan, options, network, bar))
    write_out(text)
    return 0 if whole else INCOMPLETE


def _recorded(path: str, version: Version) -> Callable[[list[Target]], Evidence]:
    """`--judge`: the evidence of a file."""
    from nginxlint.online import recording

    return _read("--judge", path, partial(recording.recorded, version=version))


def _read(option: str, path: str, use: Callable[[str], _Result]) -> _Result:
    """What `use` makes of the text of a file (`-`: standard input); its faults are told with the name of the file."""
    try:
        data = standard_input(MAX_FILE_BYTES) if path == "-" else Disk("").read(path)
    except OSError as error:
        raise NginxlintError(f"{option} {path}: {(error.strerror or str(error)).lower()}") from error
    if len(data) > MAX_FILE_BYTES:
        raise NginxlintError(f"{option} {path}: larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")
    try:
        return use(data.decode("utf-8", "replace"))
    except RecordFault as fault:
        raise NginxlintError(f"{option} {path}: {fault}") from fault


def _configs(roots: list[Root], version: Version) -> Iterator[tuple[Root, Config]]:
    for root, loaded in kept_roots(roots, Root.load):
        yield root, Config(root.given, loaded, version=version, snippet=root.context is not None)


def show_plan(roots: list[Root], version: Version, options: Options) -> int:
    """`--dry-run`: what would be contacted and why; nothing is sent."""
    for _, config in _configs(roots, version):
        text = stage.plan(config, options)
        write_out("".join(f"{visible(line)}\n" for line in text.rstrip("\n").split("\n")))
    return 0
