"""The run directory: what a run leaves behind, derived from its journal (``docs/run-directory.md``)."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from metamuse import accounting, diversity, ranking
from metamuse.errors import StorageError, UsageError
from metamuse.journal import FORMAT, read
from metamuse.llm.store import Totals
from metamuse.rejection import spared
from metamuse.state import WAYPOINTS, Entry, RunState
from problems.base import SHIFT, Problem

LEADERBOARD = (
    "id", "kind", "name", "status", "validation", "holdout", "validation_gain", "holdout_gain", "distinct",
    "state_bytes",
)  # fmt: skip


def create(root: Path, problem: str) -> Path:
    """Make a new run directory ``<root>/<problem>/r<date>-<id>``.

    Raises:
        UsageError: It cannot be written.
    """
    path = root / problem / new_name("r")
    try:
        path.mkdir(parents=True)
        (path / "solutions").mkdir()
    except OSError as error:
        raise UsageError(f"Cannot make the run directory {path}: {error.strerror}.") from None
    return path


def new_name(letter: str) -> str:
    """``<letter><date>-<id>``: a name that sorts by time and that no other process takes."""
    return f"{letter}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def find(root: Path, run: str, problem: str | None = None) -> Path:
    """The run directory that ``run=`` names: a path, the end of one, or ``latest``, of a problem or of all.

    Raises:
        UsageError: There is none.
    """
    runs = sorted(root.glob(f"{problem or '*'}/r*/journal.jsonl"), key=lambda p: p.parent.name)
    if run == "latest":
        if not runs:
            raise UsageError(
                f"There are no runs {f'of problem={problem} ' if problem else ''}under {root} yet."
            )
        return runs[-1].parent
    path = Path(run)
    if (path / "journal.jsonl").is_file():
        return path
    named = [p.parent for p in runs if p.parent.name == run]
    if not named:
        raise UsageError(f"No run {run}: neither a run directory nor the name of one under {root}.")
    return named[0]


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old or the new content, never half of one.

    Raises:
        UsageError: It cannot be written (no room, no permission); the old content is still there.
    """
    # A name of its own: a report may be made of a run that writes the same files.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    try:
        # Half a surrogate pair, which models do emit, becomes the escape by which Python and JSON write it.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(f"Cannot write {path}: {error.strerror}.") from None


def write_solution(folder: Path, entry: Entry) -> None:
    """Write ``solutions/<id>/``: policy.py, simplified.py, design.json, waypoints.json, scores.json."""
    target = folder / "solutions" / entry.id
    target.mkdir(parents=True, exist_ok=True)
    if entry.source:
        write_atomically(target / "policy.py", entry.source.rstrip() + "\n")
    data = entry.data
    if simplified_of(entry) is not None:
        write_atomically(target / "simplified.py", data["simplified"]["source"])
    waypoints = {k: data[k] for k in WAYPOINTS if k in data}
    write_atomically(target / "design.json", _json(data.get("design")))
    write_atomically(target / "waypoints.json", _json(waypoints))
    write_atomically(target / "scores.json", _json(scores_of(entry)))


def scores_of(entry: Entry) -> dict[str, Any]:
    """Status and scores of an entry as JSON."""
    out: dict[str, Any] = {"id": entry.id, "kind": entry.kind, "name": entry.name, "status": entry.status}
    if entry.message:
        out["message"] = entry.message
    for which, scores in entry.scores.items():
        rows = zip(scores.workloads, scores.values, scores.details, strict=True)
        out[which] = [{"workload": w, "value": float(v), "details": d} for w, v, d in rows]
    if entry.state_bytes is not None:
        out["state_bytes"] = entry.state_bytes
    if entry.work is not None:
        out["work"] = entry.work
    if entry.of:
        out["tuned"] = {"of": entry.of} | {
            k: entry.data.get(k) for k in ("values", "trials", "gain", "default_gain", "failed_trials")
        }
    if (simplified := simplified_of(entry)) is not None:
        out["simplified"] = simplified
    return out


def simplified_of(entry: Entry) -> dict[str, Any] | None:
    """What is proved of a policy's simplified form (``docs/simplify.md``); None if it has none."""
    made = entry.data.get("simplified")
    if made is None or "failure" in made or made["source"] == entry.source:
        return None
    return {key: value for key, value in made.items() if key != "source"}


