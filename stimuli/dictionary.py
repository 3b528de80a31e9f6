"""The dictionary that strategies draw from: the stimuli of one source, or of several with a share each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stimuli.base import StimulusError, WordSet
from stimuli.sources.base import Kind, Source


class Dictionary:
    """Draws sets of distinct stimuli.

    With several sources, the first gives the first, (k+1)th, … stimulus of a set, the second the next, and so on: a
    source of twenty passages counts as much as one of three thousand words.

    Args:
        sources: Where stimuli come from.

    Raises:
        StimulusError: A source is empty, or holds something twice.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self._pools = [tuple(source.stimuli()) for source in sources]
        self._kinds: dict[str, Kind] = {}
        for source, pool in zip(sources, self._pools, strict=True):
            if not pool:
                raise StimulusError(f"The stimulus source {source.name} is empty.")
            if len(set(pool)) != len(pool):
                raise StimulusError(
                    f"The stimulus source {source.name} holds something twice, which would make it more likely."
                )
            for stimulus in pool:
                self._kinds.setdefault(stimulus, source.kind)

    def __len__(self) -> int:
        return len(self._kinds)

    def kind(self, stimulus: str) -> Kind:
        """What a stimulus is, which decides how an observation is made from it."""
        return self._kinds.get(stimulus, "word")

    def check(self, s: int) -> None:
        """Refuse sets that cannot be drawn.

        Raises:
            StimulusError: A set of ``s`` distinct stimuli needs more than a source has.
        """
        for source, pool, share in zip(self.sources, self._pools, self._shares(s), strict=True):
            if len(pool) < share:
                raise StimulusError(
                    f"The stimulus source {source.name} holds {len(pool)} stimuli, but a solution needs {share}"
                    " distinct ones of it."
                )

    def draw(self, s: int, rng: np.random.Generator) -> WordSet:
        """One set of s distinct stimuli, uniform within each source."""
        drawn: list[list[str]] = []
        taken: set[str] = set()
        for pool, share in zip(self._pools, self._shares(s), strict=True):
            picks = [pool[k] for k in rng.choice(len(pool), size=share, replace=False)]
            # The same text in two sources is one stimulus: rare, so drawing again costs nothing.
            while taken.intersection(picks):
                picks = [pool[k] for k in rng.choice(len(pool), size=share, replace=False)]
            taken.update(picks)
            drawn.append(picks)
        return tuple(drawn[k % len(drawn)][k // len(drawn)] for k in range(s))

    def _shares(self, s: int) -> list[int]:
        n = len(self.sources)
        return [(s - k + n - 1) // n for k in range(n)]


class WordList:
    """A source that is a list of words, for tests and for lists of a user's own.

    Args:
        words: Distinct words.
    """

    name = "words"
    kind: Kind = "word"
    card = "A list of words."

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)

    def stimuli(self) -> tuple[str, ...]:
        """The words."""
        return self._words
