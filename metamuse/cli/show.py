"""``show run=… solution=…``: one solution from stimulus to score."""

from __future__ import annotations

import json
from pathlib import Path

from metamuse import config, ranking, rundir
from metamuse.cli import Invocation
from metamuse.errors import UsageError
from metamuse.report.simplified import sentences
from metamuse.report.verdict import gain_label


def run(invocation: Invocation) -> int:
    """Print a solution's stimuli, observations, design, code and scores."""
    settings = config.compose(invocation.overrides)
    folder = rundir.find(Path(settings["root"]), str(settings["run"] or "latest"), invocation.problem)
    from metamuse.build import make_problem
    from metamuse.journal import read
    from metamuse.state import RunState

    problem = make_problem(rundir.recorded_config(folder))
    state = RunState.fold(read(folder / "journal.jsonl"))
    wanted = str(settings["solution"] or "best")
    try:
        entry = ranking.best(problem, state) if wanted == "best" else state.entry(wanted)
    except KeyError:
        entry = None
    if entry is None:
        raise UsageError(f"{folder.name} has no solution {wanted}.")
    if invocation.json:
        print(json.dumps(rundir.scores_of(entry) | {"waypoints": entry.data, "policy": entry.source}))
        return 0
    print(f"{entry.id}  {entry.name}  ({folder.name})")
    print(f"status: {entry.status}{': ' + entry.message if entry.message else ''}")
    if entry.of:
        values = ", ".join(f"{name} = {value}" for name, value in (entry.data.get("values") or {}).items())
        print(f"tuned from {entry.of} in {entry.data['trials']} trials: {values}")
    if entry.data.get("stimuli"):
        print(f"\nstimuli: {', '.join(entry.data['stimuli'])}   (target: {entry.data.get('target')})")
    for observation in entry.data.get("observations") or []:
        print(f"  {observation['word']}: {observation['property']} -> {observation['text']}")
    if entry.data.get("design"):
        print("\ndesign")
    for key, text in (entry.data.get("design") or {}).items():
        print(f"  {key}: {text}")
    print("\npolicy\n" + entry.source)
    for sentence in sentences(entry):
        print(sentence)
    for which, scores in entry.scores.items():
        gain = ranking.mean_gain(problem, state, entry, which)
        print(
            f"{which}: mean {problem.metric.name} {scores.mean:.{problem.metric.digits}f}"
            + ("" if gain is None else f", {gain:.2f} % {gain_label(problem)}")
        )
    return 0
