"""The simulator held against real nginx: generated configurations, odd requests, everything a visitor can see."""

from __future__ import annotations

import os
from random import Random

import pytest

from nginxlint.routing.answer import Answer
from nginxlint.routing.request import Request
from nginxlint.routing.simulate import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM
from tests.routing.generator import Case
from tests.routing.real import Echo, Seen, Site, free_ports, look, new_folder, remove, send

CONFIGURATIONS = int(os.environ.get("NGINXLINT_ROUTE_CONFIGURATIONS", "320"))
PER_CONFIGURATION = 17
SEED = int(os.environ.get("NGINXLINT_ROUTE_SEED", "4"))


def difference(answer: Answer, seen: Seen) -> str:
    """What the model says otherwise than nginx did; empty where they agree."""
    if answer.action == "return" and answer.status == 444:
        return "" if seen.status is None else f"closed, not {seen.status}"
    place = answer.location.block if answer.location is not None else answer.server.block if answer.server else None
    marks = [line.values[1] for line in place.children("add_header")] if place is not None else []
    if seen.mark is not None and marks and marks[0] != seen.mark:
        return f"place {marks[0]}, not {seen.mark}"
    if answer.upstream is not None:
        want = f"{answer.upstream.method} {answer.upstream.request_uri} HTTP/1.0"
        if seen.up != want:
            return f"upstream receives {want!r}, not {seen.up!r} (status {seen.status})"
        if answer.upstream.host != seen.host:
            return f"upstream host {answer.upstream.host!r}, not {seen.host!r}"
        status = answer.status or 200
    else:
        if seen.up is not None:
            return f"nothing goes upstream, but it received {seen.up!r}"
        status = answer.status or 0
    if status != seen.status:
        return f"status {status}, not {seen.status}"
    if (answer.redirect_to or None) != seen.location:
        return f"redirect {answer.redirect_to!r}, not {seen.location!r}"
    return ""


@pytest.mark.skipif(not PROGRAM, reason="no nginx on this machine: about 5,400 requests not compared")
def test_generated_configurations_route_as_in_nginx() -> None:
    folder, echo = new_folder(), Echo()
    try:
        www = folder / "www"
        (www / "dir").mkdir(parents=True)
        (www / "here.txt").write_text("here")
        (www / "dir" / "index.html").write_text("index")
        random = Random(SEED)
        ports = free_ports(CONFIGURATIONS)
        cases = [Case(Random(random.random()), n, port, echo.port, str(www)) for n, port in enumerate(ports)]
        guard = free_ports(1)[0]
        http = "server_names_hash_bucket_size 128; map_hash_bucket_size 128; variables_hash_max_size 8192;\n"
        http += f"server {{ listen 127.0.0.1:{guard}; }}\n" + "\n".join(case.text for case in cases)
        site = Site(http, guard, folder)
        router = Router(config_of(site.text), look)
        certain, misses, total = 0, [], 0
        with site.nginx:
            for case in cases:
                for target, host, headers, method, address in case.requests(PER_CONFIGURATION):
                    total += 1
                    request = Request(
                        target, host=host, port=case.port, address=address, method=method, headers=headers, complete=True,
                        client="127.0.0.1",
                    )  # fmt: skip
                    answer = router.route(request)
                    if not answer.certain:
                        continue
                    certain += 1
                    if not answer.listen:
                        continue
                    seen = send(case.port, target, host, headers, method, address)
                    wrong = difference(answer, seen)
                    if wrong:
                        misses.append(f"{method} {target} host {host} {headers} at {address}: {wrong}\n{case.number}")
                        if os.environ.get("NGINXLINT_ROUTE_SHOW"):
                            print("-----\n", misses[-1], "\n", answer.to_text(target), case.text)
        print(f"{len(cases)} configurations, {total} requests, {certain} certain, {len(misses)} misses")
        assert total >= PER_CONFIGURATION * CONFIGURATIONS
        assert certain >= 0.9 * total
        assert len(misses) <= 0.001 * certain, "\n".join(misses[:20])
    finally:
        echo.close()
        remove(folder)
