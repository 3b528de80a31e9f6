"""The acceptance claims of the simulator (1 to 20), with their tolerances.

Numbers of the paper (PVLDB 17(10), 2603-2616) are those of its table 2 and of its figures, digitised. ``must`` are counters
and figures that no constant was set from; ``outcome`` are those that constants were set from, or that follow from them.
The tolerances were chosen after a prototype of the simulator had been measured, and before this one was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from evaluators.base import Score
from problems.base import Problem
from problems.claims import Bench, Claim, Demand, Measured
from problems.dex.measuring import FULL, QUICK, Length, cell, policy, system, systems

_RO, _RI, _WI, _SI = "read-only", "read-intensive", "write-intensive", "scan-intensive"
_TABLE = "DEX, table 2"


def claims(problem: Problem, quick: bool) -> Sequence[Claim]:
    """All claims; with ``quick`` a quarter of the operations."""
    length = QUICK if quick else FULL
    said = f" ({length.ops / 1e6:g} M operations a server, {length.warm / 1e6:g} M of them to warm up)"

    def claim(
        id: int, text: str, low: float | None, high: float | None, source: str, kind: str,
        measure: Callable[..., Measured], analysis: str = "",
    ) -> Claim:  # fmt: skip
        return Claim(str(id), text + said, low, high, source, kind, partial(measure, length=length), analysis)

    return [
        claim(1, "DEX, read-only, 256 MB: reads an operation", 0.30, 0.36, _TABLE, "must", _read_only),
        claim(2, "DEX, write-intensive, 256 MB: reads an operation", 0.30, 0.36, _TABLE, "must", _write_intensive),
        claim(3, "Sherman, read-only: reads an operation", 2.92, 3.12, _TABLE, "must", _verbs_of_reads,
              "True by construction: recipes of verbs are inputs."),
        claim(4, "Sherman, write-intensive: writes an operation", 0.79, 1.19, _TABLE, "should", _verbs_of_writes),
        claim(5, "DEX, read-only, 144 threads, Mops", 56.3, 68.9, "DEX, figure 6 (read off)", "outcome", _throughput),
        claim(6, "DEX without offloading, read-intensive, 64 MB, Mops", 34.6, 42.2, "DEX, figure 9 (read off)", "must", _unoffloaded),
        claim(7, "Leaf admission: P_A = 0.1 over 1 at 64 MB, gain in %", 10.0, 30.0, "DEX, figure 9 (read off)", "must", _admission),
        claim(8, "Cache of 1 %, read-intensive, no offloading, Mops", 22.6, 28.8, "DEX, figures 5 and 12 (read off)", "outcome", _small),
        claim(9, "Gain of offloading with 4 memory threads, 1 % cache, %", 30.0, 50.0, "DEX, figure 12 (read off)", "outcome", _gain,
              _SATURATED),
        claim(10, "RPCs an operation with 4 memory threads, 1 % cache", 0.376 * 0.7, 0.376 * 1.3, "DEX, figure 12 (read off)",
              "outcome", _calls),
        claim(11, "Offload-only, read-intensive, 144 threads, Mops", None, 4.0, "DEX, figure 5 (read off)", "must", _offload_only),
        claim(12, "DEX, read-only, 256 MB: RPCs an operation", None, 0.001, _TABLE, "should", _vanishing),
        claim(13, "DEX, read-intensive, over cache sizes: the largest deviation from the paper, %", None, 15.0,
              "DEX, figure 11 (read off)", "should", _sweep, _ADMITTED),
        claim(14, "Sherman, read-only, Mops", 15.7, 19.1, "DEX, figure 6 (read off)", "must", _sherman),
        claim(15, "P-Sherman, read-only, skewed, Mops", 19.8, 29.6, "DEX, figure 6 (read off)", "outcome", _p_sherman, _EVEN),
        claim(16, "Uniform keys, read-only: DEX over P-Sherman", 0.85, 1.25, "DEX, figure 7 (read off)", "must", _uniform),
        claim(17, "Write-intensive: DEX over Sherman", 6.0, 12.0, "DEX, section 8.2", "outcome", _ordering),
        claim(18, "Sherman over cache sizes: 8 % over 1 %", 3.0, None, "DEX, figure 11 (read off)", "should", _shape, _STEEP),
        claim(19, "A central queue over the cooling map, 36 threads a server", None, 0.3, "DEX, figures 4 and 9 (read off)", "should",
              _central),
        claim(20, "Scans: DEX over SMART", 20.0, None, "DEX, section 8.2", "should", _scans),
    ]  # fmt: skip


_EVEN = (
    "What bounds P-Sherman is the NIC of the memory server with the hottest leaf: 8.8 M pages a second of it, and a little"
    " more than a quarter of all reads go there. Where sub-trees lie is not the cause: Sherman takes its memory from the"
    " servers in turn, as here."
)
_ADMITTED = (
    "At 31 and 64 MB offloading gains more than in the paper: a node that is offloaded is never admitted, so that inner nodes"
    " stay out of the cache until the hundredth decision brings them in, and runs here are far shorter than the paper's 200 M"
    " operations. With less offloading (claim 6) 64 MB is within 3 % of the paper."
)
_STEEP = (
    "At 31 MB a server caches an eighth of the inner nodes and walks from the root for the others, 18 reads each. The paper's"
    " Sherman falls to 2.5 Mops, lower than one verb after the other explains."
)
_SATURATED = (
    "Where memory servers are saturated, DEX's rule offloads until a call takes 1.2 times what it saves, so that calls gain"
    " little; what is left are the frames that offloaded nodes do not take. Without offloading the model misses less often"
    " than the paper's 1.04 verbs at this cache, for a reason that is not known, so that the base of the gain is high."
)


def _dex(bench: Bench, length: Length, **fields: Any) -> Score:
    return policy(bench, "dex", cell(length, **fields))


def _local(bench: Bench, length: Length, admit: float = 0.1, **fields: Any) -> Score:
    values = {} if admit == 0.1 else {"ADMIT": admit}
    return policy(bench, "dex_no_offload", cell(length, **fields), **values)


def _within(text: str, score: Score, name: str, paper: float, part: float) -> Demand:
    return Demand(text, score.details[name], paper * (1 - part), paper * (1 + part))


def _read_only(bench: Bench, length: Length) -> Measured:
    found = _dex(bench, length, mix=_RO)
    return Measured(found.details["reads"], (_within("bytes an operation", found, "bytes", 333.9, 0.1),))


def _write_intensive(bench: Bench, length: Length) -> Measured:
    found = _dex(bench, length, mix=_WI)
    writes = Demand("writes an operation", found.details["writes"], 0.16, 0.22)
    return Measured(
        found.details["reads"], (writes, _within("bytes an operation", found, "bytes", 524.1, 0.1))
    )


def _verbs_of_reads(bench: Bench, length: Length) -> Measured:
    sherman, private = systems(bench, [("sherman", {"mix": _RO}), ("p-sherman", {"mix": _RO})])
    return Measured(
        sherman.details["reads"], (Demand("P-Sherman's reads", private.details["reads"], 0.9, 1.1),)
    )


def _verbs_of_writes(bench: Bench, length: Length) -> Measured:
    found = system(bench, "sherman", mix=_WI)
    return Measured(
        found.details["writes"],
        (_within("atomics", found, "atomics", 0.59, 0.2), _within("reads", found, "reads", 2.71, 0.3)),
    )


def _throughput(bench: Bench, length: Length) -> Measured:
    found = _dex(bench, length, mix=_RO)
    return Measured(found.value, figures={"all servers together": found.details["mean_mops"]})


def _unoffloaded(bench: Bench, length: Length) -> Measured:
    small, large = (_local(bench, length, cache_mb=mb).value for mb in (64, 256))
    return Measured(small, (Demand("at 256 MB, Mops", large, 53.3, 65.1),))


def _admission(bench: Bench, length: Length) -> Measured:
    def gain(mb: int) -> float:
        few, all_ = (_local(bench, length, admit, cache_mb=mb).value for admit in (0.1, 1.0))
        return 100.0 * (few / all_ - 1.0)

    return Measured(
        gain(64),
        (Demand("at 256 MB, %", gain(256), 10.0, 30.0),),
        {"paper, 64 MB": 25.0, "paper, 256 MB": 21.0},
    )


def _small(bench: Bench, length: Length) -> Measured:
    found = _local(bench, length, cache_mb=31)
    return Measured(
        found.value,
        (_within("verbs an operation", found, "verbs", 1.04, 0.12),),
        analysis="Counters at this cache came out low in the prototype, too (0.91); the cause is not known.",
    )


def _over_cpus(bench: Bench, length: Length) -> tuple[Score, list[Score]]:
    return _local(bench, length, cache_mb=31), [
        _dex(bench, length, cache_mb=31, cpus=cpus) for cpus in (1, 2, 4)
    ]


def _gain(bench: Bench, length: Length) -> Measured:
    base, found = _over_cpus(bench, length)
    gains = [100.0 * (score.value / base.value - 1.0) for score in found]
    demands = [
        Demand(f"with {cpus}, %", gain, paper - 10.0, paper + 10.0)
        for cpus, gain, paper in ((1, gains[0], 16.0), (2, gains[1], 23.0))
    ]
    rising = Demand("least rise with more threads, points", min(b - a for a, b in pairwise(gains)), 0.0)
    mops = {f"{cpus} threads, Mops": score.value for cpus, score in zip((1, 2, 4), found, strict=True)}
    return Measured(gains[2], (*demands, rising), {"no offloading, Mops": base.value, **mops})


def _calls(bench: Bench, length: Length) -> Measured:
    _, found = _over_cpus(bench, length)
    demands = [
        _within(f"with {cpus}", score, "rpcs", paper, 0.3)
        for cpus, score, paper in ((1, found[0], 0.13), (2, found[1], 0.24))
    ]
    return Measured(found[2].details["rpcs"], tuple(demands))


def _offload_only(bench: Bench, length: Length) -> Measured:
    short = Length(length.ops // 8, length.warm // 8)
    alone = policy(bench, "dex_offload_only", cell(short, cache_mb=31, cold=True))
    free = policy(bench, "dex_offload_only", cell(short, cache_mb=31, cold=True, parent_lock=False))
    aware = _dex(bench, length, cache_mb=31)
    part = Demand("part of cost-aware", alone.value / aware.value, None, 0.15)
    return Measured(alone.value, (part,), {"parents not locked, Mops": free.value, "paper, Mops": 1.45})


def _vanishing(bench: Bench, length: Length) -> Measured:
    found = _dex(bench, length, mix=_RO)
    return Measured(
        found.details["rpcs"],
        figures={"write-intensive": _dex(bench, length, mix=_WI).details["rpcs"], "paper": 0.0002},
    )


def _sweep(bench: Bench, length: Length) -> Measured:
    paper = {31: 34.7, 64: 38.7, 128: 50.2, 256: 59.6, 512: 72.5, 1024: 108.3}
    found = {mb: _dex(bench, length, cache_mb=mb).value for mb in paper}
    off = max(abs(100.0 * (found[mb] / paper[mb] - 1.0)) for mb in paper)
    rising = Demand("least step up, Mops", min(b - a for a, b in pairwise(found.values())), 0.0)
    return Measured(off, (rising,), {f"{mb} MB, Mops (paper {paper[mb]:g})": found[mb] for mb in paper})


def _sherman(bench: Bench, length: Length) -> Measured:
    found = system(bench, "sherman", mix=_RO).value
    return Measured(found, (Demand("DEX over it", _dex(bench, length, mix=_RO).value / found, 3.0, 4.2),))


def _p_sherman(bench: Bench, length: Length) -> Measured:
    found = system(bench, "p-sherman", mix=_RO).value
    return Measured(found, (Demand("DEX over it", _dex(bench, length, mix=_RO).value / found, 2.0, 3.0),))


def _uniform(bench: Bench, length: Length) -> Measured:
    dex = _dex(bench, length, mix=_RO, theta=0.0).value
    other = system(bench, "p-sherman", mix=_RO, theta=0.0).value
    return Measured(
        dex / other, figures={"DEX, Mops (paper 34.7)": dex, "P-Sherman, Mops (paper 31.8)": other}
    )


def _ordering(bench: Bench, length: Length) -> Measured:
    dex = _dex(bench, length, mix=_WI).value
    ids = ("p-smart", "p-sherman", "smart", "sherman")
    found = dict(zip(ids, (s.value for s in systems(bench, [(id, {"mix": _WI}) for id in ids])), strict=True))
    demands = (
        Demand("DEX over P-SMART", dex / found["p-smart"], 2.0),
        Demand("P-SMART over P-Sherman", found["p-smart"] / found["p-sherman"], 1.0),
        Demand("P-Sherman over SMART", found["p-sherman"] / found["smart"], 0.75, 1.33),
        Demand("SMART over Sherman", found["smart"] / found["sherman"], 1.0),
    )
    return Measured(
        dex / found["sherman"], demands, {"DEX, Mops": dex} | {f"{id}, Mops": found[id] for id in ids}
    )


def _shape(bench: Bench, length: Length) -> Measured:
    sizes = (31, 64, 128, 256, 512)
    found = [s.value for s in systems(bench, [("sherman", {"cache_mb": mb}) for mb in sizes])]
    flat = Demand("16 % over 8 %", found[4] / found[3], 0.95, 1.05)
    figures = {f"{mb} MB, Mops": value for mb, value in zip(sizes, found, strict=True)}
    return Measured(found[3] / found[0], (flat,), figures | {"paper": 16.7 / 2.5})


def _central(bench: Bench, length: Length) -> Measured:
    def part(mb: int, servers: int) -> float:
        one, many = (
            _local(bench, length, 1.0, cache_mb=mb, servers=servers, central_queue=queue).value
            for queue in (True, False)
        )
        return one / many

    return Measured(
        part(256, 1),
        (Demand("four servers, 64 MB", part(64, 4), None, 0.3),),
        {"paper, one server": 0.24, "paper, four servers": 0.085},
        "Both admit every leaf, as the paper's ablation does. The lock is held for 1.05 µs a replacement, from figure 4 (one"
        " server, 0.95 M replacements a second).",
    )


def _scans(bench: Bench, length: Length) -> Measured:
    dex = _dex(bench, length, mix=_SI).value
    smart = system(bench, "smart", mix=_SI).value
    return Measured(
        dex / smart,
        figures={"DEX, Mops (paper 14.3)": dex, "SMART, Mops (paper 0.26)": smart},
        analysis="SMART's hundred reads come one after the other, at the latency of any other read.",
    )