def leaderboard(problem: Problem, state: RunState) -> list[dict[str, Any]]:
    """Rows of leaderboard.csv: best first, unscored last."""
    solutions = state.ordered()
    new = distinct_ids(state)
    entries = [*solutions, *state.entries.values(), *state.tuned.values()]
    rows = []
    for entry in entries:
        row: dict[str, Any] = {"id": entry.id, "kind": entry.kind, "name": entry.name, "status": entry.status}
        for which in ("validation", "holdout"):
            scores = entry.scores.get(which)
            gain = ranking.mean_gain(problem, state, entry, which)
            row[which] = "" if scores is None else f"{scores.mean:.6f}"
            row[f"{which}_gain"] = "" if gain is None else f"{gain:.4f}"
        row["distinct"] = (
            ("true" if entry.id in new else "false") if entry.kind == "solution" and entry.ok else ""
        )
        row["state_bytes"] = "" if entry.state_bytes is None else str(entry.state_bytes)
        rows.append(row)
    rows.sort(
        key=lambda r: (
            r["validation_gain"] == "",
            -float(r["validation_gain"] or 0),
            r["kind"],
            ranking.in_order(r["id"]),
        )
    )
    return rows


def distinct_ids(state: RunState) -> set[str]:
    """Ids of the solutions that were new when they appeared."""
    done = state.executable()
    if not done:
        return set()
    embeddings = np.stack([s.scores["feedback"].values for s in done])
    new = diversity.distinct(embeddings, [s.structure for s in done])
    return {s.id for s, is_new in zip(done, new, strict=True) if is_new}


def summary(problem: Problem, state: RunState, run: str) -> dict[str, Any]:
    """summary.json."""
    done = state.executable()
    account = accounting.account(problem, state)
    seed = int(state.config.get("seed", 0))
    return {
        "problem": problem.version,
        "run": run,
        "ended": state.ended,
        "metric": {
            "name": problem.metric.name,
            "unit": problem.metric.unit,
            "direction": "max" if problem.metric.maximise else "min",
            "gain": problem.metric.gain,
        },
        "solutions": {
            "requested": state.requested,
            "attempted": len(state.solutions),
            "executable": len(done),
            "distinct": account["distinct"][diversity.label(diversity.TOLERANCE)],
            "failed": state.failures(),
            "rejected": spared(state)[0],
        },
        "best": _best(problem, state, seed),
        "baselines": {e.id: _figures(problem, state, e) for e in [*state.rivals(), *state.bounds()]},
        "diversity": account,
        "cost": _cost(state),
        "timing": _timing(state),
    }


def _figures(problem: Problem, state: RunState, entry: Entry) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": entry.kind, "status": entry.status}
    for which in ("validation", "holdout"):
        scores = entry.scores.get(which)
        out[which] = None if scores is None else round(scores.mean, 6)
        gain = ranking.mean_gain(problem, state, entry, which)
        out[f"{which}_gain"] = None if gain is None else round(gain, 4)
    return out


def _best(problem: Problem, state: RunState, seed: int) -> dict[str, Any] | None:
    entry = ranking.best(problem, state)
    if entry is None:
        return None
    out = {"id": entry.id, "name": entry.name, **_figures(problem, state, entry)}
    which = "holdout" if "holdout" in entry.scores else "validation"
    own = ranking.gains(problem, state, entry, which)
    out["ci95"] = None if own is None else [round(x, 4) for x in ranking.interval(own, seed)]
    out["shifts"] = {
        name.removeprefix(SHIFT): round(gain, 4)
        for name in entry.scores
        if name.startswith(SHIFT) and (gain := ranking.mean_gain(problem, state, entry, name)) is not None
    }
    rival = ranking.opponent(problem, state)
    theirs = None if rival is None else ranking.gains(problem, state, rival, which)
    if rival is not None and own is not None and theirs is not None:
        low, high = ranking.interval(own - theirs, seed)
        out["against"] = {
            "baseline": rival.id,
            "set": which,
            "difference": round(float((own - theirs).mean()), 4),
            "ci95": [round(low, 4), round(high, 4)],
            "better": low > 0,
            "worse_on": int((own < theirs).sum()),
            "workloads": len(own),
        }
    if (simplified := simplified_of(entry)) is not None:
        out["simplified"] = simplified
    return out


def _cost(state: RunState) -> dict[str, Any]:
    costs = [c["cost_usd"] for c in state.calls]
    unknown = any(c is None for c in costs)
    spent = state.spent or Totals(
        completions=len(costs),
        tokens_in=sum(c["tokens_in"] for c in state.calls),
        tokens_out=sum(c["tokens_out"] for c in state.calls),
        cost_usd=0.0 if unknown else sum(costs),
        unknown_price=int(unknown),
    )
    return {
        "usd": "unknown" if spent.unknown_price else round(spent.cost_usd, 6),
        "calls": spent.calls,
        "unanswered": spent.lost,
        "in_flight_at_kill": {
            "calls": spent.killed,
            "tokens": spent.killed_tokens,
            "usd": "unknown" if spent.killed and spent.unknown_price else round(spent.killed_usd, 6),
        },
        "tokens_in": spent.tokens_in,
        "tokens_out": spent.tokens_out,
        "by_waypoint": {
            purpose: {
                "calls": len(rows),
                "tokens_in": sum(c["tokens_in"] for c in rows),
                "tokens_out": sum(c["tokens_out"] for c in rows),
            }
            for purpose, rows in _by_purpose(state.calls).items()
        },
    }


