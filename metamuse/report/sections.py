"""The sections of the report. Each is a function from the run to HTML, "" if there is nothing to say."""

from __future__ import annotations

from metamuse import ranking, rundir
from metamuse.front import costs, front
from metamuse.report import svg
from metamuse.report.atwork import at_work
from metamuse.report.diverse import diverse
from metamuse.report.landscape import landscape
from metamuse.report.markup import Html, code, definitions, figure, paragraph, section, table, text
from metamuse.report.provenance import provenance
from metamuse.report.sensitivity import sensitivity
from metamuse.report.simplified import simplified
from metamuse.report.verdict import SET_NAMES, compare, gain_label, verdict
from metamuse.report.view import View
from metamuse.state import Entry
from problems.base import SHIFT

TOP = 10


def answer(view: View) -> Html:
    """The answer of the run and its main figures."""
    sentences = "".join(paragraph(s) for s in verdict(view.problem, view.state))
    css = "answer" if view.best else "answer none"
    solutions = view.summary["solutions"]
    shown: dict[str, object] = {
        "solutions made": f"{solutions['attempted']} of {solutions['requested']}",
        "executable": _of(solutions["executable"], solutions["attempted"]),
        "distinct": _of(solutions["distinct"], solutions["executable"]),
        "cost": _dollars(view.summary["cost"]["usd"]),
        "time": _duration(view.state.seconds),
    }
    closed = (
        None if view.best is None else ranking.gap_closed(view.problem, view.state, view.best, view.which)
    )
    if closed is not None:
        shown[f"of the gap to {view.bounds[0].id} closed"] = f"{closed:.0f} %"
    cards = "".join(f"<li><b>{text(v)}</b><span>{text(k)}</span></li>" for k, v in shown.items())
    return Html(f'<div class="{css}">{sentences}</div><ul class="figures">{cards}</ul>')


def idea(view: View) -> Html:
    """The winner in words."""
    if view.best is None:
        return Html("")
    design = view.best.data.get("design") or {}
    items = {
        key.replace("_", " "): value for key, value in design.items() if key not in ("name", "idea") and value
    }
    if view.best.of:
        items["constants"] = (
            ", ".join(f"{name} = {value}" for name, value in view.best.data["values"].items())
            + f" (tuned in {view.best.data['trials']} trials); the words above name the values before"
        )
    words = design.get("idea") or view.best.data.get("doc") or ""
    return section(f"The idea: {view.best.name}", paragraph(words), definitions(items))


def chain(view: View) -> Html:
    """From the stimuli to the code, step by step."""
    if view.best is None:
        return Html("")
    data = view.best.data
    words = "".join(f'<span class="word">{text(w)}</span>' for w in data.get("stimuli", []))
    # Strategies that do not steer (yet) say "none".
    target = data.get("target") if data.get("target") != "none" else None
    chosen = (
        f"Chosen among {len(data.get('candidates', []))} sets of words, to {target}."
        if target
        else "Drawn at random, before there was anything to steer by."
    )
    observations = table(
        ["word", "property carried over", "mechanism it suggests"],
        [[o["word"], o["property"], o["text"]] for o in data.get("observations", [])],
    )
    attempts = data.get("attempts", [])
    failed = [a["failure"] for a in attempts if a["failure"]]
    repairs = "".join(
        paragraph(f"Attempt {i + 1} failed ({kind}): {message}", "note")
        for i, (kind, message) in enumerate(failed)
    )
    steps = [
        ("Stimuli", words + paragraph(chosen, "note")),
        ("Observations", observations),
        ("Design", paragraph((data.get("design") or {}).get("idea", ""))),
        ("Code", paragraph(f"solutions/{view.best.id}/policy.py", "note") + repairs + code(view.best.source)),
    ]
    items = "".join(f"<li><h3>{title}</h3>{body}</li>" for title, body in steps)
    return section("From stimulus to code", Html(f'<ol class="chain">{items}</ol>'))


