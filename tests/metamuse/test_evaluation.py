"""What a scoring process does with a candidate: variants, tuning and metering beside plain scores."""

from __future__ import annotations

from typing import Any

import pytest

from metamuse.config import compose
from metamuse.evaluation import Candidates
from problems.base import make

POLICY = '''
import numpy as np

SHARE = 0.1  # tune: 0.05..0.95


class Policy:
    """Pack into the newest bin that would stay within a share of its room, else into any that fits."""

    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        for b in range(n_open):
            left = remaining[b] - item
            if left >= 0 and left <= SHARE * self.capacity:
                return b
        return -1
'''


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    problem = make(compose(["problem=binpacking"])["problem"])
    jobs = list(problem.probes())
    return Candidates(problem, {"validation": jobs, "holdout": jobs[1:]}, {})


def evaluate(candidates: Candidates, **task: Any) -> dict[str, Any]:
    return candidates({"op": "evaluate", "source": POLICY, "sets": ["validation"], **task})


def values(result: dict[str, Any], which: str = "validation") -> list[float]:
    return [row["value"] for row in result["scores"][which]]


def test_tuning_finds_what_scoring_the_tuned_text_confirms(candidates: Candidates) -> None:
    plain = evaluate(candidates)
    reference = [value + 10.0 for value in values(plain)]
    tune = {"set": "validation", "reference": reference, "trials": 15, "seed": 1}
    tuned = evaluate(candidates, tune=tune)["tuned"]["result"]
    repeated = evaluate(candidates, tune=tune)["tuned"]["result"]
    assert (repeated["values"], values(repeated)) == (tuned["values"], values(tuned))
    assert tuned["gain"] > tuned["default_gain"], "0.1 is a bad share: bins stay half empty"
    again = candidates({"op": "evaluate", "source": tuned["source"], "sets": ["validation"]})
    assert values(again) == values(tuned)
    assert again["constants"]["SHARE"]["value"] == tuned["values"]["SHARE"] != 0.1


def test_a_variant_is_scored_with_the_same_code(candidates: Candidates) -> None:
    sets = ["holdout", "validation"]
    found = evaluate(candidates, sets=sets, also={"SHARE": 0.4})
    text = POLICY.replace("SHARE = 0.1", "SHARE = 0.4")
    apart = candidates({"op": "evaluate", "source": text, "sets": sets})
    for which in sets:
        assert values(found["also"]["result"], which) == values(apart, which)
        assert values(found, which) == values(evaluate(candidates, sets=sets), which)


def test_a_policy_without_constants_is_not_tuned(candidates: Candidates) -> None:
    tune = {"set": "validation", "reference": [1.0, 1.0, 1.0], "trials": 5, "seed": 1}
    plain = candidates.problem.baselines["best_fit"]
    assert "tuned" not in candidates({"op": "evaluate", "source": plain, "sets": [], "tune": tune})


def test_a_failing_variant_does_not_spoil_the_rest(candidates: Candidates) -> None:
    fragile = POLICY.replace("return -1", "return -1 if SHARE < 0.3 else n_open")
    task = {"op": "evaluate", "source": fragile, "sets": ["validation"]}
    found = candidates(task | {"also": {"SHARE": 0.4}})
    assert found["also"]["failure"][0] == "illegal" and len(values(found)) == 3
    tune = {"set": "validation", "reference": [9.0, 9.0, 9.0], "trials": 15, "seed": 1}
    tuned = candidates(task | {"tune": tune})["tuned"]["result"]
    assert tuned["values"]["SHARE"] < 0.3 and tuned["failed_trials"] > 0


def test_metering_counts_work_and_keeps_decisions(candidates: Candidates) -> None:
    plain, metered = evaluate(candidates), evaluate(candidates, metered=True)
    assert values(metered) == values(plain)
    assert {row["work"]["method"] for row in metered["scores"]["validation"]} == {"choose"}
    assert all(row["timing"] == {} for row in metered["scores"]["validation"])
    assert "work" not in plain["scores"]["validation"][0]
