"""A digest of decisions, kept by a simulator while it runs: equal digests, equal decisions.

Every step is a bijection of the digest so far for each decision, and of the decision for each digest so far: two runs
that differ in one decision never end with the same digest, and those that differ in several do so by a chance of about
2**-64. It is no defence against somebody who looks for a collision; a policy never sees it.
"""

from __future__ import annotations

from numba.extending import overload

_MASK = (1 << 64) - 1
#: An odd number whose bits look random: 2**64 over the golden ratio, as a signed 64-bit number.
_FACTOR = 0x9E3779B97F4A7C15 - (1 << 64)


def fold(digest: int, decision: int) -> int:
    """The digest with one more decision; the same in compiled code, where arithmetic wraps.

    Args:
        digest: Of the decisions so far, signed 64 bits; 0 at the start.
        decision: What was decided, and when: the low 64 bits count.
    """
    mixed = (((int(digest) ^ int(decision)) + 1) * _FACTOR) & _MASK
    mixed ^= mixed >> 32
    return mixed - (1 << 64) if mixed >> 63 else mixed


@overload(fold)
def _compiled(digest, decision):  # type: ignore[no-untyped-def]  # Numba compares these signatures
    def wrapping(digest, decision):  # type: ignore[no-untyped-def]
        mixed = ((digest ^ decision) + 1) * _FACTOR
        return mixed ^ ((mixed >> 32) & 0xFFFFFFFF)

    return wrapping