def leaderboard(view: View) -> Html:
    """The best solutions, all baselines, the bounds."""
    solutions = ranking.ranked(view.problem, view.state, view.state.contenders(), "validation")[:TOP]
    entries = [*solutions, *view.rivals, *view.bounds]
    order = ranking.ranked(view.problem, view.state, entries, "validation")
    rows, classes = [], []
    new = rundir.distinct_ids(view.state)
    for entry in order:
        closed = ranking.gap_closed(view.problem, view.state, entry, view.which)
        name = f"{entry.name}" if entry.discovered else entry.kind
        rows.append(
            [
                entry.id,
                name + (" (like an earlier one)" if entry.kind == "solution" and entry.id not in new else ""),
                *(
                    _signed(ranking.mean_gain(view.problem, view.state, entry, s))
                    for s in ("validation", "holdout")
                ),
                _metric(view, entry),
                "" if closed is None else f"{closed:.0f} %".replace("-", "−"),
                "" if entry.state_bytes is None else f"{entry.state_bytes:,}",
            ]
        )
        classes.append("solution" if entry.discovered else entry.kind)
    if not rows:
        return Html("")
    columns = [
        "id",
        "",
        "validation, %",
        "hold-out, %",
        view.problem.metric.name,
        "gap closed",
        "state, bytes",
    ]
    failed = [e.id for e in view.state.entries.values() if not e.ok]
    note = f"Gains are {gain_label(view.problem)}, in percent, mean over the workloads; ordered by validation, which selects. The {view.problem.metric.name} is that on {SET_NAMES[view.which]}. "
    if view.bounds:
        note += f"Gap closed: from {view.problem.reference} (0 %) to {view.bounds[0].id} (100 %), which knows the future. "
    note += "Each was scored on the hold-out set once." if view.which == "holdout" else ""
    more = paragraph(f"Not scored: {', '.join(failed)}.", "note") if failed else Html("")
    return section("Leaderboard", paragraph(note, "note"), table(columns, rows, range(2, 7), classes), more)


def workloads(view: View) -> Html:
    """The winner against its rivals on each workload."""
    if view.best is None or view.which not in view.best.scores:
        return Html("")
    reference = view.state.entries.get(view.problem.reference)
    rival = view.rivals[0] if view.rivals else None
    incumbent = view.state.entries.get("incumbent")
    shown = (rival, incumbent if incumbent and incumbent.ok else None, reference, *view.bounds[:1])
    others = list(dict.fromkeys(e.id for e in shown if e is not None and view.which in e.scores))
    entries = [view.best, *(view.state.entry(id) for id in others)]
    own, theirs = view.gains(view.best), None if rival is None else view.gains(rival)
    columns = [
        "workload",
        *(e.id for e in entries),
        *([] if rival is None else [f"gain over {rival.id}, points"]),
    ]
    rows = []
    for i, name in enumerate(view.best.scores[view.which].workloads):
        row: list[object] = [name, *(view.value(float(e.scores[view.which].values[i])) for e in entries)]
        if own is not None and theirs is not None:
            row.append(_signed(float(own[i] - theirs[i])))
        rows.append(row)
    unit = f", {view.problem.metric.unit}" if view.problem.metric.unit else ""
    better = "more" if view.problem.metric.maximise else "less"
    note = f"{view.problem.metric.name}{unit} ({better} is better) on the {SET_NAMES[view.which]} workloads: the winner, the strongest baseline there, the reference and the bound."
    body = table(columns, rows, range(1, len(columns)))
    if len(rows) > 12:
        body = Html(f"<details open><summary>{len(rows)} workloads</summary>{body}</details>")
    return section("Where it is better and where worse", paragraph(note, "note"), body)


def shift(view: View) -> Html:
    """How far the winner carries over to workloads unlike those it was found on."""
    best = view.best
    if best is None:
        return Html("")
    home = ranking.mean_gain(view.problem, view.state, best, view.which)
    rows: list[list[object]] = []
    for which in (name for name in view.state.workloads if name.startswith(SHIFT)):
        rival = ranking.best_baseline(view.problem, view.state, which)
        comparison = None if rival is None else compare(view.problem, view.state, best, rival, which)
        gain = ranking.mean_gain(view.problem, view.state, best, which)
        if comparison is None or gain is None or home is None:
            continue
        theirs = ranking.mean_gain(view.problem, view.state, comparison.rival, which)
        interval = f"{comparison.low:+.2f} to {comparison.high:+.2f}".replace("-", "−")
        rows.append(
            [
                which.removeprefix(SHIFT),
                comparison.workloads,
                _signed(gain),
                _signed(gain - home),
                Html(f"{text(comparison.rival.id)} {_signed(theirs)}"),
                _signed(comparison.difference),
                interval,
            ]
        )
    failed = best.data.get("shift_failure")
    if failed:
        return section(
            "Does it carry over?", paragraph(f"No: it fails on shifted workloads ({failed[0]}): {failed[1]}")
        )
    if not rows:
        return Html("")
    columns = ["workloads", "n", "gain, %", "change, points", "best baseline there, %", "difference", "95 %"]
    note = (
        f"The winner on workloads unlike those it was found on. Gains are {gain_label(view.problem)}; the change is "
        f"against its gain on the {SET_NAMES[view.which]} workloads; the best baseline is chosen with hindsight for each row."
    )
    return section("Does it carry over?", paragraph(note, "note"), table(columns, rows, range(1, 7)))


