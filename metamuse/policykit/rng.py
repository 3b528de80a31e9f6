"""Seeded randomness."""

from __future__ import annotations

from metamuse.policykit.hashing import hash64


class Rng:
    """A counter-based random stream: the n-th draw is ``hash64(n, seed)``.

    Args:
        seed: Streams with different seeds are independent.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = int(seed)
        self.count = 0

    def next(self) -> int:
        """Return a uniform integer in ``[0, 2**63)``."""
        self.count += 1
        return hash64(self.count, self.seed)

    def below(self, n: int) -> int:
        """Return a uniform integer in ``[0, n)``; ``n`` must be positive."""
        if n <= 0:
            raise ValueError("Rng.below(n): n must be at least 1")
        self.count += 1
        return hash64(self.count, self.seed) % n

    def uniform(self) -> float:
        """Return a uniform float in ``[0, 1)``."""
        self.count += 1
        return (hash64(self.count, self.seed) >> 10) / 9007199254740992.0
