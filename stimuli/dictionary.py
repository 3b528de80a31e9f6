"""The dictionary that strategies draw from: the stimuli of one source, or of several with a share each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from stimuli.base import StimulusError, WordSet
from stimuli.sources.base import Kind, Source

#: A source is drawn from again and again until nothing is there twice, unless that took more tries than this on average:
#: then it is drawn from what is left of it.
_PATIENCE = 1_000_000


class Dictionary:
    """Draws sets of distinct stimuli.

    With several sources, the first gives the first, (k+1)th, … stimulus of a set, the second the next, and so on: a
    source of twenty passages counts as much as one of three thousand words.

    Args:
        sources: Where stimuli come from.

    Raises:
        StimulusError: A source is empty, holds something twice, or is named twice.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        for name, times in Counter(source.name for source in sources).items():
            if times > 1:
                raise StimulusError(
                    f"The stimulus source {name} is named {times} times; name each source once."
                )
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
        held: Counter[str] = Counter()
        for i, pool in enumerate(self._pools):
            held.update(dict.fromkeys(pool, 1 << i))
        #: In which sources each stimulus is, as bits.
        self._held = dict(held)

    def __len__(self) -> int:
        return len(self._kinds)

    def kind(self, stimulus: str) -> Kind:
        """What a stimulus is, which decides how an observation is made from it."""
        return self._kinds.get(stimulus, "word")

    def check(self, s: int) -> None:
        """Refuse sets that cannot be drawn.

        Raises:
            StimulusError: A set of ``s`` distinct stimuli needs more than a source has, or several have together.
        """
        shares = self._shares(s)
        for source, pool, share in zip(self.sources, self._pools, shares, strict=True):
            if len(pool) < share:
                raise StimulusError(
                    f"The stimulus source {source.name} holds {len(pool)} stimuli, but a solution needs {share}"
                    " distinct ones of it."
                )
        some = self._short(Counter(self._held.values()), shares)
        if some:
            names = [source.name for i, source in enumerate(self.sources) if some >> i & 1]
            held = sum(1 for bits in self._held.values() if bits & some)
            needed = sum(share for i, share in enumerate(shares) if some >> i & 1)
            raise StimulusError(
                f"The stimulus sources {' and '.join(names)} hold {held} different stimuli together, but a solution needs"
                f" {needed} distinct ones of them."
            )

    def draw(self, s: int, rng: np.random.Generator) -> WordSet:
        """One set of s distinct stimuli, uniform within each source.

        Raises:
            StimulusError: There is none; see :meth:`check`.
        """
        shares = self._shares(s)
        drawn: list[list[str]] = []
        taken: set[str] = set()
        for pool, share in zip(self._pools, shares, strict=True):
            picks = [pool[k] for k in rng.choice(len(pool), size=share, replace=False)]
            if taken.intersection(picks):
                again = self._again(pool, share, taken, rng)
                if again is None:
                    self.check(s)
                    drawn = self._planned(shares, rng)
                    break
                picks = again
            taken.update(picks)
            drawn.append(picks)
        return tuple(drawn[k % len(drawn)][k // len(drawn)] for k in range(s))

    def _again(
        self, pool: Sequence[str], share: int, taken: set[str], rng: np.random.Generator
    ) -> list[str] | None:
        """Stimuli of a source of which none is taken; None if too few are left.

        The same text in two sources is one stimulus. That is rare as a rule, so drawing again costs nothing, and recorded
        runs are replayed with as many numbers of the generator as they took. Where it would not end, it is not tried.
        """
        left = [stimulus for stimulus in pool if stimulus not in taken]
        if len(left) < share:
            return None
        if math.comb(len(left), share) * _PATIENCE < math.comb(len(pool), share):
            return [left[k] for k in rng.choice(len(left), size=share, replace=False)]
        while True:
            picks = [pool[k] for k in rng.choice(len(pool), size=share, replace=False)]
            if not taken.intersection(picks):
                return picks

    def _planned(self, shares: Sequence[int], rng: np.random.Generator) -> list[list[str]]:
        """Stimuli of each source, each at random of those that leave enough to the other sources; there has to be a set."""
        counts, needed = Counter(self._held.values()), list(shares)
        taken: set[str] = set()
        drawn: list[list[str]] = []
        for i, pool in enumerate(self._pools):
            picks: list[str] = []
            for k in rng.permutation(len(pool)):
                if not needed[i]:
                    break
                stimulus = pool[k]
                if stimulus in taken:
                    continue
                bits = self._held[stimulus]
                counts[bits] -= 1
                needed[i] -= 1
                # One that is refused now would be refused later, too: the others' room never grows.
                if self._short(counts, needed):
                    counts[bits] += 1
                    needed[i] += 1
                else:
                    picks.append(stimulus)
                    taken.add(stimulus)
            drawn.append(picks)
        return drawn

    def _short(self, counts: Mapping[int, int], needed: Sequence[int]) -> int:
        """Sources (as bits) that together hold less than is needed of them, by Hall's theorem; 0 if all can be met.

        Args:
            counts: How many stimuli are left, by the sources they are in.
            needed: How many are needed of each source.
        """
        for some in range(1, 1 << len(needed)):
            held = sum(count for bits, count in counts.items() if bits & some)
            if held < sum(n for i, n in enumerate(needed) if some >> i & 1):
                return some
        return 0

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
