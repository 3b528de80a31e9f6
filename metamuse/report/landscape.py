"""A map of performance space: where solutions lie between the known policies. A section of the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metamuse import ranking
from metamuse.report import svg
from metamuse.report.markup import Html, figure, paragraph, section
from metamuse.report.verdict import gain_label
from metamuse.report.view import View
from metamuse.state import Entry

#: Solutions drawn at most: the best half of so many, the others evenly over the run.
MOST = 2000
#: Baselines whose names are written.
NAMED = 12


@dataclass(frozen=True)
class Projection:
    """Principal components of embeddings.

    Attributes:
        points: float[m, 2].
        shares: Of the variance, one an axis.
    """

    points: np.ndarray
    shares: tuple[float, float]

    @classmethod
    def of(cls, embeddings: np.ndarray) -> Projection:
        """The two directions in which ``embeddings`` (float[m, n], m at least 1) vary most.

        An axis points to where its largest loading is positive, so that the same run gives the same map anywhere.
        """
        centred = embeddings - embeddings.mean(axis=0)
        _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
        axes = axes[:2] * np.sign([axis[np.abs(axis).argmax()] for axis in axes[:2]])[:, None]
        points = np.zeros((len(embeddings), 2))
        points[:, : len(axes)] = centred @ axes.T
        variance = sizes**2
        total = float(variance.sum()) or 1.0
        shares = [*(float(v) / total for v in variance[:2]), 0.0, 0.0]
        return cls(points, (shares[0], shares[1]))


def landscape(view: View) -> Html:
    """The map, "" while there are fewer than three places on it."""
    shown, left_out = _chosen(view)
    known = [e for e in (*view.state.bounds(), *view.state.rivals()) if e.ok and "feedback" in e.scores]
    known = [e for e in known if e.kind != "tuned"]
    entries = [*shown, *known]
    if len(entries) < 3 or not shown:
        return Html("")
    projection = Projection.of(np.stack([e.scores["feedback"].values for e in entries]))
    named = {e.id for e in (*known[: len(view.state.bounds())], *view.rivals[:NAMED])}
    if view.best is not None:
        named.add(view.best.id)
    marks = [
        svg.Mark(
            label=entry.id if entry.kind != "solution" else f"{entry.id} {entry.name}",
            x=float(x),
            y=float(y),
            css={"solution": "solution", "bound": "bound"}.get(entry.kind, "baseline"),
            named=entry.id in named,
            title=_title(view, entry),
            href=f"solutions/{entry.id}/policy.py" if entry.kind == "solution" else "",
        )
        for entry, (x, y) in zip(entries, projection.points, strict=True)
    ]
    first, second = projection.shares
    note = (
        f"Every solution by its {view.problem.metric.name} on the {len(shown[0].scores['feedback'].values)} feedback workloads, "
        "seen from where they differ most: near each other means alike in what they do. A dot opens the policy. "
        "Squares: baselines; triangles: bounds."
    )
    if left_out:
        note += f" {left_out} solutions are not drawn."
    axes = (f"{100 * first:.0f} % of the variance", f"{100 * second:.0f} % of the variance")
    return section("Map of the solutions", paragraph(note, "note"), figure(svg.map_of(marks, *axes)))


def _chosen(view: View) -> tuple[list[Entry], int]:
    """Solutions to draw, in logical order, and how many are left out."""
    done = view.state.executable()
    if len(done) <= MOST:
        return done, 0
    best = ranking.ranked(view.problem, view.state, done, "validation")[: MOST // 2]
    taken = {e.id for e in best}
    others = [e for e in done if e.id not in taken]
    taken |= {others[i].id for i in np.linspace(0, len(others) - 1, MOST - len(taken)).astype(int)}
    return [e for e in done if e.id in taken], len(done) - len(taken)


def _title(view: View, entry: Entry) -> str:
    gain = ranking.mean_gain(view.problem, view.state, entry, "validation")
    name = (
        entry.id if entry.name in ("", entry.id) or entry.kind != "solution" else f"{entry.id} {entry.name}"
    )
    return name if gain is None else f"{name}: {gain:+.2f} % {gain_label(view.problem)} on validation"