def price(view: View) -> Html:
    """What policies cost to run, and which of them no other beats."""
    if view.which != "holdout":
        return Html("")  # baselines are timed there only
    contenders = ranking.ranked(view.problem, view.state, view.state.contenders(), "validation")[:TOP]
    shown = costs(view.problem, view.state, [*contenders, *view.state.rivals()], view.which)
    if not shown:
        return Html("")
    best = {cost.entry.id for cost in front(shown)}
    each = view.problem.holds and any(c.each is not None for c in shown)
    columns = ["id", "gain, %", "ns a decision", "most steps in a call", "state, bytes", ""]
    if view.problem.holds and each:
        columns.insert(5, f"bytes per {view.problem.holds[0]}")
    rows = []
    for cost in shown:
        row: list[object] = [
            cost.entry.id,
            _signed(cost.gain),
            f"{cost.ns:.0f}",
            "" if cost.work is None else f"{cost.work:,}",
            f"{cost.state:,}",
            "on the front" if cost.entry.id in best else "",
        ]
        if each:
            row.insert(5, "" if cost.each is None else f"{cost.each:.1f}")
        rows.append(row)
    points = [
        svg.Point(
            f"{c.entry.id} {c.entry.name}" if c.entry.discovered else c.entry.id,
            c.ns,
            c.gain,
            "solution" if c.entry.discovered else "baseline",
            c.entry.id in best,
        )
        for c in shown
    ]
    note = (
        "Time is that of this machine, compiled with bounds checks, median over the workloads, baselines while the search ran; steps are loop iterations "
        "and calls in the policy's most expensive call on validation workloads. A policy is on the front if no other "
        "gains as much at no more time, steps and memory."
    )
    chart = svg.scatter(points, "ns a decision", f"{gain_label(view.problem)}, %")
    kinds = ["solution" if c.entry.discovered else c.entry.kind for c in shown]
    return section(
        "What it costs",
        paragraph(note, "note"),
        figure(chart),
        table(columns, rows, range(1, len(columns) - 1), kinds),
    )


def spread(view: View) -> Html:
    """Box plots of the gains."""
    solutions = ranking.ranked(view.problem, view.state, view.state.contenders(), view.which)[:5]
    rows = []
    for entry in [*view.bounds, *solutions, *view.rivals]:
        gains = view.gains(entry)
        if gains is None or entry.id == view.problem.reference:
            continue
        css = "solution" if entry.discovered else "bound" if entry.kind == "bound" else "baseline"
        label = f"{entry.id} {entry.name}" if entry.discovered else entry.id
        rows.append(svg.Box(label, gains, css))
    if not rows:
        return Html("")
    rows.sort(key=lambda r: -float(r.values.mean()))
    note = (
        "Box: middle half of the workloads; line: median; dot: mean; whiskers: 5 % to 95 %. What is far worse than the "
        "reference is drawn at the left edge, a bound far beyond all others at the right one."
    )
    unit = f"{gain_label(view.problem)}, %, on the {SET_NAMES[view.which]} workloads"
    return section("Spread over workloads", paragraph(note, "note"), figure(svg.boxes(rows, unit)))


