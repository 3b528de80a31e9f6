"""FunSearch-style search: islands of programs, from which the best are shown to be improved.

After Romera-Paredes et al., "Mathematical discoveries from program search with large language models" (Nature
2024): independent islands, each founded by the same program; on an island programs with the same scores form a
cluster; clusters are drawn with odds that grow with their score, short programs are preferred in a cluster; two are
shown, the better one last, and the model writes the next version; now and then the worse half of the islands begins
again from the best of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metamuse.proposers.base import Gain, Proposal, generators
from metamuse.proposers.programs import Program, improvement, listing
from metamuse.state import Entry
from metamuse.waypoints import Waypoints, prompt

#: Programs shown at once.
SHOWN = 2
#: Temperature of the draw of a cluster, in percent of gain; the paper cools it while an island fills.
TEMPERATURE = 2.0
#: Decimals of a feedback embedding that make the signature of a cluster.
DIGITS = 6


class Islands:
    """Proposes improved versions of programs from one island.

    Args:
        waypoints: Asks the model.
        founder: The program that every island begins with.
        gain: Usefulness of a scored solution on the feedback workloads, in percent.
        seed: Seed of the run.
        islands: How many.
        reset: Solutions between two resets of the worse half.
    """

    def __init__(
        self,
        waypoints: Waypoints,
        founder: Program,
        gain: Gain,
        seed: int,
        islands: int = 4,
        reset: int = 100,
    ) -> None:
        self.waypoints = waypoints
        self.founder = founder
        self.gain = gain
        self.seed = seed
        self.islands = islands
        self.reset = reset

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """One call."""
        (rng,) = generators(self.seed, i, 1)
        island = i % self.islands
        parents = self._parents(self._population(seen)[island], rng)
        instructions = prompt(
            "code_programs.user",
            reference=self.waypoints.problem.reference,
            programs=listing(parents),
            task=improvement("next"),
        )
        source = await self.waypoints.write(instructions, f"{i}/code")
        record = {"parents": [p.id for p in parents], "operator": f"island {island}"}
        return Proposal(instructions, source, record=record)

    def _population(self, seen: Sequence[Entry]) -> list[list[Entry]]:
        """Who lives where, told again from the beginning, so that it depends on ``seen`` alone."""
        population: list[list[Entry]] = [[] for _ in range(self.islands)]
        for number, entry in enumerate(seen):
            if number and number % self.reset == 0:
                self._renew(population)
            if entry.ok:
                population[number % self.islands].append(entry)
        return population

    def _renew(self, population: list[list[Entry]]) -> None:
        """The worse half begins again, each from the best of one of the better half."""
        best = [max(map(self.gain, island), default=-np.inf) for island in population]
        order = np.argsort(best, kind="stable")
        half = len(order) // 2
        for worse, better in zip(order[:half], order[::-1], strict=False):
            population[worse] = [max(population[better], key=self.gain)] if population[better] else []

    def _parents(self, island: list[Entry], rng: np.random.Generator) -> list[Program]:
        clusters: dict[tuple[float, ...], list[Entry]] = {}
        for entry in island:
            signature = tuple(entry.scores["feedback"].values.round(DIGITS).tolist())
            clusters.setdefault(signature, []).append(entry)
        groups = list(clusters.values())
        worth = np.array([self.founder.worth, *(self.gain(group[0]) for group in groups)])
        odds = np.exp((worth - worth.max()) / TEMPERATURE)
        count = min(SHOWN, int((odds > 0).sum()))
        drawn = rng.choice(len(worth), size=count, replace=False, p=odds / odds.sum())
        parents = [self._program(groups[k - 1], rng) if k else self.founder for k in drawn]
        return sorted(parents, key=lambda p: p.worth)

    def _program(self, group: list[Entry], rng: np.random.Generator) -> Program:
        """One of a cluster, the shorter ones more often."""
        lengths = np.array([len(e.source) for e in group], dtype=np.float64)
        odds = np.exp(-(lengths - lengths.min()) / (lengths.max() + 1.0))
        entry = group[int(rng.choice(len(group), p=odds / odds.sum()))]
        return Program(entry.id, entry.source, self.gain(entry))
