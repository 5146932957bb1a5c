"""Probing from elsewhere: a plan goes there as a file, observations come back as a file and are judged here.

Neither file is trusted. A plan can ask for nothing that nginxlint would not ask by itself, and the policy of the place
where it runs applies to it; an observation can only be what a probe could have seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from nginxlint.online.gather import Evidence, Progress, Seen, gather
from nginxlint.online.literal import as_literal
from nginxlint.online.network import Network, RealNetwork
from nginxlint.online.options import Options
from nginxlint.online.outcomes import OUTCOMES
from nginxlint.online.question import question_id, question_of, target_of
from nginxlint.online.records import MAX_ITEMS, RecordFault, decode, encode
from nginxlint.online.types import CERTAINTIES, STAGES, Address, Observation, PeerRole, Resolution, Target
from nginxlint.online.untrusted import clean
from nginxlint.online.vantage import vantage

SCHEMA = 1
PLAN, OBSERVATIONS = "plan", "observations"
MAX_QUESTIONS = 100_000
# A peer marked `down`: its name is looked up (nginx does so too), nobody connects to it.
_NOT_DIALLED = PeerRole("", down=True)


def export_plan(targets: Iterable[Target], options: Options, version: tuple[int, int, int]) -> str:
    """The plan as text: every question once."""
    questions: dict[str, dict[str, Any]] = {}
    for target in targets:
        if target.skip is not None and target.skip[0] != "SKIP_UDP":
            continue
        down = target.role is not None and target.role.down and not options.include_down
        dial = target.skip is None and not down
        known = questions.setdefault(question_id(target), {"ask": question_of(target), "dial": dial})
        known["dial"] = known["dial"] or dial
    return _document(PLAN, {"nginx_version": list(version), "questions": list(questions.values())})


def read_plan(text: str) -> tuple[tuple[int, int, int], list[Target]]:
    """The version of nginx and the targets of a plan; their ids are those of the questions. Raises RecordFault."""
    document = _read(text, PLAN, {"nginx_version", "questions"})
    version = decode(tuple[int, int, int], document["nginx_version"], "nginx_version")
    targets: dict[str, Target] = {}
    for number, entry in enumerate(_list(document["questions"], "questions")):
        where = f"questions[{number}]"
        if not isinstance(entry, dict) or set(entry) != {"ask", "dial"} or not isinstance(entry["dial"], bool):
            raise RecordFault(f"{where}: an object with ask and dial is wanted")
        target = target_of(entry["ask"], where)
        targets[target.id] = target if entry["dial"] else replace(target, role=_NOT_DIALLED)
    return version, list(targets.values())


def run_plan(
    text: str, options: Options, network: Network | None = None, progress: Progress | None = None
) -> tuple[str, bool]:
    """Ask what the plan asks, under the limits and the policy given here. Returns the observations as text, and
    whether all was asked (somebody may have interrupted it)."""
    version, targets = read_plan(text)
    door = network or RealNetwork()
    try:
        evidence = gather(targets, options, door, version, progress)
    finally:
        if network is None:
            door.close()
    answers = [
        {
            "id": target.id,
            "resolution": encode(evidence.resolutions[target.id]),
            "seen": [
                [encode(address), seen if isinstance(seen, str) else encode(seen)]
                for address, seen in evidence.observations[target.id].items()
            ],
        }
        for target in targets
    ]
    origin = {"nginx_version": list(version), "vantage": vantage(), "interrupted": evidence.interrupted}
    return _document(OBSERVATIONS, {**origin, "answers": answers}), not evidence.interrupted


def recorded(text: str, version: tuple[int, int, int]) -> Callable[[list[Target]], Evidence]:
    """A source of evidence for the stage: the observations of a file, matched by question. Raises RecordFault, also
    where answers were read as another nginx reads them."""
    document = _read(text, OBSERVATIONS, {"nginx_version", "vantage", "interrupted", "answers"})
    made_for = decode(tuple[int, int, int], document["nginx_version"], "nginx_version")
    if made_for != version:
        raise RecordFault(f"it was made for nginx {_dotted(made_for)}, and this is judged for {_dotted(version)}")
    answers: dict[str, tuple[Resolution, Seen]] = {}
    for number, entry in enumerate(_list(document["answers"], "answers")):
        where = f"answers[{number}]"
        if not isinstance(entry, dict) or set(entry) != {"id", "resolution", "seen"}:
            raise RecordFault(f"{where}: an object with id, resolution and seen is wanted")
        answers[str(entry["id"])] = _resolution(entry["resolution"], where), _seen(entry["seen"], where)
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(document["made_at"]))
    origin = f"{clean(decode(str, document['vantage'], 'vantage'))} at {when}"
    interrupted = decode(bool, document["interrupted"], "interrupted")

    def evidence(targets: list[Target]) -> Evidence:
        found = Evidence(interrupted=interrupted, vantage=origin)
        for target in targets:
            resolution, seen = answers.get(question_id(target), (_uncovered(target), {}))
            found.resolutions[target.id], found.observations[target.id] = resolution, seen
        return found

    return evidence


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))


def _uncovered(target: Target) -> Resolution:
    error = "the observations do not cover it; export the plan again and run it"
    return Resolution(target.host, target.resolution, code="NOT_CHECKED", error=error)


def _resolution(data: Any, where: str) -> Resolution:
    found: Resolution = decode(Resolution, _cleaned(data), where)
    for code in (found.code, *(remark or "nothing" for remark, _ in found.remarks)):
        _know(code, where)
    if found.how != "unix" and any(as_literal(address) is None for address in found.addresses):
        raise RecordFault(f"{where}: what a name resolves to has to be addresses")
    if found.port is not None and not 0 < found.port < 65536:
        raise RecordFault(f"{where}: {found.port} is no port")
    return found


def _seen(data: Any, where: str) -> Seen:
    found: Seen = {}
    for pair in _list(data, where):
        if not isinstance(pair, list) or len(pair) != 2:
            raise RecordFault(f"{where}: pairs of an address and an observation are wanted")
        address = decode(Address, pair[0], where)
        if as_literal(address.host) is None and not address.unix:
            raise RecordFault(f"{where}: {address.host[:40]!r} is no address")
        if isinstance(pair[1], str):
            _know(pair[1].partition(":")[0] or "nothing", where)
            found[address] = clean(pair[1])
            continue
        observation: Observation = decode(Observation, _cleaned(pair[1]), where)
        for phase in observation.phases:
            _know(phase.code, where)
            if phase.name not in STAGES:
                raise RecordFault(f"{where}: unknown stage {phase.name[:40]!r}")
        if observation.certainty not in CERTAINTIES:
            raise RecordFault(f"{where}: unknown certainty {observation.certainty[:40]!r}")
        for code in (observation.further[0], observation.body[0] if observation.body is not None else ""):
            _know(code, where)
        if not observation.phases:
            raise RecordFault(f"{where}: an observation without a stage")
        found[address] = observation
    return found


def _know(code: str, where: str) -> None:
    if code and code not in OUTCOMES:
        raise RecordFault(f"{where}: unknown code {code[:40]!r}; was it made by a newer nginxlint?")


def _cleaned(value: Any) -> Any:
    """The same with every text fit for a report."""
    if isinstance(value, dict):
        return {name: _cleaned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value[: MAX_ITEMS + 1]]
    return clean(value, 4096) if isinstance(value, str) else value


def _document(kind: str, content: dict[str, Any]) -> str:
    head = {"nginxlint": kind, "schema": SCHEMA, "made_at": round(time.time(), 3)}
    return json.dumps({**head, **content}, ensure_ascii=True, separators=(",", ":")) + "\n"


def _read(text: str, kind: str, wanted: set[str]) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordFault(f"this is not JSON: {clean(str(error))}") from None
    if not isinstance(document, dict) or document.get("nginxlint") != kind:
        raise RecordFault(f"this is not a file of {kind} by nginxlint")
    if document.get("schema") != SCHEMA:
        raise RecordFault(f"schema {str(document.get('schema'))[:20]} is not {SCHEMA}: use one version of nginxlint")
    if strange := set(document) ^ (wanted | {"nginxlint", "schema", "made_at"}):
        raise RecordFault(f"unknown or missing: {clean(', '.join(sorted(strange)))}")
    made_at = decode(float, document["made_at"], "made_at")
    if not 0 <= made_at < 253402300799:
        raise RecordFault("made_at is no time")
    return document


def _list(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list) or len(data) > MAX_QUESTIONS:
        raise RecordFault(f"{where}: a list of at most {MAX_QUESTIONS} is wanted")
    return data
