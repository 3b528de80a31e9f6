"""The paper's figures 5 to 9, 11 and 12, measured: series beside the numbers that were read off its plots.

Figure 10, the time that moving a border between partitions takes, is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.base import Score
from evaluators.dex.cell import Cell
from evaluators.dex.suites import FULL_KEYS
from problems.claims import Bench, Run
from problems.dex.measuring import Length, cell, run_named
from problems.figures import Chart, Line, Shares

_RO, _RI, _WI = "read-only", "read-intensive", "write-intensive"
#: Compute servers, each with 36 threads, by which the paper adds threads; MiB of cache; threads of a memory server.
_SERVERS, _CACHES, _CPUS = (1, 2, 3, 4), (32, 64, 128, 256, 512, 1024), (0, 1, 2, 4)
_RECIPES = ("sherman", "smart", "p-sherman", "p-smart")
#: What a line is measured with: a baseline, or another system; values of its constants; further fields of the cell.
_Kind = tuple[str, Mapping[str, float], Mapping[str, Any]]
_ABLATION: dict[str, _Kind] = {
    "no offloading": ("dex_no_offload", {}, {}),
    "offload-only": ("dex_offload_only", {}, {"cold": True}),  # nothing that it would not cache itself
    "cost-aware": ("dex", {}, {}),
}


@dataclass(frozen=True)
class Panel:
    """A figure of the paper.

    Attributes:
        number: Its number there.
        figure: What was measured.
        at: Names of the places along the axis, or of the groups.
        paper: The paper's numbers by the name of a line, at the same places.
    """

    number: int
    figure: Chart | Shares
    at: Sequence[str]
    paper: Mapping[str, Sequence[float]]

    @property
    def measured(self) -> Mapping[str, Sequence[float]]:
        """Numbers by the name of a line, as measured."""
        if isinstance(self.figure, Shares):
            return self.figure.values
        return {line.name: line.values for line in self.figure.lines}


def panels(bench: Bench, length: Length, scale: int) -> list[Panel]:
    """Measure all figures on trees and caches of one ``scale``-th of the paper's size; ``length`` is a policy's."""

    def at(**fields: Any) -> Cell:
        made = cell(length, **fields)
        return replace(made, keys=FULL_KEYS // scale, cache_mb=made.cache_mb / scale)

    def score(kind: _Kind, **fields: Any) -> Score:
        name, values, further = kind
        where = at(**fields, **further)
        if name in bench.problem.baselines:
            return bench.scores([Run(bench.problem.baselines[name], where, values)])[0]
        found: Score = bench.each(run_named, [(name, where)])[0]
        return found

    def threads(kinds: Mapping[str, _Kind], title: str, **fields: Any) -> Chart:
        lines = [
            Line(name, [score(kind, servers=n, **fields).value for n in _SERVERS])
            for name, kind in kinds.items()
        ]
        return Chart(title, "", "Mops", "compute threads", 36.0, 144.0, lines)

    every: dict[str, _Kind] = {id: (id, {}, {}) for id in ("dex", *_RECIPES)}
    steps: dict[str, _Kind] = {
        "one-sided": ("one-sided", {}, {}),
        "+ partitions": ("p-one-sided", {}, {}),
        "+ cache": ("dex_no_offload", {}, {}),
        "+ offloading": ("dex", {}, {}),
    }
    out = [
        Panel(5, threads(_ABLATION, "Offloading, cache of 1 %, read-intensive", cache_mb=31, mix=_RI), _THREADS, _FIGURE_5),
        Panel(6, threads(every, "All systems, skewed, read-only", mix=_RO), _THREADS, _FIGURE_6_READ),
        Panel(6, threads(every, "All systems, skewed, write-intensive", mix=_WI), _THREADS, _FIGURE_6_WRITE),
        Panel(7, threads(every, "All systems, uniform keys, read-only", mix=_RO, theta=0.0), _THREADS, _FIGURE_7),
        Panel(8, threads(steps, "Step by step, cache of 1 %, write-intensive", cache_mb=31, mix=_WI), _THREADS, _FIGURE_8),
    ]  # fmt: skip
    return [*out, _admission(score), _caches(score, every), *_memory_threads(score)]


def _admission(score: Callable[..., Score]) -> Panel:
    kinds: dict[str, _Kind] = {
        "central lock, eager": ("dex_no_offload", {"ADMIT": 1.0}, {"central_queue": True}),
        "cooling map, eager": ("dex_no_offload", {"ADMIT": 1.0}, {}),
        "cooling map, one leaf in ten": ("dex_no_offload", {}, {}),
    }
    values = {
        name: [score(kind, cache_mb=mb, mix=_RI).value for mb in (64, 256)] for name, kind in kinds.items()
    }
    names = ("64 MB", "256 MB")
    return Panel(
        9, Shares("Cooling and admission, read-intensive, no offloading", "", "Mops", names, values), names, _FIGURE_9
    )  # fmt: skip


def _caches(score: Callable[..., Score], every: Mapping[str, _Kind]) -> Panel:
    lines = [
        Line(name, [score(kind, cache_mb=mb, mix=_RI).value for mb in _CACHES])
        for name, kind in every.items()
    ]
    last = len(_CACHES) - 1.0
    chart = Chart("Over cache sizes, read-intensive", "", "Mops", "doublings of 32 MB", 0.0, last, lines)
    return Panel(11, chart, [f"{mb} MB" for mb in _CACHES], _FIGURE_11)


def _memory_threads(score: Callable[..., Score]) -> list[Panel]:
    found = [score(("dex", {}, {}), cache_mb=31, mix=_RI, cpus=cpus) for cpus in _CPUS]
    names = [f"{cpus} threads" for cpus in _CPUS]
    verbs = {
        "one-sided": [s.details["reads"] + s.details["writes"] for s in found],
        "two-sided": [s.details["rpcs"] for s in found],
    }
    title = "Threads of a memory server, cache of 1 %, read-intensive"
    return [
        Panel(12, Shares(title, "", "Mops", names, {"dex": [s.value for s in found]}), names, _FIGURE_12),
        Panel(12, Shares(f"{title}: verbs", "", "an operation", names, verbs), names, _FIGURE_12_VERBS),
    ]


_THREADS = ("36", "72", "108", "144")
_FIGURE_5 = {
    "no offloading": (5.98, 12.2, 18.6, 25.7),
    "offload-only": (0.92, 0.87, 0.80, 1.45),
    "cost-aware": (9.62, 19.0, 27.5, 36.0),
}
_FIGURE_6_READ = {
    "dex": (13.7, 27.0, 52.4, 62.6),
    "sherman": (5.00, 9.49, 13.7, 17.4),
    "smart": (1.71, 3.58, 5.07, 6.50),
    "p-sherman": (9.45, 18.8, 26.7, 24.7),
    "p-smart": (1.85, 4.09, 7.14, 8.87),
}
_FIGURE_6_WRITE = {
    "dex": (9.45, 21.0, 35.8, 44.4),
    "sherman": (3.95, 4.88, 4.89, 4.62),
    "smart": (1.72, 3.39, 5.02, 6.33),
    "p-sherman": (5.99, 6.00, 6.01, 6.37),
    "p-smart": (1.73, 3.93, 7.11, 10.0),
}
_FIGURE_7 = {
    "dex": (7.74, 14.2, 22.9, 34.7),
    "sherman": (4.89, 9.36, 13.5, 17.3),
    "smart": (1.03, 2.07, 3.19, 4.22),
    "p-sherman": (9.19, 18.5, 26.6, 31.8),
    "p-smart": (0.96, 2.37, 4.80, 7.27),
}
#: Of figure 8 the text and the plot give the end alone.
_FIGURE_8 = {"one-sided": (1.21,), "+ partitions": (1.02,), "+ cache": (21.7,), "+ offloading": (33.7,)}
_FIGURE_9 = {
    "central lock, eager": (2.6, 5.2),
    "cooling map, eager": (30.7, 48.9),
    "cooling map, one leaf in ten": (38.4, 59.2),
}
_FIGURE_11 = {
    "dex": (34.7, 38.7, 50.2, 59.6, 72.5, 108.3),
    "sherman": (2.5, 3.7, 10.0, 16.7, 16.7, 16.6),
    "smart": (4.3, 4.9, 5.5, 7.0, 8.1, 10.9),
}
_FIGURE_12 = {"dex": (25.6, 29.8, 31.5, 36.0)}
_FIGURE_12_VERBS = {"one-sided": (1.04, 0.75, 0.51, 0.21), "two-sided": (0.0, 0.13, 0.24, 0.376)}
