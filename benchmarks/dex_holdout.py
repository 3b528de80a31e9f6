"""Throughput over DEX, remote verbs and the gap to the oracle on the hold-out set of a finished run.

    python -m benchmarks.dex_holdout runs/dex/<run> [ids]

For every policy that was scored on the hold-out set: the geometric mean of its throughput over DEX's with the 95 % interval
of a bootstrap over cells, that of its verbs an operation over DEX's, the part of the gap between DEX and the popularity
oracle that it closes (mean of cells on which the oracle is above DEX), and the geometric mean of its 99th percentile of
latencies over DEX's. The best solution of the validation set is marked; others named are hindsight.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from metamuse import journal
from metamuse.ranking import interval

SEED = 0

Rows = Sequence[Mapping[str, float]]


def holdout(run: Path) -> dict[str, Rows]:
    """Details of every policy by cell, in the cells' order."""
    found: dict[str, Rows] = {}
    for event in journal.read(run / "journal.jsonl"):
        if event["event"] == "holdout":
            rows = ((event.get("result") or {}).get("scores") or {}).get("holdout") or []
            if rows and all("details" in row for row in rows):
                found[event["id"]] = [row["details"] | {"mops": row["value"]} for row in rows]
    return found


def ratio(rows: Rows, other: Rows, name: str) -> np.ndarray:
    """Logarithms of a figure over another policy's, by cell."""
    return np.log([row[name] for row in rows]) - np.log([row[name] for row in other])


def main(run: Path, ids: Sequence[str]) -> None:
    """Print a row a policy, best first."""
    scored = holdout(run)
    dex = scored["dex"]
    with (run / "leaderboard.csv").open(encoding="utf-8") as file:
        ranked = [r for r in csv.DictReader(file) if r["kind"] == "solution" and r["holdout"]]
    best = max(ranked, key=lambda r: float(r["validation_gain"]))["id"] if ranked else ""
    oracle = scored.get("oracle")
    print(f"{'policy':<26}{'over DEX':>10}{'95 %':>18}{'verbs':>8}{'gap, %':>8}{'p99':>7}")
    for id, rows in sorted(scored.items(), key=lambda item: -ratio(item[1], dex, "mops").mean()):
        if ids and id not in ids:
            continue
        change = ratio(rows, dex, "mops")
        low, high = np.exp(interval(change, SEED))
        line = f"{id + (' *' if id == best else ''):<26}{np.exp(change.mean()):>10.3f}{f'[{low:.3f}, {high:.3f}]':>18}"
        if "verbs" in rows[0]:
            line += f"{np.exp(ratio(rows, dex, 'verbs').mean()):>8.3f}"
        if oracle is not None and "verbs" in rows[0]:
            room = ratio(oracle, dex, "mops")
            above = room > 0.0
            line += f"{100.0 * float((change[above] / room[above]).mean()) if above.any() else float('nan'):>8.0f}"
            line += f"{np.exp(ratio(rows, dex, 'p99_us').mean()):>7.2f}"
        print(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
