"""Shadow mode: a new policy beside the one in charge, on the same live events; what differs, and when to search again.

Costs are compared window by window, so that what both suffer cancels out. Drift is looked for by cumulative sums: of the
difference and of whatever describes the traffic, against their first windows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

#: Windows that say what is usual, and of which at least so many are needed for a verdict; windows that are looked back on.
USUAL, ENOUGH, RECENT = 30, 10, 200
#: Cumulative sums, in deviations: what is passed over in every window, and where the alarm is.
_SLACK, _ALARM = 0.5, 10.0
#: Least deviation, as a part of the usual value: less than that is no drift that matters.
_LEAST = 0.02


@dataclass
class Watch:
    """Watches one number for a lasting change.

    Attributes:
        usual: Its mean over the first windows, None before they are over.
        deviation: Its standard deviation there.
        alarm: 1 since it has gone up, -1 since it has gone down, 0 as long as it has done neither.
    """

    usual: float | None = None
    deviation: float = 0.0
    alarm: int = 0
    _first: list[float] = field(default_factory=list)
    _up: float = 0.0
    _down: float = 0.0

    def add(self, value: float) -> None:
        """The number over another window."""
        if self.usual is None:
            self._first.append(value)
            if len(self._first) == USUAL:
                mean = sum(self._first) / USUAL
                squares = sum((x - mean) ** 2 for x in self._first)
                self.usual = mean
                self.deviation = max(math.sqrt(squares / (USUAL - 1)), _LEAST * abs(mean), 1e-12)
            return
        off = (value - self.usual) / self.deviation
        self._up = max(0.0, self._up + off - _SLACK)
        self._down = max(0.0, self._down - off - _SLACK)
        if self.alarm == 0 and max(self._up, self._down) > _ALARM:
            self.alarm = 1 if self._up > self._down else -1


@dataclass(frozen=True)
class Report:
    """What a shadow has found.

    Attributes:
        windows: Windows that were compared.
        incumbent: Mean cost of the policy in charge over the last windows.
        shadow: That of the policy beside it.
        difference: ``incumbent - shadow``; above 0 the shadow is better.
        low: Lower end of its 95 % interval (NaN with too few windows).
        high: Upper end.
        drift: What has changed for good since the start, one sentence each.
        search_again: Why a new search is worth while, one sentence each; nothing if it is not.
    """

    windows: int
    incumbent: float
    shadow: float
    difference: float
    low: float
    high: float
    drift: list[str]
    search_again: list[str]

    @property
    def better(self) -> bool:
        """Whether the shadow is better, beyond chance."""
        return self.low > 0.0


class Comparison:
    """Two costs a window, and numbers that describe the traffic."""

    def __init__(self) -> None:
        self.windows = 0
        self._pairs: deque[tuple[float, float]] = deque(maxlen=RECENT)
        self._watches: dict[str, Watch] = {}
        self._gain = Watch()

    def add(self, incumbent: float, shadow: float, traffic: Mapping[str, float]) -> None:
        """The costs over one window, less is better, and what the traffic in it was like."""
        self.windows += 1
        self._pairs.append((incumbent, shadow))
        self._gain.add(incumbent - shadow)
        for name, value in traffic.items():
            self._watches.setdefault(name, Watch()).add(value)

    def report(self) -> Report:
        """What was found so far."""
        n = len(self._pairs)
        incumbent = sum(a for a, _ in self._pairs) / n if n else math.nan
        shadow = sum(b for _, b in self._pairs) / n if n else math.nan
        differences = [a - b for a, b in self._pairs]
        low, high = interval(differences)
        drift = [
            f"{name} has gone {'up' if watch.alarm > 0 else 'down'} from about {watch.usual:.4g}"
            for name, watch in self._watches.items()
            if watch.alarm
        ]
        again = [f"the traffic is another one: {one}" for one in drift]
        if self._gain.alarm < 0:
            again.append("the shadow's lead has become smaller than it was")
        if high <= 0.0:
            again.append("the shadow is no better than the policy in charge")
        return Report(self.windows, incumbent, shadow, incumbent - shadow, low, high, drift, again)


def interval(values: list[float]) -> tuple[float, float]:
    """A 95 % interval of a mean whose values may go with the ones before them; NaN for too few."""
    n = len(values)
    if n < ENOUGH:
        return math.nan, math.nan
    mean = sum(values) / n
    off = [value - mean for value in values]
    variance = sum(x * x for x in off) / (n - 1)
    if variance == 0.0:
        return mean, mean
    with_last = sum(a * b for a, b in pairwise(off)) / ((n - 1) * variance)
    with_last = min(max(with_last, 0.0), 0.95)
    independent = max(2.0, n * (1.0 - with_last) / (1.0 + with_last))
    # Student's t by the first terms of its expansion around the normal quantile.
    z, f = 1.959964, independent - 1.0
    t = z + (z**3 + z) / (4 * f) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f * f)
    reach = t * math.sqrt(variance / independent)
    return mean - reach, mean + reach
