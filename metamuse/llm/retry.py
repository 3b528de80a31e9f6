"""How long to wait before asking a busy endpoint again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import numpy as np


def retry_after_s(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Returns the seconds an HTTP response asks to wait (RFC 9110 §10.2.3: seconds or a date), or None.

    Args:
        headers: Response headers, any case.
        now: Unix time in seconds; None reads the clock.
    """
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass  # not seconds: a date
    try:
        when = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, when - (time.time() if now is None else now))


class Backoff:
    """Exponential pauses with jitter.

    Args:
        first_s: Pause after the first failure in seconds.
        longest_s: Cap of the pause.
        rng: Source of the jitter.
    """

    def __init__(self, first_s: float, longest_s: float, rng: np.random.Generator) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng

    def pause_s(self, failures: int, asked_s: float | None = None) -> float:
        """Returns the seconds to wait after the ``failures``-th failure in a row (1, 2, …).

        A wait that the endpoint asked for is kept, and spread by up to a tenth upwards so that concurrent
        calls do not come back all at once. If it asks for less than ours (some say 0 all the time), ours holds.
        """
        # Exponent capped: 2.0 ** 2000 overflows, and the cap is reached long before.
        full = min(self._longest_s, self._first_s * 2.0 ** min(failures - 1, 30))
        pause = full * (0.5 + 0.5 * float(self._rng.random()))
        return pause if asked_s is None else max(pause, asked_s * (1 + 0.1 * float(self._rng.random())))
