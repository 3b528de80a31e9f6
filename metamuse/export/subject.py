"""What is exported: a solution of a run, a baseline or a file, with all that is known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metamuse import ranking, rundir
from metamuse.build import make_problem, read_policy
from metamuse.errors import UsageError
from metamuse.journal import read
from metamuse.report.verdict import compare, gain_label
from metamuse.state import Entry, RunState
from problems.base import Problem


@dataclass(frozen=True)
class Subject:
    """A policy to export.

    Attributes:
        problem: What it is a policy for.
        id: ``s0007``, the id of a baseline, or the name of a file.
        name: What it is called.
        source: Its text.
        provenance: Where it comes from, one sentence each; the first one says who wrote it.
        scores: What was measured of it, one sentence each.
    """

    problem: Problem
    id: str
    name: str
    source: str
    provenance: list[str] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)

    @property
    def package(self) -> str:
        """A name for a Python package."""
        word = re.sub(r"[^a-z0-9]+", "_", self.id.lower()).strip("_") or "policy"
        return f"{self.problem.name}_{word}"

    @property
    def title(self) -> str:
        """One line without quotes or escapes."""
        words = re.sub(r"[^\w .,()+-]+", " ", self.name).strip()
        what = f"{self.id}, {words}" if words and words != self.id else self.id
        return f"{self.problem.name} policy {what}"


def of_file(settings: dict[str, Any]) -> Subject:
    """The baseline or file that ``policy=`` names.

    Raises:
        UsageError: There is none of that name, or it is a bound.
    """
    problem = make_problem(settings)
    name = str(settings["policy"])
    none = ["No run is named, so nothing is known of its scores; `python -m metamuse score` measures them."]
    if name in problem.baselines:
        return Subject(problem, name, name, problem.baselines[name], [_BASELINE], none)
    if name in problem.bounds:
        raise UsageError(_bound(name))
    if not name.endswith(".py") and "/" not in name:
        known = ", ".join(problem.baselines)
        raise UsageError(f"There is no policy {name}; name a file or one of {known}.")
    stem = Path(name).stem
    written = "It was given as a file; who wrote it is not known to MetaMuse."
    return Subject(problem, stem, stem, read_policy(name), [written], none)


def of_run(folder: Path, wanted: str) -> Subject:
    """A policy of a run.

    Args:
        folder: The run directory.
        wanted: ``best``, or the id of a solution, of a tuned form or of a baseline.

    Raises:
        UsageError: There is none, it failed, or it is a bound.
    """
    recorded = rundir.begun(folder)
    problem = make_problem(recorded["config"])
    state = RunState.fold(read(folder / "journal.jsonl"))
    try:
        entry = ranking.best(problem, state) if wanted == "best" else state.entry(wanted)
    except KeyError:
        entry = None
    if entry is None:
        raise UsageError(f"{folder.name} has no solution {wanted}.")
    if entry.kind == "bound":
        raise UsageError(_bound(entry.id))
    if not entry.ok:
        said = entry.message.splitlines()[0] if entry.message else "no message"
        raise UsageError(
            f"{wanted} of {folder.name} failed ({entry.status}: {said}); there is nothing to export."
        )
    return Subject(
        problem, entry.id, entry.name, entry.source, _provenance(folder, recorded, state, entry),
        _scores(problem, state, entry),
    )  # fmt: skip


_BASELINE = (
    "A baseline that is shipped with MetaMuse: a published rule, written by hand, not found by search."
)


def _bound(name: str) -> str:
    return f"{name} is a bound: it knows the future, so it cannot be exported."


def _provenance(folder: Path, recorded: Mapping[str, Any], state: RunState, entry: Entry) -> list[str]:
    config = recorded["config"]
    versions = recorded.get("provenance") or {}
    written = [_author(config, state, entry)]
    if entry.of:
        values = ", ".join(f"{n} = {v}" for n, v in (entry.data.get("values") or {}).items())
        written.append(f"Its constants were tuned on the validation workloads: {values}.")
    if entry.data.get("stimuli"):
        written.append(f"Stimuli: {', '.join(map(str, entry.data['stimuli']))}.")
    where = f"Run {folder.name}, problem {config['problem']['name']}, seed {config.get('seed')}, arm {config.get('stimuli', {}).get('strategy', 'none')}"
    by = f"MetaMuse {versions.get('metamuse', recorded.get('metamuse', 'unknown'))}"
    git = f" (commit {versions['git']})" if "git" in versions else ""
    written.append(f"{where}; written by {by}{git}.")
    return written


def _author(config: Mapping[str, Any], state: RunState, entry: Entry) -> str:
    if entry.kind == "incumbent":
        return "Given by the user as the incumbent."
    if not entry.discovered:
        return _BASELINE
    llm = config.get("llm", {})
    provider = llm.get("provider")
    number = int((entry.of or entry.id).removeprefix("s"))
    models = sorted(
        {c["model"] for c in state.calls if c["key"].partition("/")[0] == str(number) and c.get("model")}
    )
    named = ", ".join(models) or str(llm.get("model"))
    if provider == "offline":
        return "Composed by MetaMuse's offline composer, which is not an LLM: it recombines known mechanisms."
    if provider == "replay":
        return f"Replayed from the record of another run; written by {named} there."
    if provider == "inbox":
        return f"Written by {named} according to whoever answered the prompts by hand (llm=inbox)."
    return f"Written by the model {named} through {provider}."


def _scores(problem: Problem, state: RunState, entry: Entry) -> list[str]:
    metric = problem.metric
    said = []
    for which, label in (("holdout", "Hold-out"), ("validation", "Validation")):
        scores = entry.scores.get(which)
        if scores is None:
            said.append(f"{label}: not scored.")
            continue
        unit = f" {metric.unit}" if metric.unit else ""
        text = f"{label} ({len(scores.values)} workloads): mean {metric.name} {scores.mean:.{metric.digits}f}{unit}"
        gains = ranking.gains(problem, state, entry, which)
        if gains is not None:
            low, high = ranking.interval(gains, int(state.config.get("seed", 0)))
            text += f", {gains.mean():.2f} % {gain_label(problem)} (95 % interval {low:.2f} to {high:.2f})"
        rival = ranking.opponent(problem, state)
        against = (
            None if rival is None or rival.id == entry.id else compare(problem, state, entry, rival, which)
        )
        said.append(f"{text}." + ("" if against is None else f" It is {against.sentence}."))
    if entry.decision_ns is not None:
        said.append(
            f"Cost: {entry.decision_ns:.0f} ns a decision as bounds-checked machine code in the simulator, the "
            "simulator's own work included."
        )
    if entry.state_bytes is not None:
        said.append(f"State: at most {entry.state_bytes:,} bytes on these workloads.")
    return said