def _by_purpose(calls: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        out.setdefault(call["purpose"], []).append(call)
    return out


def _timing(state: RunState) -> dict[str, Any]:
    stages: dict[str, float] = {}
    for entry in state.ordered():
        for stage, seconds in entry.seconds.items():
            stages[stage] = stages.get(stage, 0.0) + seconds
    latencies = [c["latency_s"] for c in state.calls]
    return {
        "seconds": round(state.seconds, 3),
        "llm_seconds": round(sum(latencies), 3),
        "scoring_seconds": round(sum(stages.values()), 3),
        "scoring_by_stage": {k: round(v, 3) for k, v in stages.items()},
        "scoring_spared": round(spared(state)[1], 3),
        "worker_peak_mb": max(
            (entry.peak_mb for entry in (*state.ordered(), *state.entries.values())), default=0.0
        ),
    }


def write_results(problem: Problem, state: RunState, folder: Path) -> None:
    """Write leaderboard.csv, timings.csv and summary.json."""
    write_atomically(folder / "leaderboard.csv", _csv(LEADERBOARD, leaderboard(problem, state)))
    write_atomically(folder / "timings.csv", _csv(TIMINGS, _timing_rows(state)))
    write_atomically(folder / "summary.json", _json(summary(problem, state, folder.name)))


TIMINGS = (
    "id",
    "kind",
    "ns_per_decision",
    "check_s",
    "compile_s",
    "probe_s",
    "score_s",
    "tokens_in",
    "tokens_out",
    "cost_usd",
)


def _timing_rows(state: RunState) -> list[dict[str, Any]]:
    by_solution: dict[str, list[dict[str, Any]]] = {}
    for call in state.calls:
        number, _, rest = call["key"].partition("/")
        if rest and number.isdigit():
            by_solution.setdefault(f"s{int(number):04d}", []).append(call)
    rows = []
    for entry in [*state.ordered(), *state.entries.values(), *state.tuned.values()]:
        seconds = entry.seconds
        nanoseconds = entry.decision_ns
        calls = by_solution.get(entry.id, [])
        costs = [c["cost_usd"] for c in calls]
        row = {
            "id": entry.id,
            "kind": entry.kind,
            "ns_per_decision": "" if nanoseconds is None else f"{nanoseconds:.1f}",
            **{f"{k}_s": f"{seconds[k]:.4f}" if k in seconds else "" for k in ("check", "compile", "probe")},
            "score_s": f"{sum(v for k, v in seconds.items() if k.startswith('score')):.4f}"
            if seconds
            else "",
            "tokens_in": sum(c["tokens_in"] for c in calls) if calls else "",
            "tokens_out": sum(c["tokens_out"] for c in calls) if calls else "",
            "cost_usd": ("unknown" if None in costs else f"{sum(costs):.6f}") if calls else "",
        }
        rows.append(row)
    return rows


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def begun(folder: Path) -> dict[str, Any]:
    """The event with which a run began: ``config``, and what wrote it (``metamuse``, ``problem``: versions).

    Raises:
        UsageError: There is none, or this version of MetaMuse cannot read what follows it.
    """
    event = next(read(folder / "journal.jsonl"), None)
    if event is None:
        raise UsageError(f"{folder} holds nothing: its run ended before it began; begin a new one.")
    if event["event"] != "run":
        raise UsageError(f"The journal of {folder} does not begin with a run; it cannot be read.")
    if event.get("format", FORMAT) != FORMAT:
        raise UsageError(
            f"{folder} was written by MetaMuse {event.get('metamuse')} in format {event['format']} of the "
            f"journal, and this version reads format {FORMAT}; use that version for it."
        )
    return event


def recorded_config(folder: Path) -> dict[str, Any]:
    """The configuration a run was begun with.

    Raises:
        UsageError: See :func:`begun`.
    """
    config: dict[str, Any] = begun(folder)["config"]
    return config


def root_of(folder: Path, otherwise: Path) -> Path:
    """The folder of runs that a run directory lies in; ``otherwise`` if it was moved out of one."""
    inside = folder.resolve().parent.name == begun(folder)["config"]["problem"]["name"]
    return folder.parent.parent if inside else otherwise
