"""What is told of a run to a tracker: flat parameters, tags and tables, whatever the tracker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from metamuse import ranking, rundir
from metamuse.state import Entry, RunState
from problems.base import SETS, Problem

#: Parameters a reader looks for first, in this order.
FIRST = (
    "problem.name",
    "llm.provider",
    "llm.model",
    "llm.code_model",
    "solutions",
    "seed",
    "stimuli.strategy",
)
PARAMETER_LENGTH = 500
#: Rows a table of solutions: MLflow's UI lays out all rows of a table before it shows one, 2.6 ms and 150 kB each.
PAGE = 1000

Table = dict[str, list[Any]]


def parameters(config: Mapping[str, Any]) -> dict[str, str]:
    """The configuration with dotted keys, the important ones first; values cut to MLflow's length."""
    flat = dict(_flatten(config))
    order = [*(k for k in FIRST if k in flat), *sorted(k for k in flat if k not in FIRST)]
    return {key: _cut(str(flat[key]), PARAMETER_LENGTH) for key in order if flat[key] is not None}


def _flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def recorded(folder: Path) -> dict[str, Any]:
    """``config.yaml`` of a run directory: configuration, provenance, prices, containment; {} without one."""
    path = folder / "config.yaml"
    if not path.is_file():
        return {}
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return content


def tags(problem: Problem, state: RunState, folder: Path) -> dict[str, str]:
    """What identifies a run: problem version, model, seed, commit, containment."""
    config = state.config
    file = recorded(folder)
    llm = config["llm"]
    out = {
        "metamuse.run": folder.name,
        "metamuse.run_dir": str(folder),
        "problem": problem.version,
        "llm": str(llm.get("model") or llm["provider"]),
        "seed": str(config["seed"]),
    }
    provenance = file.get("provenance") or {}
    out |= {key: str(provenance[key]) for key in ("git", "metamuse") if key in provenance}
    if "containment" in file:
        layers = file["containment"]
        out["containment"] = ", ".join(map(str, layers)) if isinstance(layers, list) else str(layers)
    return out


def solutions(problem: Problem, state: RunState) -> Iterator[tuple[str, Table]]:
    """All solutions, best first by validation, those without a score last: tables of :data:`PAGE` rows and file names."""
    new = rundir.distinct_ids(state)
    scored = ranking.ranked(problem, state, state.ordered())
    have = {entry.id for entry in scored}
    rows = []
    for entry in [*scored, *(e for e in state.ordered() if e.id not in have)]:
        rows.append(
            {
                "id": entry.id,
                "name": entry.name,
                "status": entry.status,
                "message": entry.message,
                **_figures(problem, state, entry),
                "distinct": entry.id in new,
                "attempts": entry.attempts,
                "stimuli": ", ".join(entry.data.get("stimuli", [])),
                "target": entry.data.get("target"),
            }
        )
    for begin in range(0, len(rows), PAGE):
        name = f"solutions-{begin + 1:05d}.json" if begin else "solutions.json"
        yield name, _columns(rows[begin : begin + PAGE])


def rivals(problem: Problem, state: RunState) -> Table:
    """Baselines and the incumbent, as they are and tuned, and bounds."""
    rows = [
        {
            "id": e.id,
            "kind": e.kind,
            "status": e.status,
            **_figures(problem, state, e),
            "state_bytes": e.state_bytes,
        }
        for e in [*state.rivals(), *state.bounds()]
    ]
    return _columns(rows)


def by_workload(problem: Problem, state: RunState, entry: Entry) -> Table:
    """The metric of one entry and its gain on every workload."""
    rows = []
    for which, scores in entry.scores.items():
        gains = ranking.gains(problem, state, entry, which)
        for i, (name, value) in enumerate(zip(scores.workloads, scores.values, strict=True)):
            gain = None if gains is None else float(gains[i])
            rows.append({"set": which, "workload": name, problem.metric.name: float(value), "gain": gain})
    return _columns(rows)


def finalists(state: RunState) -> list[Entry]:
    """Solutions, as they are and tuned, that were scored on the hold-out set."""
    return [s for s in state.contenders() if "holdout" in s.scores]


def outcome(entry: Entry, figures: Mapping[str, float]) -> dict[str, Any]:
    """What came of a solution's way: its design and figures."""
    return {"name": entry.name, "design": entry.data.get("design"), **figures}


def model_name(problem: Problem) -> str:
    """Under which name winners are registered: one for each version of a problem, whose scores compare."""
    return f"metamuse-{problem.version}"


def winner_tags(problem: Problem, state: RunState, best: Entry) -> dict[str, str]:
    """What identifies a registered winner: run, solution, who proposed it, gains in percent."""
    llm = state.config["llm"]
    out = {"solution": best.id, "policy": best.name, "llm": str(llm.get("model") or llm["provider"])}
    for which in ("validation", "holdout"):
        gain = ranking.mean_gain(problem, state, best, which)
        if gain is not None:
            out[f"{which}_gain"] = f"{gain:.4f}"
    return out


def figures(problem: Problem, state: RunState, entry: Entry) -> dict[str, float]:
    """Mean metric and mean gain by set, for the sets an entry was scored on."""
    return {k: v for k, v in _figures(problem, state, entry).items() if v is not None}


def _figures(problem: Problem, state: RunState, entry: Entry) -> dict[str, float | None]:
    out: dict[str, float | None] = {}
    for which in SETS:
        out[which] = entry.scores[which].mean if which in entry.scores else None
        out[f"{which}_gain"] = ranking.mean_gain(problem, state, entry, which)
    return out


def _columns(rows: list[dict[str, Any]]) -> Table:
    return {key: [row[key] for row in rows] for key in rows[0]} if rows else {}
