"""The synthetic cells of a search: feedback, validation, hold-out, and cells unlike all of them.

Feedback and validation cells are cache size x mix x threads of the memory servers on trees of a part of the full size,
with a cache of the same part. The hold-out cells differ from them in more than their seed: other skews, sizes, fan-outs
and numbers of servers, hot sets that move and floods of scans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.dex.cell import Cell
from evaluators.draws import STREAMS, generator, integer

#: Keys and MiB a server of the paper's tree and default cache.
FULL_KEYS = 200_000_000
#: What a set's trees are smaller by at most, operations of a server, and how many of them warm up.
SIZES = {
    "feedback": (32, 48_000, 28_000),
    "validation": (16, 100_000, 60_000),
    "holdout": (16, 100_000, 60_000),
}

#: Frames of a server that a cell of the feedback and validation sets has, if an eighth of the full size allows it.
_LEAST_FRAMES = 8000

_RO, _RI, _WI, _II, _SI = (
    "read-only",
    "read-intensive",
    "write-intensive",
    "insert-intensive",
    "scan-intensive",
)
#: Cache (MiB at full size), mix, threads of a memory server, and what else is special.
_FEEDBACK: tuple[tuple[float, str, int, dict[str, Any]], ...] = (
    (31, _RI, 4, {}),
    (256, _RO, 4, {}),
    (64, _WI, 1, {}),
    (1024, _RI, 0, {}),
    (64, _RI, 0, {"shifts": 3}),
    (256, _SI, 4, {}),
    (31, _WI, 0, {}),
    (128, _RI, 1, {"flood": 0.3}),
    (512, _WI, 4, {}),
    (31, _RO, 1, {}),
    (256, _RI, 0, {"theta": 0.9}),
    (64, _RO, 4, {"shifts": 1}),
    (128, _WI, 4, {"shifts": 2}),
    (512, _RI, 1, {"cold": True}),
    (31, _SI, 0, {}),
    (256, _II, 4, {}),
    (128, _RO, 0, {}),
    (64, _RI, 4, {"flood": 0.2}),
    (256, _WI, 0, {}),
    (1024, _WI, 1, {"theta": 1.05}),
)
_VALIDATION = (0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 18)
#: Cells of the hold-out set, in the same form.
_HOLDOUT: tuple[tuple[float, str, int, dict[str, Any]], ...] = (
    (31, _RI, 4, {"theta": 0.9}),
    (64, _RO, 1, {"theta": 1.1}),
    (256, _RI, 4, {"theta": 0.0}),
    (256, _RO, 0, {}),
    (64, _WI, 4, {"shifts": 4}),
    (256, _RI, 1, {"shifts": 2}),
    (128, _RI, 4, {"flood": 0.4}),
    (512, _RO, 0, {"flood": 0.2}),
    (96, _WI, 2, {"fanout": 40}),
    (31, _RO, 4, {"servers": 2, "memory": 2}),
    (48, _RI, 4, {"servers": 8, "memory": 8}),
    (384, _WI, 0, {"keys": FULL_KEYS // 4}),
    (1024, _RI, 4, {}),
    (64, _SI, 1, {}),
    (128, _II, 4, {"fill": 52}),
    (200, _RI, 2, {"cold": True}),
)  # fmt: skip


def _cell(
    name: str, scale: int, ops: int, warm: int, seed: int, kind: tuple[float, str, int, dict[str, Any]], given: Mapping[str, Any]
) -> Cell:  # fmt: skip
    cache, mix, cpus, special = kind
    fields: dict[str, Any] = {
        "keys": FULL_KEYS,
        "ops": ops,
        "warm": warm,
        "mix": mix,
        "cpus": cpus,
        "seed": seed,
    }
    fields |= special
    if mix == _SI:
        fields["ops"], fields["warm"] = ops // 3, warm // 3
    if fields.get("servers", 4) == 8:
        fields["ops"], fields["warm"] = ops // 2, warm // 2
    fields["keys"] = fields["keys"] // scale
    fields["cache_mb"] = cache / scale
    fields |= given
    words = [
        f"{cache:g}MB",
        mix,
        f"{cpus}mt",
        *(f"{key}={value:g}" for key, value in sorted(special.items())),
    ]
    return Cell(f"{name}-{'-'.join(words)}", **fields)


def part_of(smallest: int, cache_mb: float) -> int:
    """What a cell's tree and cache are smaller by: less than ``smallest`` where the cache would have too few frames.

    With some thousand frames a server, offloading pays less than at full size, and policies that offload rank differently.
    """
    scale = smallest
    while scale > 8 and cache_mb * 1024 / scale < _LEAST_FRAMES:
        scale //= 2
    return scale


def synthetic_suite(which: str, seed: int, given: Mapping[str, Any] | None = None) -> list[Cell]:
    """The cells of a set, named like ``synthetic/feedback/07-128MB-read-intensive-1mt-flood=0.3``.

    Args:
        which: The set.
        seed: Any non-negative integer.
        given: Fields of :class:`Cell` that all cells are given.

    Raises:
        ValueError: An unknown set.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    kinds = {
        "feedback": _FEEDBACK,
        "validation": tuple(_FEEDBACK[i] for i in _VALIDATION),
        "holdout": _HOLDOUT,
    }
    least, ops, warm = SIZES[which]
    return [
        _cell(
            f"synthetic/{which}/{i:02d}", part_of(least, kind[0]) if which != "holdout" else least, ops, warm,
            integer(generator(seed, which, i), 1, 1 << 14), kind, given or {},
        )
        for i, kind in enumerate(kinds[which])
    ]  # fmt: skip


def shifted_suites(seed: int) -> dict[str, Sequence[Cell]]:
    """Cells on which no search looks, by what is unlike the sets: does a policy carry over?"""
    ops, warm = 500_000, 300_000
    full: dict[str, tuple[int, float, str, int, dict[str, Any]]] = {
        "four times the tree": (4, 256, _RI, 4, {}),
        "18 threads a server": (16, 64, _RI, 4, {"threads": 18}),
        "slow memory servers": (16, 31, _RO, 1, {"levels": 1}),
    }
    out: dict[str, Sequence[Cell]] = {}
    for number, (kind, (scale, cache, mix, cpus, special)) in enumerate(full.items()):
        several = 2 if scale > 4 else 1
        fewer = 5 if scale > 4 else 1
        out[kind] = [
            _cell(
                f"synthetic/{kind}/{i:02d}", scale, ops // fewer, warm // fewer, seed + (1 << 15) + 2 * number + i,
                (cache, mix, cpus, special), {},
            )
            for i in range(several)
        ]  # fmt: skip
    return out
