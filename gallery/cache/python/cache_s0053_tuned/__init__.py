"""cache policy s0053-tuned, Wave Boost Hand (tuned)."""

from .cache_engine import HIT, REFUSED, STORED, TOO_LARGE, Engine
from .policy import Policy

#: Remembered objects that are cached no more, as a multiple of the cached ones.
GHOSTS = 2.0

__all__ = ["GHOSTS", "HIT", "REFUSED", "STORED", "TOO_LARGE", "Engine", "Policy"]
