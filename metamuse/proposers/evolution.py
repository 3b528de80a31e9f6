"""Evolution in the style of EoH and ReEvo: a small population of programs, varied by five operators in turn.

After Liu et al., "Evolution of heuristics" (ICML 2024): exploration by a different idea or by a shared idea,
modification by structure or by constants, parents drawn by rank; and Ye et al., "ReEvo" (NeurIPS 2024): what makes
the better of two programs better is said first and then used. The first generation is sampled from the problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metamuse.proposers.base import Gain, Proposal, generators
from metamuse.proposers.programs import Program, best_distinct, improvement, listing
from metamuse.proposers.sampling import OneShot
from metamuse.state import Entry
from metamuse.waypoints import Waypoints, prompt

POPULATION = 10
#: Operators in turn, with the number of parents they are shown.
OPERATORS = (("differ", 2), ("combine", 2), ("modify", 1), ("retune", 1), ("reflect", 2))


class Evolution:
    """Proposes variations of the best programs so far.

    Args:
        waypoints: Asks the model.
        gain: Usefulness of a scored solution on the feedback workloads, in percent.
        seed: Seed of the run.
    """

    def __init__(self, waypoints: Waypoints, gain: Gain, seed: int) -> None:
        self.waypoints = waypoints
        self.gain = gain
        self.seed = seed
        self._sample = OneShot(waypoints)

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """One call, two where it reflects first."""
        population = best_distinct(seen, self.gain, POPULATION) if i >= POPULATION else []
        if not population:
            return await self._sample.propose(i, seen)
        (rng,) = generators(self.seed, i, 1)
        operator, count = OPERATORS[i % len(OPERATORS)]
        parents = self._parents(population, count, rng)
        if operator == "reflect" and len(parents) == 1:
            operator = "modify"  # there is nothing to compare
        shown = {"reference": self.waypoints.problem.reference, "programs": listing(parents)}
        if operator == "reflect":
            advice = (await self.waypoints.invent(prompt("reflection.user", **shown), f"{i}/reflection"))[0]
            task = f"{improvement('next')} Heed this advice: {advice}"
        else:
            task = improvement(operator)
        instructions = prompt("code_programs.user", **shown, task=task)
        source = await self.waypoints.write(instructions, f"{i}/code")
        return Proposal(
            instructions, source, record={"parents": [e.id for e in parents], "operator": operator}
        )

    def _parents(self, population: list[Entry], count: int, rng: np.random.Generator) -> list[Program]:
        """Drawn by rank with EoH's odds, the best last."""
        odds = 1.0 / (np.arange(len(population)) + 1.0 + len(population))
        count = min(count, len(population))
        drawn = rng.choice(len(population), size=count, replace=False, p=odds / odds.sum())
        ranked = (population[k] for k in sorted(drawn, reverse=True))
        return [Program(e.id, e.source, self.gain(e)) for e in ranked]
