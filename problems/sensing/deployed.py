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
from evaluators.sensing.seasons import Season, drawn_seasons, recorded_seasons
from evaluators.sensing.simulator import Measured
from problems.base import Results
from problems.sensing import results

#: Drawn seasons that ``score`` lets a deployment run through.
_READ = 4


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


def deployed(
    deployment: Deployment, which: str, seed: int, records: bool, n: int | None = None
) -> list[Deployed]:
    """Seasons of a deployment: of her records if wanted and given, else (n) drawn for a set."""
    # Here, and not only where it is used: a policy's process may not read files, and scipy is many.
    importlib.import_module("scipy.io")
    wanted = records and deployment.records is not None
    found = recorded_seasons(deployment) if wanted else drawn_seasons(deployment, which, seed, n)
    return [Deployed(season) for season in found]


def load(path: str, seed: int) -> list[Deployed]:
    """The seasons of a file: of her records, or else as many drawn ones as a person reads about."""
    return deployed(read_deployment(path), "holdout", seed, True, _READ)


def with_goals(policy: Policy, loop: Any, workload: Deployed) -> Score:
    """The score, with ``goals_asked`` and ``goals_met`` in its details: of what she wrote down and the season can show."""
    score, outcome, world = simulator.run(policy, loop, workload)
    judgements = judged(workload, world, outcome, workload.wishes)
    verdicts = [v for v in judgements if v.wish.asked and v.measured is not None]
    goals = {"goals_asked": float(len(verdicts)), "goals_met": float(sum(v.met for v in verdicts))}
    return replace(score, details={**score.details, **goals})


def written(policy: Policy, loop: Any, workload: Deployed) -> Results:
    """What the policy measures on a season, as files, and in words."""
    _, outcome, world = simulator.run(policy, loop, workload)
    verdicts = judged(workload, world, outcome, workload.wishes)
    made = results.files(workload.season, workload, world, outcome, verdicts)
    return Results(made, results.short(workload.season, outcome, verdicts))