def progress(view: View) -> Html:
    """Gain over solutions."""
    ordered = view.state.ordered()
    if not view.state.executable():
        return Html("")
    gains = [ranking.mean_gain(view.problem, view.state, entry, "validation") for entry in ordered]
    rival = ranking.best_baseline(view.problem, view.state)
    level = None if rival is None else ranking.mean_gain(view.problem, view.state, rival, "validation")
    first = svg.progress(
        gains, level, "" if rival is None else rival.id, f"{gain_label(view.problem)}, %, validation"
    )
    note = "Each dot is a solution, a cross one that failed; the line is the best so far. The weakest twentieth is drawn at the lower edge."
    return section("Progress", paragraph(note, "note"), figure(first))


def failures(view: View) -> Html:
    """Failures by class with an example each."""
    failed = view.state.failures()
    if not failed:
        return Html("")
    rows = []
    for kind, n in sorted(failed.items(), key=lambda item: -item[1]):
        example = next(s for s in view.state.ordered() if s.status == kind)
        rows.append([kind, n, example.id, example.message[:400]])
    mended = sum(1 for s in view.state.executable() if s.attempts > 1)
    note = paragraph(
        f"{mended} more failed at first and were mended by a repair turn." if mended else "", "note"
    )
    return section("Failures", table(["class", "solutions", "example", "its message"], rows, [1]), note)


def cost(view: View) -> Html:
    """What was paid, and where the time went."""
    cost, timing = view.summary["cost"], view.summary["timing"]
    latency: dict[str, float] = {}
    dollars: dict[str, float | None] = {}
    for call in view.state.calls:
        purpose = call["purpose"]
        latency[purpose] = latency.get(purpose, 0.0) + call["latency_s"]
        before = dollars.get(purpose, 0.0)
        dollars[purpose] = None if before is None or call["cost_usd"] is None else before + call["cost_usd"]
    rows = [
        [
            w,
            f["calls"],
            f"{f['tokens_in']:,}",
            f"{f['tokens_out']:,}",
            f"{latency[w]:.1f}",
            _dollars(dollars[w]),
        ]
        for w, f in cost["by_waypoint"].items()
    ]
    rows.append(
        [
            "all",
            cost["calls"],
            f"{cost['tokens_in']:,}",
            f"{cost['tokens_out']:,}",
            f"{timing['llm_seconds']:.1f}",
            _dollars(cost["usd"]),
        ]
    )
    calls = table(
        ["waypoint", "calls", "tokens in", "tokens out", "seconds waited", "cost"], rows, range(1, 6)
    )
    stages = table(
        ["stage of scoring solutions", "seconds of one core"],
        [[k.replace("_", " "), f"{v:.2f}"] for k, v in timing["scoring_by_stage"].items()],
        [1],
    )
    words = f"{_duration(view.state.seconds)} of wall time; calls and scoring overlap."
    note = paragraph(f"{words}{_rejected(view)}", "note")
    killed = view.state.spent.at_a_kill if view.state.spent else ""
    return section(
        "Cost and time",
        note,
        paragraph(killed, "note") if killed else Html(""),
        calls if view.state.calls else Html(""),
        stages,
    )


def _rejected(view: View) -> str:
    """What was not scored to the end, and what that saved."""
    said = {
        "exact": "had the text of an earlier one up to names",
        "behaviour": "decided as an earlier one on all feedback workloads",
        "raced": "could not become finalists any more",
    }
    counts = view.summary["solutions"]["rejected"]
    parts = [f"{n} {said[why]}" for why, n in counts.items() if n]
    seconds = view.summary["timing"]["scoring_spared"]
    return f" Not scored to the end: {'; '.join(parts)}; about {seconds:.1f} s spared." if parts else ""


SECTIONS = (
    answer,
    idea,
    leaderboard,
    spread,
    workloads,
    at_work,
    shift,
    price,
    chain,
    sensitivity,
    simplified,
    progress,
    diverse,
    landscape,
    failures,
    cost,
    provenance,
)


def _metric(view: View, entry: Entry) -> str:
    return view.value(entry.scores[view.which].mean) if view.which in entry.scores else ""


def _signed(value: float | None) -> Html:
    if value is None:
        return Html("")
    css = "good" if value >= 0.005 else "bad" if value <= -0.005 else ""
    return Html(f'<span class="{css}">{value:+.2f}</span>'.replace("+-", "-").replace("-", "−"))


def _of(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else str(part)


def _dollars(value: float | str | None) -> str:
    return "unknown" if value is None or isinstance(value, str) else f"${value:.2f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
