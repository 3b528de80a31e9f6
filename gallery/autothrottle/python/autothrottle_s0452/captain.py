"""Captain, the local law of Autothrottle (arXiv 2212.12180): for policies that have none, and where one has failed."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Least limit in cores.
LEAST_CORES = 0.01

_EVERY = 10  # periods of 100 ms to a decision
_ALPHA = 3.0
_GATE, _FLOOR = 0.9, 0.5
_FIRST_MARGIN = 3.0


class Captain:
    """Holds the share of throttled periods of one service near a target.

    Args:
        limit: The limit that it starts from, in cores.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._before = limit
        self._margin = _FIRST_MARGIN
        self._held = 0.0
        self._cut = False

    def decide(self, tick: int, throttled: float, usage: Sequence[float], target: float) -> float:
        """The limit in cores.

        Args:
            tick: Number of the period.
            throttled: Periods that ended throttled since the last call.
            usage: Cores used in the last periods, in any order.
            target: Wanted share of throttled periods.
        """
        self._held += throttled
        ratio = self._held / _EVERY
        if self._cut and ratio > _ALPHA * target:
            self.limit = self._before + (self._before - self.limit)  # more than it was
            self._margin += ratio - target
            self._held = 0.0
            self._cut = False
        if tick % _EVERY == _EVERY - 1:
            self._before = self.limit
            ratio = self._held / _EVERY
            self._margin = max(0.0, self._margin + (ratio - target))
            self._cut = False
            if ratio > _ALPHA * target:
                self.limit = self.limit * (1.0 + ratio - _ALPHA * target)
            else:
                self._lower(usage)
            self._held = 0.0
            self.limit = max(LEAST_CORES, self.limit)
        return self.limit

    def _lower(self, usage: Sequence[float]) -> None:
        total = 0.0
        for used in usage:
            total += used
        mean = total / len(usage)
        squares = 0.0
        for used in usage:
            squares += (used - mean) * (used - mean)
        wanted = max(usage) + self._margin * math.sqrt(squares / (len(usage) - 1))
        if wanted <= _GATE * self.limit:
            self.limit = max(_FLOOR * self.limit, wanted)
            self._cut = True
