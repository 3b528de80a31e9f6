"""The packing rules once more, as plainly as their definitions read, on lists and fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

Free = list[int]


def any_fit(pick: Callable[[list[tuple[int, int]]], int]) -> Callable[[Sequence[int], int], int]:
    """A rule that picks one of the fitting bins, given as (free space, index), or opens one if there are none."""

    def pack(items: Sequence[int], capacity: int) -> int:
        free: Free = []
        for item in items:
            fitting = [(space, b) for b, space in enumerate(free) if space >= item]
            put(item, pick(fitting) if fitting else -1, free, capacity)
        return len(free)

    return pack


def put(item: int, bin: int, free: Free, capacity: int) -> int:
    if bin < 0:
        free.append(capacity)
        bin = len(free) - 1
    assert free[bin] >= item
    free[bin] -= item
    return bin


def by_emptiness(fitting: list[tuple[int, int]]) -> list[int]:
    return [b for _, b in sorted(fitting, key=lambda bin: (-bin[0], bin[1]))]


def kth_emptiest(k: int) -> Callable[[Sequence[int], int], int]:
    return any_fit(lambda fitting: by_emptiness(fitting)[:k][-1])


def next_fit(items: Sequence[int], capacity: int) -> int:
    free: Free = []
    for item in items:
        put(item, len(free) - 1 if free and free[-1] >= item else -1, free, capacity)
    return len(free)


def harmonic(k: int) -> Callable[[Sequence[int], int], int]:
    """Counts of items in a bin decide; only the smallest items are packed by size."""

    def pack(items: Sequence[int], capacity: int) -> int:
        bins = 0
        held = dict.fromkeys(range(1, k), 0)  # items in the bin of a class that is being filled
        space = 0
        for item in items:
            share = Fraction(item, capacity)
            kind = next((j for j in range(1, k) if share > Fraction(1, j + 1)), k)
            if kind < k:
                bins += held[kind] == 0
                held[kind] = (held[kind] + 1) % kind
            elif item <= space:
                space -= item
            else:
                bins += 1
                space = capacity - item
        return bins

    return pack


def refined_first_fit(items: Sequence[int], capacity: int) -> int:
    free: Free = []
    kinds: list[str] = []
    thirds = 0
    for item in items:
        share = Fraction(item, capacity)
        kind = "A" if share > Fraction(1, 2) else "B1" if share > Fraction(2, 5) else "B2"
        if share <= Fraction(1, 3):
            kind = "X"
        if kind == "B2":
            thirds += 1
            if thirds % 6 == 0:
                kind = "A"
        fitting = [b for b, space in enumerate(free) if space >= item and kinds[b] == kind]
        if not fitting:
            kinds.append(kind)
        put(item, fitting[0] if fitting else -1, free, capacity)
    return len(free)


def sum_of_squares(items: Sequence[int], capacity: int) -> int:
    free: Free = []
    for item in items:
        outcomes = []
        for b in [*range(len(free)), -1]:
            if b >= 0 and free[b] < item:
                continue
            after = list(free)
            at = put(item, b, after, capacity)
            levels = Counter(space for space in after if 0 < space < capacity)
            # Ties: the fullest bin, then the one opened first, a new one last.
            outcomes.append((sum(n * n for n in levels.values()), b < 0, after[at], b))
        put(item, min(outcomes)[-1], free, capacity)
    return len(free)


def priority_fit(items: Sequence[int], capacity: int) -> int:
    tight, loose = Fraction(6, 100) * capacity, Fraction(14, 100) * capacity
    free: Free = []
    for item in items:
        left = [(space - item, b) for b, space in enumerate(free) if space >= item]
        snug = [entry for entry in left if entry[0] <= tight // 1]
        roomy = [entry for entry in left if entry[0] > loose // 1]
        if snug:
            bin = min(snug)[1]
        elif roomy:
            bin = min(roomy)[1]
        else:
            bin = -1 if not left or capacity - item > loose // 1 else min(left)[1]
        put(item, bin, free, capacity)
    return len(free)


RULES: dict[str, Callable[[Sequence[int], int], int]] = {
    "first_fit": any_fit(lambda fitting: fitting[0][1]),
    "best_fit": any_fit(lambda fitting: min(fitting)[1]),
    "worst_fit": kth_emptiest(1),
    "almost_worst_fit": kth_emptiest(2),
    "any_fit": kth_emptiest(4),
    "next_fit": next_fit,
    "harmonic": harmonic(4),
    "refined_first_fit": refined_first_fit,
    "sum_of_squares": sum_of_squares,
    "priority_fit": priority_fit,
}
