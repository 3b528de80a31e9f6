"""CPU time that RSDict-SF needs to choose the stimuli of one solution, by the number of solutions it learns from.

Usage: ``python -m benchmarks.stimuli_scaling`` (one process, one BLAS thread, about 5 s). Prints the median
and the largest milliseconds of a selection for both targets, after the history before it has been taken in;
each selection takes in one new solution, as in a run. The budget is 50 ms at 10,000 solutions.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time
from typing import Any

import numpy as np

from stimuli import Lexicon, RSDictSF, ScoredSolution, TextEmbedder

DIMENSIONS = 30
SIZES = (100, 1_000, 10_000)
SELECTIONS = 40


def simulated_history(lexicon: Lexicon, count: int, rng: np.random.Generator) -> list[ScoredSolution]:
    """Solutions whose embeddings depend linearly on their observations' embeddings, plus correlated noise."""
    words = lexicon.words()
    texts = [" ".join(lexicon.properties(word)[:2]) for word in words]
    vectors = TextEmbedder().embed(texts)
    effect = rng.normal(size=(vectors.shape[1], DIMENSIONS))
    history = []
    for _ in range(count):
        drawn = rng.choice(len(words), size=4, replace=False)
        noise = 0.5 * rng.normal() + 0.5 * rng.normal(size=DIMENSIONS)
        embedding = 0.5 + 0.05 * (vectors[drawn].sum(axis=0) @ effect + noise)
        history.append(ScoredSolution(embedding, tuple(texts[k] for k in drawn)))
    return history


def selections(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Median and largest CPU milliseconds of a selection, by history size and target."""
    rng = np.random.default_rng(0)
    lexicon = Lexicon()
    history = simulated_history(lexicon, max(sizes) + SELECTIONS, rng)
    rows = []
    for size in sizes:
        for target in ("explore", "exploit"):
            strategy = RSDictSF(
                lexicon.words(), TextEmbedder(), np.zeros(DIMENSIONS), warmup=0, schedule=target
            )
            milliseconds = []
            for i in range(size - 1, size + SELECTIONS):
                sets = strategy.candidates(i, rng)
                texts = [[" ".join(lexicon.properties(word)[:2]) for word in words] for words in sets]
                start = time.process_time()
                strategy.choose(i, sets, texts, history[:i], rng)
                milliseconds.append(1e3 * (time.process_time() - start))
            # The first selection takes in the whole history at once and chooses hyper-parameters: not counted.
            rows.append(
                {
                    "solutions": size,
                    "target": target,
                    "median_ms": float(np.median(milliseconds[1:])),
                    "max_ms": max(milliseconds[1:]),
                }
            )
    return rows


def main() -> None:
    """Prints one line per history size and target."""
    print("solutions  target   median ms   max ms")
    for row in selections():
        print(f"{row['solutions']:9d}  {row['target']:7s}  {row['median_ms']:9.1f}  {row['max_ms']:7.1f}")


if __name__ == "__main__":
    main()
