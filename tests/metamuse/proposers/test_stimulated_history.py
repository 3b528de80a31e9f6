"""What a strategy learns from depends on the solutions it may see, and not on who asked before."""

from __future__ import annotations

import numpy as np

from metamuse.proposers.stimulated import Stimulated
from metamuse.state import Entry
from tests.support.fake_run import FakeProblem, fake_state


def simple(seen: list[Entry]) -> list[tuple[tuple[float, ...], tuple[str, ...]]]:
    return [
        (tuple(e.scores["feedback"].values), tuple(o["text"] for o in e.data["observations"]))
        for e in seen
        if e.ok and e.data.get("observations")
    ]


def test_any_order_of_questions_gives_the_same_history() -> None:
    ordered = fake_state(FakeProblem(), solutions=60, failing=0.3).ordered()
    ordered[7].data["observations"] = []
    proposer = Stimulated(None, None, None, 0)  # type: ignore[arg-type]  # none of them is asked
    for count in np.random.default_rng(1).permutation(len(ordered) + 1).tolist():
        learned = proposer._learned(ordered[:count])
        found = [(tuple(s.embedding), s.observations) for s in learned]
        assert found == simple(ordered[:count]), count
