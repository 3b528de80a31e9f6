"""How different the solutions are in what they do: a section of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from metamuse import diversity
from metamuse.report import svg
from metamuse.report.markup import Html, figure, paragraph, section, table
from metamuse.report.view import View


def diverse(view: View) -> Html:
    """Distinct solutions, clusters by nearest baseline, distances, the gap closed."""
    account = view.summary["diversity"]
    done = view.summary["solutions"]["executable"]
    if not done:
        return Html("")
    curve = account["curve"]
    parts = [
        paragraph(_sentence(view, account, done)),
        table(["figure", "", "what it says"], _rows(view, account), [1]),
        Html("<h3>Distinct solutions as the search went on</h3>"),
        paragraph(
            "Two solutions are the same if their results differ by no more than the tolerance on every feedback workload, "
            f"or if their programs are equal up to constants. The count of record uses {diversity.TOLERANCE:g}. "
            "Grey: executable; dashed: if all were and no two the same.",
            "note",
        ),
        figure(
            svg.curves(
                curve["solutions"],
                curve["executable"],
                {k if k == "exact" else f"within {k}": counts for k, counts in curve["distinct"].items()},
            )
        ),
    ]
    if account["clusters"]:
        # Python sorts stably: equal shares stay in the order in which the problem names its baselines.
        clusters = sorted(account["clusters"].items(), key=lambda item: -item[1])
        parts += [
            Html("<h3>Nearest baseline</h3>"),
            paragraph("Each solution counts for the baseline whose results are most like its own.", "note"),
            figure(svg.bars([(id, share, f"{100 * share:.0f} %") for id, share in clusters])),
            _details(account),
        ]
    return section("Diversity", *parts)


def _sentence(view: View, account: Mapping[str, Any], done: int) -> str:
    new = account["distinct"][diversity.label(diversity.TOLERANCE)]
    said = f"Of {done} executable solutions {new} differ from all before them in what they do"
    clusters = account["clusters"]
    if clusters:
        near = sum(1 for share in clusters.values() if share)
        even = math.exp(account["entropy"])
        said += (
            f"; they lie nearest to {near} of {len(clusters)} well-known policies, which is as diverse as if they were"
            f" spread evenly over {even:.1f} of them"
        )
    useful = account["usefulness"]
    if useful["best"] is not None and useful["best"]["validation"] is not None:
        closed = {"validation": useful["best"]["validation"], "hold-out": useful["best"]["holdout"]}
        shown = " and ".join(f"{_percent(c)} (on {which})" for which, c in closed.items() if c is not None)
        said += f". The best closes {shown} of the gap from {useful['reference']} to {useful['bound']}"
    return f"{said}."


def _rows(view: View, account: Mapping[str, Any]) -> list[list[object]]:
    n, every = len(account["clusters"]), account["all_baselines"]
    unit = f"{view.problem.metric.name}, Euclid over the feedback workloads"
    rows: list[list[object]] = []
    if n:
        spread = f"0: all nearest to one; ln {n} = {math.log(n):.2f}: as many at each"
        rows.append([f"entropy over {n} well-known baselines", f"{account['entropy']:.2f} nats", spread])
        deviation = "of the shares below; 0: as many at each"
        rows.append(["standard deviation of cluster sizes", f"{account['cluster_sd']:.3f}", deviation])
    if every["clusters"]:
        m = len(every["clusters"])
        most = f"ln {m} = {math.log(m):.2f}: as many at each"
        rows.append([f"entropy over all {m} baselines", f"{every['entropy']:.2f} nats", most])
    if account["coverage"] is not None:
        cells = (
            f"of {diversity.CELLS} equal steps from the worst to the best value known of each feedback workload, the"
            " share that a solution reaches"
        )
        rows.append(["coverage", _percent(100 * account["coverage"]), cells])
    for key, title in (("nearest_other", "nearest other solution"), ("nearest_baseline", "nearest baseline")):
        spread = account[key]
        if spread["median"] is not None:
            value = f"{spread['median']:.4g}; {spread['p90']:.4g}"
            rows.append([f"distance to the {title}", value, f"median; 90 % are nearer ({unit})"])
    if account["mean_distance"] is not None:
        rows.append(
            ["distance between two solutions", f"{account['mean_distance']:.4g}", "mean over all pairs"]
        )
    useful = account["usefulness"]["solutions"]
    if useful["median"] is not None:
        value = f"{_percent(useful['median'])}; {_percent(useful['p90'])}"
        ends = f"median; 90 % close less ({account['usefulness']['reference']} 0 %, {account['usefulness']['bound']} 100 %)"
        rows.append(["gap closed on validation", value, ends])
    return rows


def _details(account: Mapping[str, Any]) -> Html:
    """Sizes and densities of both kinds of clusters."""
    few, every = account, account["all_baselines"]
    ids = dict.fromkeys([*every["clusters"], *few["clusters"]])
    rows = [
        [
            id,
            *(
                cell
                for part in (few, every)
                for cell in (_share(part["clusters"].get(id)), _density(part["density"].get(id)))
            ),
        ]
        for id in ids
        if few["clusters"].get(id) or every["clusters"].get(id)
    ]
    columns = ["baseline", "of the well-known", "density", "of all", "density"]
    note = paragraph(
        "Share of the solutions that are nearest to each baseline, among the well-known ones and among all. Density: "
        "solutions over the distance from the baseline to the farthest of them; low: they are spread out.",
        "note",
    )
    body = table(columns, rows, range(1, 5))
    return Html(f"<details><summary>All baselines, with densities</summary>{note}{body}</details>")


def _share(value: float | None) -> str:
    return _percent(100 * value) if value else ""


def _density(value: float | None) -> str:
    return f"{value:,.4g}" if value else ""


def _percent(value: float) -> str:
    return f"{value:.0f} %".replace("-", "−")
