"""The fault list of reference/online.md E, one test per row, named by its number."""

from __future__ import annotations

import json

import pytest

from nginxlint.online.options import Options
from nginxlint.online.recording import export_plan, run_plan
from nginxlint.online.records import RecordFault
from nginxlint.online.target import targets_of
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers

QUICK = Options(timeout=0.1, retry_pause=0.0, jitter=0.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_row_72_the_policy_applies_again_when_a_plan_is_run() -> None:
    http = "server { location / { proxy_pass http://app.test:81; } location /b { proxy_pass http://10.0.0.2:81; } }"
    targets = targets_of(config_of(f"events {{}} http {{ {http} }}"))
    plan = json.loads(export_plan(targets, Options(allow=("169.254.0.0/16",)), (1, 22, 1)))
    plan["questions"][1]["ask"]["host"] = "169.254.169.254"
    network = FakeNetwork({"10.0.0.2:81": answers(OK)}, {"app.test": ["169.254.169.254"]})
    seen = json.loads(run_plan(json.dumps(plan), QUICK, network)[0])
    assert network.dialled == []
    assert all(answer["seen"][0][1].startswith("SKIP_POLICY") for answer in seen["answers"])

    network = FakeNetwork({"10.0.0.2:81": answers(OK)}, {"app.test": ["10.0.0.2"]})
    run_plan(json.dumps(plan), Options(timeout=0.1, deny=("app.test",)), network)
    assert (network.dialled, network.looked_up) == ([], [])

    plan["allow"] = ["169.254.169.254"]
    with pytest.raises(RecordFault, match="allow"):
        run_plan(json.dumps(plan), QUICK, network)
