"""RSDict-SF: stimuli from a dictionary, steered by feedback on solutions so far (MetaMuse, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stimuli.base import Choice, Embedder, FloatArray, History, ScoredSolution, StimulusError, Target, WordSet
from stimuli.dictionary import Dictionary
from stimuli.regression import LinearGP
from stimuli.rsdict import RSDict
from stimuli.targets import farthest_reachable

_MIN_HISTORY = 2
"""Fewer scored solutions say nothing about differences."""


class RSDictSF:
    """Draws k sets of words, predicts how their solutions would perform, and keeps the set nearest to a
    target.

    The target is, by turns, the ideal performance (exploit) or a point far from all solutions so far
    (explore, see ``stimuli.targets``). Predictions come from the summed embeddings of a set's observations
    (``stimuli.regression``), so the order of the words in a set does not matter. The first ``warmup``
    solutions are those of RSDict.

    Args:
        words: the dictionary, or a list of distinct words.
        embedder: embeds observations; each distinct text is embedded once and kept.
        ideal: best value of the metric in each dimension of the feedback embedding, shape [n], in the
        metric's unit. warmup: solutions 0 .. warmup-1 are not steered (the paper: "roughly one-third" of
        them, 100 of 350). s: words per set.
        k: candidate sets per solution (2: "power of two random choices").
        schedule: ``alternate`` (explore first), ``explore``, ``exploit``, or the probability of explore, 0 to
        1.

    Raises:
        StimulusError: a setting is out of range.
    """

    name = "rsdict-sf"

    def __init__(
        self,
        words: Dictionary | Sequence[str],
        embedder: Embedder,
        ideal: Sequence[float] | FloatArray,
        warmup: int,
        s: int = 4,
        k: int = 2,
        schedule: str | float = "alternate",
    ) -> None:
        self._plain = RSDict(words, s)
        if k < 1:
            raise StimulusError(f"RSDict-SF needs at least one candidate set per solution, but k is {k}.")
        if warmup < 0:
            raise StimulusError(f"The warm-up of RSDict-SF cannot be negative, but it is {warmup}.")
        self.k = k
        self.warmup = warmup
        self._embedder = embedder
        self._ideal = np.array(ideal, dtype=np.float64)
        if self._ideal.ndim != 1 or not self._ideal.size or not np.isfinite(self._ideal).all():
            raise StimulusError(
                "The ideal point of RSDict-SF must be a finite number for each feedback workload."
            )
        self._schedule = _checked_schedule(schedule)
        self._model = LinearGP(embedder.dimension, len(self._ideal), recall=self._recalled)
        self._longest: History = ()
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def describe(self) -> dict[str, object]:
        """Settings as plain JSON values."""
        return {
            **self._plain.describe(),
            "strategy": self.name,
            "k": self.k,
            "warmup": self.warmup,
            "schedule": self._schedule,
            "embedder": self._embedder.name,
        }

    def candidates(self, i: int, rng: np.random.Generator) -> list[WordSet]:
        """k sets, a single one during the warm-up; RSDict would draw the first with the same ``rng``."""
        return [self._plain.draw(rng) for _ in range(1 if i < self.warmup else self.k)]

    def choose(
        self,
        i: int,
        candidates: Sequence[WordSet],
        observations: Sequence[Sequence[str]],
        history: History,
        rng: np.random.Generator,
    ) -> Choice:
        """Keeps the set whose predicted embedding is nearest to the target; see ``StimulusStrategy``."""
        if len(candidates) != len(observations):
            raise StimulusError(
                f"Solution {i} has {len(candidates)} candidate sets but observations for {len(observations)}."
            )
        # Learnt from the first solution on: a broken embedder shows at once, and no choice is the slow one.
        self._learn(history)
        if i < self.warmup or len(candidates) == 1 or len(history) < _MIN_HISTORY:
            return self._plain.choose(i, candidates, observations, history, rng)
        features = np.stack([self._features(texts) for texts in observations])
        predicted = self._model.predict(features, len(history))
        target = self._target(i, rng)
        point = self._ideal
        if target == "explore":
            point = farthest_reachable(self._model.outputs(len(history)), self._ideal, rng)
        index = int(np.argmin(np.square(predicted - point).sum(axis=1)))
        return Choice(index, target, predicted[index].copy(), point.copy())

    def _target(self, i: int, rng: np.random.Generator) -> Target:
        if isinstance(self._schedule, float):
            explore = rng.random() < self._schedule
        elif self._schedule == "alternate":
            explore = (i - self.warmup) % 2 == 0
        else:
            explore = self._schedule == "explore"
        return "explore" if explore else "exploit"

    def _learn(self, history: History) -> None:
        """Appends what is new in ``history`` to the model, having checked that it continues what is known."""
        known = min(self._model.rows, len(history))
        if known and not np.array_equal(self._model.outputs(known)[-1], history[known - 1].embedding):
            raise StimulusError(
                f"Record {known - 1} of the history of scored solutions changed during the run."
            )
        if len(history) > len(self._longest):
            self._longest = history
        for number in range(known, len(history)):
            record = history[number]
            self._model.append(self._features(record.observations), self._checked_embedding(record, number))

    def _recalled(self, start: int, end: int) -> FloatArray:
        return np.stack([self._features(record.observations) for record in self._longest[start:end]])

    def _checked_embedding(self, record: ScoredSolution, number: int) -> FloatArray:
        embedding = np.asarray(record.embedding, dtype=np.float64)
        if embedding.shape != self._ideal.shape or not np.isfinite(embedding).all():
            raise StimulusError(
                f"The embedding of scored solution {number} is not {len(self._ideal)} finite numbers."
            )
        return embedding

    def _features(self, texts: Sequence[str]) -> FloatArray:
        """Sum of the embeddings of ``texts``, each text embedded once and kept."""
        missing = sorted({text for text in texts if text not in self._vectors})
        if missing:
            self._vectors.update(zip(missing, self._embedder.embed(missing), strict=True))
        total = np.zeros(self._embedder.dimension)
        for text in texts:
            total += self._vectors[text]
        return total


def _checked_schedule(schedule: str | float) -> str | float:
    """One of the three words, or a probability as a float."""
    if schedule in ("alternate", "explore", "exploit"):
        return schedule
    # bool is an int in Python, and NaN fails the comparison.
    if isinstance(schedule, int | float) and not isinstance(schedule, bool) and 0 <= schedule <= 1:
        return float(schedule)
    raise StimulusError(
        "The schedule of RSDict-SF is alternate, explore, exploit or the probability of explore (0 to 1),"
        f" not {schedule!r}."
    )
