"""GPU-hours and attainment on the hold-out set of a finished run, against the tuned planners of both levels.

    python -m benchmarks.opscale_holdout runs/opscale/<run> [ids]

For every policy that was scored on the hold-out set: GPU-hours without any penalty (sum), the part of all requests within
their SLOs, the workloads on which at least 99 % are, and the metric (mean). Then, for the best solution of the validation
set (or those named, which is hindsight) and against each opponent: the change of the metric and of the GPU-hours, mean over the
workloads, with the 95 % interval of a paired bootstrap over them; and the change of the GPU-hours on those workloads alone
on which both attain 99 %.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluators.opscale.simulator import ATTAINMENT
from metamuse import journal
from metamuse.ranking import interval

OPPONENTS = ("operator_erlang-tuned", "model_erlang-tuned", "static_peak-tuned")
SEED = 0

Rows = Sequence[Mapping[str, float]]


def holdout(run: Path) -> dict[str, Rows]:
    """Details and value of every policy by workload, in the workloads' order."""
    found: dict[str, Rows] = {}
    for event in journal.read(run / "journal.jsonl"):
        if event["event"] == "holdout":
            rows = ((event.get("result") or {}).get("scores") or {}).get("holdout") or []
            if rows and all("details" in row for row in rows):
                found[event["id"]] = [row["details"] | {"value": row["value"]} for row in rows]
    return found


def column(rows: Rows, name: str) -> np.ndarray:
    """One figure of all workloads."""
    return np.array([row[name] for row in rows])


def against(rows: Rows, other: Rows) -> str:
    """The changes, in percent of the opponent."""
    parts = []
    good = (column(rows, "attainment") >= ATTAINMENT) & (column(other, "attainment") >= ATTAINMENT)
    for name, figure, kept in (
        ("metric", "value", np.ones(len(rows), dtype=bool)),
        ("GPU-hours", "gpu_hours", np.ones(len(rows), dtype=bool)),
        (f"GPU-hours where both attain ({good.sum()} of {len(rows)})", "gpu_hours", good),
    ):
        if not kept.any():
            continue
        change = 100.0 * (column(rows, figure)[kept] / column(other, figure)[kept] - 1.0)
        low, high = interval(change, SEED)
        parts.append(f"{name} {change.mean():+.1f} % [{low:+.1f}, {high:+.1f}]")
    return "; ".join(parts)


def main(run: Path, ids: Sequence[str]) -> None:
    scored = holdout(run)
    print(f"{'policy':<24}{'GPU-hours':>10}{'attained, %':>13}{'workloads':>11}{'metric':>9}")
    for id, rows in sorted(scored.items(), key=lambda item: column(item[1], "value").mean()):
        if "attainment" not in rows[0]:
            continue
        n = column(rows, "requests")
        part = 100.0 * float((column(rows, "attainment") * n).sum() / n.sum())
        good = int((column(rows, "attainment") >= ATTAINMENT).sum())
        hours, value = column(rows, "gpu_hours").sum(), column(rows, "value").mean()
        print(f"{id:<24}{hours:>10.2f}{part:>13.2f}{f'{good}/{len(rows)}':>11}{value:>9.3f}")
    with (run / "leaderboard.csv").open(encoding="utf-8") as file:
        ranked = [r for r in csv.DictReader(file) if r["id"].startswith("s0") and r["holdout"]]
    best = max(ranked, key=lambda r: float(r["validation_gain"]))["id"]
    for id in ids or [best]:
        for opponent in OPPONENTS:
            if opponent in scored:
                print(f"{id} against {opponent}: {against(scored[id], scored[opponent])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
