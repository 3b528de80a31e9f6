"""Embedder, words and histories for the tests of strategies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stimuli import ScoredSolution


class LookupEmbedder:
    """Random unit vectors by text, so that a test decides what the vectors are and can count the calls."""

    name = "lookup"
    dimension = 12

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += texts
        rows = [np.random.default_rng(list(text.encode())).normal(size=self.dimension) for text in texts]
        matrix = np.array(rows).reshape(len(texts), self.dimension)
        unit: npt.NDArray[np.float32] = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit


WORDS = tuple(f"word{k}" for k in range(60))


def observe(words: Sequence[str]) -> tuple[str, ...]:
    """The observation of each word, as the discovery loop would supply it."""
    return tuple(f"seen in {word}" for word in words)


def linear_history(count: int, n: int, seed: int, noise: float = 0.01) -> list[ScoredSolution]:
    """Solutions whose feedback embeddings are linear in their observations' vectors, plus noise."""
    rng = np.random.default_rng(seed)
    embedder = LookupEmbedder()
    # The effect of an observation must be the same for every history of a test: it has its own seed.
    effect = np.random.default_rng(7).normal(size=(embedder.dimension, n))
    history = []
    for _ in range(count):
        texts = observe([WORDS[k] for k in rng.choice(len(WORDS), size=4, replace=False)])
        embedding = 0.5 + 0.1 * embedder.embed(texts).sum(axis=0) @ effect + noise * rng.normal(size=n)
        history.append(ScoredSolution(embedding.astype(np.float64), texts))
    return history
