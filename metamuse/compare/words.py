"""A comparison for people: sentences, tables, files."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from metamuse import rundir
from metamuse.cli.tables import table
from metamuse.compare.plan import Plan
from metamuse.compare.result import MEASURES, Difference, Measure, Row, record
from metamuse.report import markup, svg
from metamuse.report.html import document
from metamuse.report.verdict import gain_label
from problems.base import Problem

#: Sentences on a terminal are broken at this many characters.
WIDTH = 110
#: With fewer seeds than this an interval over seeds is too narrow, and is said to be.
FEW_SEEDS = 5
#: Arms that fit side by side, with their means and with differences and intervals.
_MEANS, _DIFFERENCES = 6, 4


def write(problem: Problem, plan: Plan, rows: Sequence[Row], folder: Path) -> dict[str, Any]:
    """Write comparison.json, comparison.csv and comparison.html; returns what is in the first."""
    content = {
        "problem": problem.version,
        "comparison": folder.name,
        "equal": plan.equal,
        "budget": {k: v for k, v in plan.first["budget"].items() if v},
        "seeds": list(plan.seeds),
        "against": rows[0].arm,
        "gain": problem.metric.gain,
        "arms": [record(row) for row in rows],
        "verdict": sentences(problem, plan, rows),
    }
    rundir.write_atomically(
        folder / "comparison.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    )
    rundir.write_atomically(folder / "comparison.csv", _csv(rows))
    rundir.write_atomically(folder / "comparison.html", _page(problem, plan, rows, folder))
    return content


def sentences(problem: Problem, plan: Plan, rows: Sequence[Row]) -> list[str]:
    """What may be concluded, and what may not."""
    first = rows[0].arm
    said = [_budget(plan, rows)]
    for measure in (m for m in MEASURES if m.compared):
        settled = [
            (row.arm, row.differences[measure.key]) for row in rows[1:] if measure.key in row.differences
        ]
        found = [f"{arm} {_signed(d, measure)}" for arm, d in settled if d.settled]
        if found:
            said.append(f"{measure.head}: the interval excludes 0 against {first} for {'; '.join(found)}.")
    silent = [
        m.head for m in MEASURES
        if m.compared and not any(row.differences[m.key].settled for row in rows[1:] if m.key in row.differences)
    ]  # fmt: skip
    if silent and len(rows) > 1:
        said.append(f"No interval excludes 0 for {', '.join(silent)}: no difference is shown there.")
    if len(rows) > 1:
        said.append(_caution(plan, rows))
    if plan.first["llm"]["provider"] == "offline":
        said.append(
            "All of this is recombination of known mechanisms by the offline composer: it says how the machinery of the "
            "arms behaves, not how an LLM does."
        )
    return said


def _budget(plan: Plan, rows: Sequence[Row]) -> str:
    if plan.equal == "solutions":
        calls = [row.means["calls"] or 0.0 for row in rows]
        made = f"Every run was to make {plan.first['solutions']} attempts, for which"
        if round(min(calls)) == round(max(calls)):
            return f"{made} every arm needed {calls[0]:.0f} calls."
        return (
            f"{made} the arms needed {min(calls):.0f} to {max(calls):.0f} calls (means): this is not equal money. "
            "For that, equal=calls, tokens or usd."
        )
    cap = plan.first["budget"][plan.equal]
    attempts = [row.means["attempted"] or 0.0 for row in rows]
    return (
        f"Every run had budget.{plan.equal}={cap:g}, from which the arms made {min(attempts):.0f} to "
        f"{max(attempts):.0f} attempts."
    )


def _caution(plan: Plan, rows: Sequence[Row]) -> str:
    count = sum(len(row.differences) for row in rows)
    text = f"Of {count} intervals of 95 %, about {max(1, round(count * 0.05))} would exclude 0 if no arm differed"
    if len(plan.seeds) == 1:
        return text + ". With one seed only workloads are resampled: nothing is said about other seeds."
    if len(plan.seeds) < FEW_SEEDS:
        return text + f", and more with {len(plan.seeds)} seeds only, which make intervals too narrow."
    return text + "."


def terminal(problem: Problem, plan: Plan, rows: Sequence[Row]) -> str:
    """Tables and sentences."""
    parts = [f"Means over {len(plan.seeds)} seeds; gains are {gain_label(problem)}, %"]
    tables = [*_side_by_side(rows, MEASURES, _mean, _MEANS)]
    parts += [table(heads, body, range(1, len(heads))) + "\n" for heads, body in tables]
    if len(rows) > 1:
        tables = [*_side_by_side(rows[1:], [m for m in MEASURES if m.compared], _cell, _DIFFERENCES)]
        parts += [
            _heading(rows),
            *(table(heads, body, range(1, len(heads))) + "\n" for heads, body in tables),
        ]
    wrapped = [
        textwrap.fill(s, WIDTH, break_long_words=False, break_on_hyphens=False)
        for s in sentences(problem, plan, rows)
    ]
    return "\n".join([*parts, *wrapped])


def _heading(rows: Sequence[Row]) -> str:
    return f"Difference from {rows[0].arm}, with paired bootstrap 95 % interval (* excludes 0)"


def _side_by_side(
    rows: Sequence[Row], measures: Sequence[Measure], cell: Callable[[Row, Measure], str], most: int
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Tables with a line a measure and at most so many arms each: heads and cells."""
    for begin in range(0, len(rows), most):
        some = rows[begin : begin + most]
        yield ["", *(row.arm for row in some)], [[m.head, *(cell(row, m) for row in some)] for m in measures]


