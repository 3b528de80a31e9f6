"""A last phase that converges: useful and different solutions are combined or varied, at the level of designs.

The paper names this synergy as future work (§6): a diverse population is what evolution lacks at its start.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from metamuse.proposers.base import Gain, Proposal, Proposer, generators
from metamuse.proposers.programs import best_distinct
from metamuse.state import Entry
from metamuse.waypoints import Waypoints, brief, prompt

#: From so many of the most useful solutions, no two with equal scores, parents are drawn.
POOL = 12
_TASKS = {
    "combine": "Combine what is best in both into one coherent design that is neither of them with a decoration.",
    "vary": "Vary this design: change the rule or the structure that holds it back most, and keep what makes it good.",
}


class Refinement:
    """Proposes from the most useful solutions of the search before it.

    Args:
        waypoints: Asks the model.
        gain: Usefulness of a scored solution on the feedback workloads, in percent.
        seed: Seed of the run.
    """

    def __init__(self, waypoints: Waypoints, gain: Gain, seed: int) -> None:
        self.waypoints = waypoints
        self.gain = gain
        self.seed = seed

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal | None:
        """Two calls: a design from one or two others, then its code; None if there is nothing to refine yet."""
        pool = [e for e in best_distinct(seen, self.gain, POOL) if e.data.get("design")]
        if not pool:
            return None
        (rng,) = generators(self.seed, i, 1)
        parents = self._parents(pool, 1 + i % 2, rng)
        operator = "combine" if len(parents) > 1 else "vary"
        shown = "\n\n".join(
            json.dumps({"gain": round(self.gain(e), 2)} | e.data["design"], indent=2, ensure_ascii=False)
            for e in parents
        )
        question = prompt(
            "refinement.user",
            reference=self.waypoints.problem.reference,
            designs=shown,
            task=_TASKS[operator],
        )
        design = await self.waypoints.formulate(question, f"{i}/formulation")
        instructions = brief(design)
        source = await self.waypoints.write(instructions, f"{i}/code")
        record = {"parents": [e.id for e in parents], "operator": operator}
        return Proposal(instructions, source, design, record)

    def _parents(self, pool: list[Entry], count: int, rng: np.random.Generator) -> list[Entry]:
        """One of the most useful, with odds by rank; the other is the one of them that behaves least like it."""
        odds = 1.0 / (np.arange(len(pool)) + 1.0)
        first = pool[int(rng.choice(len(pool), p=odds / odds.sum()))]
        if count == 1 or len(pool) == 1:
            return [first]
        own = first.scores["feedback"].values
        return [first, max(pool, key=lambda e: float(np.square(e.scores["feedback"].values - own).sum()))]


class ThenRefine:
    """One way first, refinement from a number on.

    Args:
        first: Proposes at first, and whenever there is nothing to refine.
        refinement: Proposes after it.
        begins: Number of the first solution that is refined.
    """

    def __init__(self, first: Proposer, refinement: Refinement, begins: int) -> None:
        self.first = first
        self.refinement = refinement
        self.begins = begins

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """See :class:`metamuse.proposers.base.Proposer`."""
        refined = await self.refinement.propose(i, seen) if i >= self.begins else None
        return refined or await self.first.propose(i, seen)
