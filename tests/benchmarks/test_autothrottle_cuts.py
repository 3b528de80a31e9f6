"""The count of cuts is of the Captain that everything else runs."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.autothrottle_cuts import BACK, DECISIONS, Counting, counting
from evaluators.autothrottle.native import Native, pair, run
from evaluators.autothrottle.simulator import Loops, bind, simulate
from problems.autothrottle.acceptance.hours import hours


def test_captain_is_counted_and_not_changed() -> None:
    load = hours({}, True)["social", "noisy"]
    load = replace(load, rps=load.rps[180:260], ramp_s=10, settle_s=0)
    policy = Counting(load, 0.04)
    score = simulate(policy, Loops(counting, bind(Native("target", policy.rows)).global_), load)
    assert score.details == run(pair(load.application, 0.04, 0.04), load).details
    decisions, cuts, back = policy.states[:, DECISIONS : BACK + 1].sum(axis=0)
    assert decisions == 80 * len(load.application.services)
    assert decisions > cuts > back > 0
