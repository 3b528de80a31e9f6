"""The task ``evaluate`` with ``metered``: the work of calls beside each score; the size of what was allocated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

import problems.base
from evaluators.binpacking.simulator import FIRST_ROOM
from evaluators.binpacking.stream import Stream
from metamuse.evaluation import Candidates

CONF = Path(__file__).parents[2] / "conf" / "problem"


def candidates(bins: int) -> Candidates:
    problem = problems.base.make(OmegaConf.load(CONF / "binpacking.yaml"))  # type: ignore[arg-type]
    stream = Stream("s", np.full(bins, 60, dtype=np.int64), 100)
    return Candidates(problem, {"given": [stream]}, {})


def evaluated(bins: int, **task: Any) -> dict[str, Any]:
    handler = candidates(bins)
    source = handler.problem.baselines["first_fit"]
    row: dict[str, Any] = handler({"op": "evaluate", "source": source, "sets": ["given"], **task})["scores"][
        "given"
    ][0]
    return row


def test_work_is_told_on_demand() -> None:
    row = evaluated(10, metered=True)
    # choose: the call and one of the tree; on_packed: the call, and `set` alone, as each item opens a bin.
    assert row["work"] == {"max": 2, "mean": 2.0, "calls": 20, "method": "choose"}
    plain = evaluated(10)
    assert "work" not in plain
    assert plain["value"] == row["value"]
    assert plain["state_bytes"] == row["state_bytes"]


@pytest.mark.parametrize("doublings", [0, 3])
def test_state_bytes_count_what_grew(doublings: int) -> None:
    room = FIRST_ROOM << doublings
    tree = 2 * 8 * room  # two ints an index
    assert 0 < evaluated(room)["state_bytes"] - tree < 64