def _mean(row: Row, measure: Measure) -> str:
    mean = row.means[measure.key]
    if mean is None:
        return "unknown" if measure.key == "usd" else "-"
    return f"{mean:,.{measure.digits}f}"


def _cell(row: Row, measure: Measure) -> str:
    difference = row.differences.get(measure.key)
    return "-" if difference is None else _signed(difference, measure) + ("*" if difference.settled else " ")


def _signed(difference: Difference, measure: Measure) -> str:
    text = f"{difference.mean:+.{measure.digits}f}"
    if difference.interval is None:
        return text
    low, high = difference.interval
    return f"{text} [{low:+.{measure.digits}f}, {high:+.{measure.digits}f}]"


def _csv(rows: Sequence[Row]) -> str:
    """One line an arm."""
    compared = [m.key for m in MEASURES if m.compared]
    columns = ["arm", "seeds", *(m.key for m in MEASURES)]
    columns += [f"{key}_{part}" for key in compared for part in ("difference", "low", "high")]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        line: dict[str, Any] = {"arm": row.arm, "seeds": len(row.runs)}
        line |= {key: "" if mean is None else f"{mean:.6f}" for key, mean in row.means.items()}
        for key, difference in row.differences.items():
            line[f"{key}_difference"] = f"{difference.mean:.6f}"
            if difference.interval is not None:
                line[f"{key}_low"], line[f"{key}_high"] = (f"{x:.6f}" for x in difference.interval)
        writer.writerow(line)
    return buffer.getvalue()


def _page(problem: Problem, plan: Plan, rows: Sequence[Row], folder: Path) -> str:
    said = sentences(problem, plan, rows)

    def tables(rows: Sequence[Row], cell: Callable[[Row, Measure], str], most: int) -> markup.Html:
        measures = [m for m in MEASURES if m.compared or cell is _mean]
        found = _side_by_side(rows, measures, cell, most)
        return markup.Html("".join(markup.table(h, body, range(1, len(h))) for h, body in found))

    sections = [
        markup.Html('<section class="answer">' + "".join(markup.paragraph(s) for s in said) + "</section>"),
        _section(f"Means over {len(plan.seeds)} seeds", tables(rows, _mean, _MEANS)),
    ]
    if len(rows) > 1:
        sections.append(_section(_heading(rows), tables(rows[1:], _cell, _DIFFERENCES)))
    boxes = [
        svg.Box(row.arm, gains, "solution")
        for row in rows
        if (gains := _all_gains(row)) is not None
    ]  # fmt: skip
    if boxes:
        sections.append(
            _section("Solutions of all seeds", markup.figure(svg.boxes(boxes, gain_label(problem) + ", %")))
        )
    sections.append(
        _section("What the figures say", markup.definitions({m.head: m.meaning for m in MEASURES}))
    )
    runs = [
        [
            row.arm,
            run.seed,
            markup.link(f"{problem.name}/{run.run}/report.html", run.run),
            run.ended,
        ]
        for row in rows
        for run in row.runs
    ]
    sections.append(_section("Runs", markup.table(["arm", "seed", "run", "ended"], runs, [1])))
    where = f"MetaMuse · comparison {folder.name} · equal {plan.equal}"
    return document(f"{problem.version}: ways to search, compared", where, sections)


def _all_gains(row: Row) -> np.ndarray | None:
    values = [gain for run in row.runs if run.executable for gain in run.gains.mean(axis=1).tolist()]
    return np.array(values) if values else None


def _section(heading: str, body: markup.Html) -> markup.Html:
    return markup.Html(f"<section><h2>{markup.text(heading)}</h2>{body}</section>")
