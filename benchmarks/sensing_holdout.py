"""What a finished run's policies come to on the hold-out set, goal by goal, with intervals over workloads and over sites.

    python -m benchmarks.sensing_holdout runs/sensing/<run> [ids]

For every policy that was scored there: the value (mean over workloads) and the parts of the loss. Then, for the best solution
of the validation set (or those named, which is hindsight), its value against 1 (the best fixed schedule of each workload) and
against each opponent, in percent: mean, 95 % interval of a bootstrap over workloads, and of one that draws whole sites and then
windows within them, which is the honest one where windows of a site are alike.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluators.sensing.scoring import PARTS
from metamuse import journal
from metamuse.ranking import interval

OPPONENTS = (
    "split_fixed-tuned",
    "split_fixed",
    "volatility_adaptive-tuned",
    "volatility_adaptive",
    "energy_neutral-tuned",
    "pomdp-tuned",
)
SEED, DRAWS = 0, 5000

Rows = Sequence[Mapping[str, float]]


def holdout(run: Path) -> dict[str, list[dict[str, object]]]:
    """Rows of every policy, in the workloads' order."""
    found: dict[str, list[dict[str, object]]] = {}
    for event in journal.read(run / "journal.jsonl"):
        if event["event"] == "holdout":
            rows = ((event.get("result") or {}).get("scores") or {}).get("holdout") or []
            if rows and all("value" in row for row in rows):
                found[event["id"]] = rows
    return found


def over_sites(change: np.ndarray, sites: Sequence[str]) -> tuple[float, float]:
    """95 % interval of a bootstrap that draws sites, then windows within each."""
    rng = np.random.default_rng(SEED)
    groups = [np.flatnonzero(np.array(sites) == site) for site in sorted(set(sites))]
    means = []
    for _ in range(DRAWS):
        drawn = [groups[i] for i in rng.integers(len(groups), size=len(groups))]
        means.append(float(np.mean([change[rng.choice(g, len(g))].mean() for g in drawn])))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main(run: Path, ids: Sequence[str]) -> None:
    scored = holdout(run)
    some = next(iter(scored.values()))
    names = [str(row["workload"]) for row in some]
    sites = [name.partition("#")[0] for name in names]
    print(f"{len(names)} workloads of {len(set(sites))} sites or kinds")
    print(f"{'policy':<28}{'value':>7}" + "".join(f"{part[:9]:>10}" for part in PARTS))
    values = {id: np.array([row["value"] for row in rows], dtype=float) for id, rows in scored.items()}
    for id in sorted(values, key=lambda i: values[i].mean()):
        details = [row.get("details") or {} for row in scored[id]]
        line = f"{id:<28}{values[id].mean():>7.3f}"
        for part in PARTS:
            known = [d[part] for d in details if part in d]  # type: ignore[operator, index]
            line += f"{np.mean(known):>10.3f}" if known else f"{'':>10}"
        print(line)
    with (run / "leaderboard.csv").open(encoding="utf-8") as file:
        ranked = [r for r in csv.DictReader(file) if r["id"].startswith("s0") and r["holdout"]]
    best = max(ranked, key=lambda r: float(r["validation_gain"]))["id"]
    for id in ids or [best]:
        changes = {"the best fixed schedules": 100.0 * (values[id] - 1.0)}
        changes |= {o: 100.0 * (values[id] / values[o] - 1.0) for o in OPPONENTS if o in values}
        for opponent, change in changes.items():
            a, b = interval(change, SEED)
            c, d = over_sites(change, sites)
            print(
                f"{id} against {opponent}: {change.mean():+.1f} % [{a:+.1f}, {b:+.1f}] over workloads,"
                f" [{c:+.1f}, {d:+.1f}] over sites"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
