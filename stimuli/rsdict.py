"""RSDict: stimuli drawn from a dictionary, uniformly and without memory (MetaMuse, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stimuli.base import Choice, History, StimulusError, WordSet
from stimuli.dictionary import Dictionary, WordList


class RSDict:
    """Draws s distinct words uniformly at random for every solution.

    Args:
        words: the dictionary, or a list of distinct words.
        s: words per solution.

    Raises:
        StimulusError: fewer than ``s`` words, a repeated word, or ``s`` below 1.
    """

    name = "rsdict"

    def __init__(self, words: Dictionary | Sequence[str], s: int = 4) -> None:
        if s < 1:
            raise StimulusError(f"A solution needs at least one stimulus, but s is {s}.")
        self.dictionary = words if isinstance(words, Dictionary) else Dictionary([WordList(words)])
        self.dictionary.check(s)
        self.s = s

    def describe(self) -> dict[str, object]:
        """Settings as plain JSON values."""
        return {"strategy": self.name, "s": self.s, "words": len(self.dictionary)}

    def draw(self, rng: np.random.Generator) -> WordSet:
        """One set of s distinct words."""
        return self.dictionary.draw(self.s, rng)

    def candidates(self, i: int, rng: np.random.Generator) -> list[WordSet]:
        """A single set: there is nothing to choose."""
        return [self.draw(rng)]

    def choose(
        self,
        i: int,
        candidates: Sequence[WordSet],
        observations: Sequence[Sequence[str]],
        history: History,
        rng: np.random.Generator,
    ) -> Choice:
        """Takes the first set."""
        if not candidates:
            raise StimulusError(f"Solution {i} has no candidate set to choose from.")
        return Choice(index=0, target="none")
