"""opscale policy s0039-tuned, Drain Burst Hot (tuned)."""

from .policy import Policy
from .scaling_engine import Scaler, Wanted

__all__ = ["Policy", "Scaler", "Wanted"]
