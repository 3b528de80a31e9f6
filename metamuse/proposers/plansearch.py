"""PlanSearch-style search: combinations of mechanisms that the model thinks of itself.

After Wang et al., "Planning in natural language improves LLM search for code generation" (arXiv 2409.03733):
first-order observations on the problem, subsets of them, second-order observations derived from a subset, a plan
from both, code from the plan. MetaMuse's comparison has 11 to 15 first-order observations (§4.1).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from metamuse.llm import AnswerError, LLMBadAnswer
from metamuse.proposers.base import Proposal
from metamuse.proposers.sampling import from_mechanisms
from metamuse.state import Entry
from metamuse.waypoints import Waypoints, prompt

FIRST_ORDER = 15
#: Mechanisms in a subset, and derived from it.
SUBSET = 2
DERIVED = 2


class PlanSearch:
    """Proposes from subsets of the model's own observations, each subset once before any comes again.

    Args:
        waypoints: Asks the model.
        seed: Seed of the run.
    """

    def __init__(self, waypoints: Waypoints, seed: int) -> None:
        self.waypoints = waypoints
        self.seed = seed

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """One call for all proposals together, then three each."""
        subset = self._subset(i, await self._first_order(i))
        listed = "\n".join(f"- {text}" for text in subset)
        question = prompt("derivation.user", count=str(DERIVED), observations=listed)
        derived = await self.waypoints.invent(question, f"{i}/derivation")
        return await from_mechanisms(self.waypoints, [*subset, *derived[:DERIVED]], i)

    async def _first_order(self, i: int) -> list[str]:
        """What all proposals share.

        If the answer cannot be used, it is asked for again, at most once more for each proposal: proposal ``i`` takes
        the first usable one of ``i + 1`` answers, so that which one it takes is no matter of time.
        """
        question = prompt("invention.user", count=str(FIRST_ORDER))
        for ask in itertools.count():
            try:
                known = await self.waypoints.invent(question, f"observation/first-order/{ask}", shared=True)
                return list(dict.fromkeys(known))
            except (AnswerError, LLMBadAnswer):
                if ask == i:
                    raise
        raise AssertionError("unreachable")

    def _subset(self, i: int, known: Sequence[str]) -> list[str]:
        subsets = list(itertools.combinations(known, min(SUBSET, len(known))))
        order = np.random.default_rng(self.seed).permutation(len(subsets))
        return list(subsets[order[i % len(subsets)]])
