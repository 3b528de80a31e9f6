"""The contract between the discovery loop and a stimulus strategy.

A strategy works in two steps, because the loop has to ask a language model in between: ``candidates`` draws
sets of words; the loop turns each word into an observation (what the word suggests for the problem);
``choose`` then names the set to use. A strategy that needs no observations returns a single candidate set.

Everything a strategy decides is a function of its settings, of the solution number, of the generators handed
in and of the history handed in, and of nothing else: neither the order of the calls nor what other calls saw
matters. So calls may overlap and a resumed run repeats the decisions of the interrupted one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
WordSet: TypeAlias = tuple[str, ...]
Target: TypeAlias = Literal["explore", "exploit", "none"]


class StimulusError(ValueError):
    """Stimuli cannot be chosen as asked; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSolution:
    """A solution that ran: what it was made from and how it performs."""

    embedding: FloatArray
    """Feedback embedding, shape [n]: the metric on each feedback workload, in the metric's own unit."""
    observations: tuple[str, ...]
    """The observations, one per stimulus, that the solution was made from."""


History: TypeAlias = Sequence[ScoredSolution]
"""The solutions one proposal may learn from, in logical order. Over a run it only grows at its end: of any
two histories given to the same strategy object, the shorter one is a prefix of the longer one."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which candidate set to use, and why."""

    index: int
    """Position in the list of candidate sets."""
    target: Target
    """What the choice steered towards; ``none`` if it did not steer."""
    predicted: FloatArray | None = None
    """The feedback embedding predicted for the chosen set, shape [n]; None if nothing was predicted."""
    target_embedding: FloatArray | None = None
    """The point steered towards, shape [n]; None if the choice did not steer."""


class Embedder(Protocol):
    """Maps texts to vectors whose dot products measure similarity of meaning."""

    @property
    def name(self) -> str:
        """Model and version, as recorded in a run."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row of unit length per text, zeros for a text without tokens; shape [len(texts), dimension]."""


class StimulusStrategy(Protocol):
    """Chooses the stimuli of each solution. Solutions are numbered from 0."""

    @property
    def name(self) -> str:
        """The strategy as it is called in configurations and reports."""

    def describe(self) -> Mapping[str, object]:
        """Settings as plain JSON values, to be recorded in the run."""

    def candidates(self, i: int, rng: np.random.Generator) -> list[WordSet]:
        """Draws the candidate sets of solution ``i``: at least one, each of s distinct words."""

    def choose(
        self,
        i: int,
        candidates: Sequence[WordSet],
        observations: Sequence[Sequence[str]],
        history: History,
        rng: np.random.Generator,
    ) -> Choice:
        """Names the candidate set that solution ``i`` is made from.

        Args:
            i: solution number.
            candidates: what ``candidates(i, ...)`` returned, or a non-empty part of it.
            observations: for each candidate set, the observations of its words.
            history: the scored solutions this proposal may see.
            rng: a generator of its own, not the one given to ``candidates`` (two children of one seed
                sequence), so that a resumed run which has the candidates on record need not draw them again.

        Raises:
            StimulusError: the arguments contradict each other or ``history`` is not an extension or prefix of
                an earlier one.
        """
