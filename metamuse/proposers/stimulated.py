"""The paper's way (MetaMuse, arXiv 2510.03851, §3): stimuli, then waypoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from sys import intern

from metamuse.proposers.base import Proposal, generators
from metamuse.state import Entry
from metamuse.waypoints import Observation, Waypoints, brief, observed, prompt
from stimuli import ScoredSolution, StimulusStrategy
from stimuli.sources import Kind


class Stimulated:
    """Chooses words and follows the waypoints from them to code.

    Args:
        waypoints: Asks the model.
        strategy: Chooses the words.
        kind: What a stimulus is (:meth:`stimuli.Dictionary.kind`).
        seed: Seed of the run.
    """

    def __init__(
        self, waypoints: Waypoints, strategy: StimulusStrategy, kind: Callable[[str], Kind], seed: int
    ) -> None:
        self.waypoints = waypoints
        self.strategy = strategy
        self.kind = kind
        self.seed = seed
        self._history: list[ScoredSolution] = []
        self._lengths = [0]  # of the history of the first so many solutions

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """From stimuli to code, see :class:`metamuse.proposers.base.Proposer`."""
        draw, decide = generators(self.seed, i, 2)

        # 1. Candidate sets of stimuli, and what each word suggests for the problem.
        sets = self.strategy.candidates(i, draw)
        found = await asyncio.gather(*(self._observe(words) for words in sets))

        # 2. The set that leads away from what exists (or towards the ideal).
        texts = [[o.text for o in observations] for observations in found]
        choice = self.strategy.choose(i, sets, texts, self._learned(seen), decide)
        observations = found[choice.index]

        # 3. One coherent design from its observations, then code.
        design, instructions = await self._design(observations, i)
        source = await self.waypoints.write(instructions, f"{i}/code")
        record = {
            "stimuli": list(sets[choice.index]),
            "candidates": [list(words) for words in sets],
            "target": choice.target,
            "observations": [asdict(o) | {"properties": list(o.properties)} for o in observations],
        }
        return Proposal(instructions, source, design, record)

    def _learned(self, seen: Sequence[Entry]) -> list[ScoredSolution]:
        """What the strategy learns from: the scored ones that have observations. Each is looked at once a run."""
        for entry in seen[len(self._lengths) - 1 :]:
            texts = tuple(intern(o["text"]) for o in entry.data.get("observations", ())) if entry.ok else ()
            if texts:
                self._history.append(ScoredSolution(entry.scores["feedback"].values, texts))
            self._lengths.append(len(self._history))
        return self._history[: self._lengths[len(seen)]]

    async def _observe(self, words: Sequence[str]) -> list[Observation]:
        return list(await asyncio.gather(*(self.waypoints.observe(word, self.kind(word)) for word in words)))

    async def _design(self, observations: Sequence[Observation], i: int) -> tuple[dict[str, str], str]:
        design = await self.waypoints.formulate(observed(o.text for o in observations), f"{i}/formulation")
        return design, brief(design)


class Wordy(Stimulated):
    """The same without waypoints (the paper's ablation noWR, §4.3): the words go straight into the code prompt.

    The strategy predicts from the words themselves.
    """

    async def _observe(self, words: Sequence[str]) -> list[Observation]:
        return [Observation(word, (), "", word) for word in words]

    async def _design(self, observations: Sequence[Observation], i: int) -> tuple[dict[str, str], str]:
        return {}, prompt("code_words.user", words=", ".join(o.word for o in observations))
