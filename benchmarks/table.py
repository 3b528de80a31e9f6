"""The tables of ``python -m benchmarks`` as Markdown, and the blocks of ``docs/speed.md`` and the README made of them.

Everything shown is computed from a record (the JSON that the command writes), so a page shows what was recorded or a
test fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: What the page shows.
RECORD = ROOT / "benchmarks" / "results" / "latest.json"
BEGIN, END = "<!-- benchmarks: begin, made by python -m benchmarks page -->", "<!-- benchmarks: end -->"

#: The README's shorter table.
FIGURES = "<!-- figures: begin, made by python -m benchmarks page -->", "<!-- figures: end -->"


def _millions(rate: float | None) -> str:
    if rate is None:
        return "–"
    return f"{rate / 1e6:.2f}" if rate < 1e7 else f"{rate / 1e6:.0f}"


def _times(row: dict[str, Any], other: str, ours: str = "loop") -> str:
    return f"{row[ours] / row[other]:.1f}×" if row.get(other) else "–"


def _cache(rows: list[dict[str, Any]]) -> list[str]:
    engines = ("loop", "read_and_loop", "native", "plugin", "cachetools", "python")
    lines = [
        "Cache policies, M requests a CPU second, one core, equal misses:",
        "",
        "| policy | objects cached | loop | with reading | libcachesim | its plugin | cachetools | plain Python | loop : "
        "libcachesim | with reading : libcachesim |",
        "|---|" + "---:|" * 9,
    ]
    for row in rows:
        cells = [_millions(row.get(engine)) for engine in engines]
        ratios = [_times(row, "native"), _times(row, "native", "read_and_loop")]
        lines.append(f"| {row['policy']} | {row['capacity']:,} | {' | '.join(cells + ratios)} |")
    return lines


def _rows(pairs: list[tuple[str, str]]) -> list[str]:
    return ["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in pairs)]


def _binpacking(found: dict[str, Any]) -> list[tuple[str, str]]:
    rules = " / ".join(f"{name} {_millions(rate)}" for name, rate in found["rules"].items())
    return [
        (f"bin packing, {found['items']:,} items, M items a CPU second", rules),
        (
            f"bin packing, a rule that scans all open bins, {found['scan_items']:,} items",
            f"{_millions(found['scan'])} M items a CPU second: {found['scan'] / found['lists']:.0f} times lists of "
            f"Python objects, {found['scan'] / found['numpy']:.0f} times numpy with a bin for every item",
        ),
    ]


def _simulators(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            "DEX, full size, its own policy",
            f"{_millions(found['dex_operations_per_cpu_s'])} M operations a CPU second",
        ),
        (
            "autothrottle, hotel at nominal load",
            f"{found['autothrottle_simulated_s_per_cpu_s']:,.0f} simulated seconds a CPU second",
        ),
        (
            "opscale, feedback scenarios, its reference policy",
            f"{_millions(found['opscale_requests_per_cpu_s'])} M requests a CPU second",
        ),
        (
            "sensing, a wake-up every 20 minutes, scoring included",
            f"{_millions(found['sensing_node_steps_per_cpu_s'])} M node-steps a CPU second",
        ),
    ]


def _candidate(found: dict[str, Any]) -> list[tuple[str, str]]:
    count = len(found["baselines"])
    figure = (
        f"median of {count} baselines {found['median_cpu_s']:.2f} CPU s, largest {found['largest_cpu_s']:.2f}"
    )
    return [("check, compile, probe and score a candidate on the 30 feedback traces, warm", figure)]


def _start(found: dict[str, Any]) -> list[tuple[str, str]]:
    def both(name: str) -> str:
        return f"{found[f'{name}_wall_s']:.2f} s ({found[f'{name}_cpu_s']:.2f} CPU s)"

    return [
        ("`python -m metamuse --help`", both("help")),
        ("first candidate scored, no machine code cached yet", both("first_ever_candidate")),
        ("first candidate scored, machine code of simulators cached", both("first_candidate")),
    ]


def _hub(found: dict[str, Any]) -> list[tuple[str, str]]:
    windows = ", ".join(f"{ms:.1f} at {int(n):,}" for n, ms in found["cpu_ms"].items())
    kb = ", ".join(f"{name} {size:.1f}" for name, size in found["kb_a_solution"].items())
    if "mlflow_ms" in found:
        windows += f"; of the last, MLflow's record {found['mlflow_ms']:.1f}"
    return [
        ("hub, composer and tracking, CPU ms a solution by number of solutions, scoring stubbed", windows),
        (
            f"KB a solution on disk after {found['solutions']:,}; memory of the hub",
            f"{kb}; {found['rss_mb']:.0f} MB",
        ),
    ]


def _stimuli(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    shown = ", ".join(f"{r['median_ms']:.1f} at {r['solutions']:,}" for r in rows if r["target"] == "explore")
    return [("choosing stimuli, median CPU ms by past solutions", shown)]


def _workers(found: dict[str, Any]) -> list[tuple[str, str]]:
    def by(seconds: dict[str, float]) -> str:
        return ", ".join(f"{n}: {s:.1f} s ({seconds['1'] / s:.2f}×)" for n, s in seconds.items())

    return [
        (
            f"score {found['policy'].upper()} on {found['traces']} traces of {found['requests']:,} requests, wall time by workers",
            by(found["score_s"]),
        ),
        (
            f"{found['solutions']} solutions of the composer, from the first to the last, wall time by workers",
            by(found["search_s"]),
        ),
    ]


_SHOWN: dict[str, Callable[[Any], list[tuple[str, str]]]] = {
    "binpacking": _binpacking,
    "simulators": _simulators,
    "candidate": _candidate,
    "start": _start,
    "hub": _hub,
    "stimuli": _stimuli,
    "workers": _workers,
}


def markdown(record: dict[str, Any]) -> str:
    """The tables of a record."""
    parts = record["parts"]
    lines = [*_provenance(parts), ""]
    if "cache" in parts:
        lines += [*_cache(parts["cache"]["figures"]), ""]
    rows = [row for name, show in _SHOWN.items() if name in parts for row in show(parts[name]["figures"])]
    if rows:
        lines += [*_rows(rows), ""]
    lines += [f"{name} could not be measured: {why}" for name, why in record["failed"].items()]
    return "\n".join(lines).rstrip() + "\n"


def _provenance(parts: dict[str, Any]) -> list[str]:
    """Where and when parts were measured, a line for those of the same machine, day and form."""
    groups: dict[str, list[str]] = {}
    for name, part in parts.items():
        about = part["machine"]
        form = ", short form: sizes too small to quote" if part["short"] else ""
        where = (
            f"{part['date']}, {about['cpu']}, {about['cores']} cores, Python {about['python']}, "
            f"numba {about['numba']}{form}"
        )
        groups.setdefault(where, []).append(f"{name} {max(part['load']):.1f}")
    return [f"{where}; load of the machine meanwhile: {', '.join(loads)}." for where, loads in groups.items()]


def block(record: dict[str, Any]) -> str:
    """What stands in the page, with its marks."""
    return f"{BEGIN}\n\n{markdown(record)}\n{END}"


def figures(record: dict[str, Any]) -> str:
    """The README's table: of the caches what a reader asks first, and all other rows."""
    found = {name: part["figures"] for name, part in record["parts"].items()}
    large = {
        row["policy"]: row
        for row in found["cache"]
        if row["capacity"] == max(r["capacity"] for r in found["cache"])
    }
    shown = [large[policy] for policy in ("lru", "sieve", "s3fifo")]

    def each(cell: Callable[[dict[str, Any]], str]) -> str:
        return " / ".join(cell(row) for row in shown)

    rows = [
        (
            f"LRU / SIEVE / S3-FIFO, compiled and bounds-checked, {shown[0]['capacity']:,} objects cached",
            f"{each(lambda r: _millions(r['loop']))} M requests/s; {each(lambda r: _times(r, 'native'))} libcachesim's native "
            f"loop in the same run, misses equal; with reading the file {each(lambda r: _times(r, 'native', 'read_and_loop'))}",
        ),
        *(row for name, show in _SHOWN.items() if name in found for row in show(found[name])),
    ]
    begin, end = FIGURES
    return "\n".join([begin, "", *_provenance(record["parts"]), "", *_rows(rows), "", end])


def recorded() -> dict[str, Any]:
    """The record that the page shows."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8")))


def put(text: str, new: str, begin: str = BEGIN, end: str = END) -> str:
    """A page with its block replaced.

    Raises:
        ValueError: It has no such block.
    """
    if begin not in text or end not in text:
        raise ValueError(f"the page has no block between {begin} and {end}")
    before, _, rest = text.partition(begin)
    return before + new + rest.partition(end)[2]
