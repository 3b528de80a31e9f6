"""Resampling of seeds and workloads: how far figures of arms and their differences can be trusted.

Every workload of a set is in all runs, so one draw of workloads serves all of them; seeds are drawn for all arms
together. Both makes differences paired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metamuse.ranking import RESAMPLES

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """One set of draws.

    Attributes:
        seeds: int[draws, seeds], places of seeds.
        validation: float[draws, workloads], weights that sum to 1.
        holdout: The same for the hold-out set.
    """

    seeds: npt.NDArray[np.int64]
    validation: FloatArray
    holdout: FloatArray

    @classmethod
    def make(cls, seeds: int, validation: int, holdout: int, draws: int = RESAMPLES) -> Draws:
        """Draw, always the same.

        Args:
            seeds: How many there are.
            validation: Workloads of the validation set.
            holdout: Workloads of the hold-out set.
            draws: How often.
        """
        rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0xA235,)))

        def weights(n: int) -> FloatArray:
            return rng.multinomial(n, np.full(n, 1 / n), size=draws) / n if n else np.zeros((draws, 0))

        places = rng.integers(0, seeds, size=(draws, seeds))
        return cls(places, weights(validation), weights(holdout))

    def interval(self, values: FloatArray) -> tuple[float, float]:
        """95 % interval of the mean over seeds.

        Args:
            values: float[seeds, draws], of each seed under each draw of workloads; float[seeds, 1] where workloads
                play no part.
        """
        columns = np.minimum(np.arange(len(self.seeds)), values.shape[1] - 1)
        means = values[self.seeds, columns[:, None]].mean(axis=1)
        return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
