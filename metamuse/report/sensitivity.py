"""How much the winner's constants matter: the trials in which they were tuned. A section of the report."""

from __future__ import annotations

import numpy as np

from metamuse.report import svg
from metamuse.report.markup import Html, figure, paragraph, section, table
from metamuse.report.verdict import gain_label
from metamuse.report.view import View

#: What comes within so many points of the best gain counts as good as the best.
NEAR = 0.25
#: Trials that say something.
FEWEST = 6


def sensitivity(view: View) -> Html:
    """What was reached over the values of each constant, "" where few were tried."""
    best = view.best
    if best is None:
        return Html("")
    base = view.state.entry(best.of) if best.of else best
    tuned = view.state.tuned.get(base.id)
    constants = base.data.get("constants") or {}
    tried = [row for row in (tuned.data.get("tried", []) if tuned else []) if row[-1] is not None]
    if tuned is None or len(tried) < FEWEST:
        return Html("")
    reached = np.array([row[-1] for row in tried])
    strips, rows = [], []
    for name, values in zip(
        tuned.data["values"], zip(*(row[:-1] for row in tried), strict=True), strict=True
    ):
        constant = constants[name]
        column = np.array(values, dtype=float)
        near = column[reached >= reached.max() - NEAR]
        rows.append(
            [
                name,
                f"{constant['low']:g} to {constant['high']:g}",
                f"{constant['value']:g}",
                f"{tuned.data['values'][name]:g}",
                f"{near.min():g} to {near.max():g}" if len(near) > 1 else "that one alone",
                f"{thirds(column, reached):.2f}",
            ]
        )
        strips.append(
            svg.Strip(
                name,
                constant["low"],
                constant["high"],
                constant["log"],
                values,
                constant["value"],
                tuned.data["values"][name],
            )
        )
    failed = tuned.data.get("failed_trials", 0)
    note = (
        f"{len(tried)} choices of the constants on the validation workloads"
        + (f", {failed} more in which the policy failed. " if failed else ". ")
        + f"As good: values in choices within {NEAR} points of the best. Effect: from the third of the values that reached "
        "least on average to the third that reached most, in points. They were changed together, and more often "
        "where it went well: a small effect says that a constant may be left alone, a large one is no measure of it. "
        "The weakest third is drawn at the lower edge."
    )
    columns = ["constant", "allowed", "as written", "tuned", "as good", "effect"]
    chart = svg.strips(
        strips, reached.tolist(), f"{gain_label(view.problem)}, %; dashed: as written; square: best"
    )
    return section(
        "Do its constants matter?", paragraph(note, "note"), table(columns, rows, range(1, 6)), figure(chart)
    )


def thirds(values: np.ndarray, reached: np.ndarray) -> float:
    """How far apart the thirds of the trials, by the value of a constant, are in what they reached on average (points).

    Equal values stay in one third; 0 if all are equal.
    """
    order = np.argsort(values, kind="stable")
    cuts = [np.searchsorted(values[order], values[order[len(values) * part // 3]]) for part in (1, 2)]
    groups = [g for g in np.split(reached[order], cuts) if len(g)]
    means = [float(g.mean()) for g in groups]
    return max(means) - min(means)
