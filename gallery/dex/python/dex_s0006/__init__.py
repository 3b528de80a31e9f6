"""dex policy s0006, Mix Few Misses."""

from .dex_engine import ADMIT, BYPASS, INSERT, LOOKUP, OFFLOAD, SCAN, UPDATE, Thread
from .dex_shadow import DexShadow
from .policy import Policy

__all__ = ["ADMIT", "BYPASS", "INSERT", "LOOKUP", "OFFLOAD", "SCAN", "UPDATE", "DexShadow", "Policy", "Thread"]
