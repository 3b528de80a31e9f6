"""A scientist's deployment as workloads, with her goals measured beside the score."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from evaluators.base import Policy, Score
from evaluators.sensing import simulator
from evaluators.sensing.deployment import Deployment, read_deployment
from evaluators.sensing.goals import judged, usual
from evaluators.sensing.seasons import Season, drawn_seasons, seasons
from evaluators.sensing.simulator import Measured
from problems.base import Results
from problems.sensing import results


class Deployed(Measured):
    """A season of a deployment.

    Attributes:
        season: What it stands for.
        wishes: All goals: hers, and those that nobody asked for, with their usual values.
    """

    def __init__(self, season: Season) -> None:
        super().__init__(season.scenario)
        self.season = season
        asked = season.deployment.goals
        self.wishes = [*asked, *usual(asked)]


def is_deployment(path: str) -> bool:
    """Whether a path names a deployment file and not a table."""
    return PurePath(path).suffix.lower() in (".yaml", ".yml")


def deployed(deployment: Deployment, which: str, seed: int, records: bool) -> list[Deployed]:
    """Seasons of a deployment: of her records if wanted and given, else drawn for a set."""
    # Here, and not only where it is used: a policy's process may not read files, and scipy is many.
    importlib.import_module("scipy.io")
    found = seasons(deployment, which, seed) if records else drawn_seasons(deployment, which, seed)
    return [Deployed(season) for season in found]


def load(path: str, seed: int) -> list[Deployed]:
    """The seasons of a file: of her records, or else those that are drawn for the hold-out set."""
    return deployed(read_deployment(path), "holdout", seed, True)


def with_goals(policy: Policy, loop: Any, workload: Deployed) -> Score:
    """The score, with ``goals_asked`` and ``goals_met`` in its details (of the goals that she wrote down)."""
    score, outcome, world = simulator.run(policy, loop, workload)
    verdicts = [v for v in judged(workload, world, outcome, workload.wishes) if v.wish.asked]
    goals = {"goals_asked": float(len(verdicts)), "goals_met": float(sum(v.met for v in verdicts))}
    return replace(score, details={**score.details, **goals})


def written(policy: Policy, loop: Any, workload: Deployed) -> Results:
    """What the policy measures on a season, as files, and in words."""
    _, outcome, world = simulator.run(policy, loop, workload)
    verdicts = judged(workload, world, outcome, workload.wishes)
    made = results.files(workload.season, workload, world, outcome, verdicts)
    return Results(made, results.summary(workload.season, outcome, verdicts))
