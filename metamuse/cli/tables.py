"""Plain tables for the terminal."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from problems.base import Problem


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Container[int]) -> str:
    """Columns padded to their widest cell; ``right`` are the indices of right-aligned ones."""
    cells = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = []
    for n, row in enumerate(cells):
        parts = [
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
        if n == 0:
            lines.append("  ".join("-" * w for w in widths))
    return "\n".join(lines)


def print_scores(problem: Problem, rows: list[dict[str, Any]]) -> None:
    """One line a policy and workload."""
    body = []
    for row in rows:
        value = row["status"] if row["value"] is None else f"{row['value']:.{problem.metric.digits}f}"
        if row["value"] is not None and "standard_error" in row["details"]:
            # An interval of 95 %.
            value += f" ±{1.96 * row['details']['standard_error']:.{problem.metric.digits}f}"
        cost = row["details"].get("ns_per_decision")
        rate = next((v for k, v in row["details"].items() if k.endswith("_per_s")), None)
        state = row["details"].get("state_bytes")
        body.append(
            [
                row["workload"],
                row["policy"],
                value,
                "" if rate is None else f"{rate / 1e6:.1f}",
                "" if cost is None else f"{cost:.1f}",
                "" if state is None else f"{state:,}",
                row["message"],
            ]
        )
    heading = problem.metric.name + (f" ({problem.metric.unit})" if problem.metric.unit else "")
    print(table(["workload", "policy", heading, "M/s", "ns/decision", "state bytes", ""], body, {2, 3, 4, 5}))


def print_means(problem: Problem, rows: list[dict[str, Any]]) -> None:
    """One line a policy: means over each set, best first on the hold-out set."""
    names = list(dict.fromkeys(row["policy"] for row in rows))
    sets = list(dict.fromkeys(row["set"] for row in rows))
    means: dict[tuple[str, str], float | None] = {}
    for name in names:
        for which in sets:
            values = [r["value"] for r in rows if r["policy"] == name and r["set"] == which]
            means[name, which] = None if None in values else sum(values) / len(values)
    worst = float("-inf") if problem.metric.maximise else float("inf")

    def order(name: str) -> float:
        value = means[name, sets[-1]]
        value = worst if value is None else value
        return -value if problem.metric.maximise else value

    body = []
    for name in sorted(names, key=order):
        cells = [
            "failed" if means[name, s] is None else f"{means[name, s]:.{problem.metric.digits}f}"
            for s in sets
        ]
        costs = sorted(
            r["details"]["ns_per_decision"]
            for r in rows
            if r["policy"] == name and "ns_per_decision" in r["details"]
        )
        cells.append(f"{costs[len(costs) // 2]:.1f}" if costs else "")
        details = next(r["details"] for r in rows if r["policy"] == name)
        cells.append(f"{details['work']['max']:,}" if details.get("work") else "")
        states = [r["details"].get("state_bytes", 0) for r in rows if r["policy"] == name]
        cells.append(f"{max(states):,}" if any(states) else "")
        if problem.holds:
            each = [
                r["details"].get(f"state_bytes_per_{problem.holds[0]}") for r in rows if r["policy"] == name
            ]
            known = sorted(e for e in each if e is not None)
            cells.append(f"{known[len(known) // 2]:.1f}" if known else "")
        body.append([name, *cells])
    print(f"mean {problem.metric.name} by set of workloads")
    columns = ["policy", *sets, "ns/decision", "most steps in a call", "state bytes"]
    if problem.holds:
        columns.append(f"bytes/{problem.holds[0]}")
    print(table(columns, body, set(range(1, len(columns)))))
