"""``baselines``: all baselines and bounds on the configured workloads."""

from __future__ import annotations

import json

from metamuse import config
from metamuse.cli import Invocation
from metamuse.cli.tables import print_means


def run(invocation: Invocation) -> int:
    """Score all baselines, as they are and tuned, and bounds on feedback, validation and hold-out workloads."""
    settings = config.compose(invocation.overrides)
    from metamuse.build import make_problem, read_incumbent
    from metamuse.scoring import score

    problem = make_problem(settings)
    sources: dict[str, str | None] = {**problem.rivals, **dict.fromkeys(problem.bounds)}
    incumbent = read_incumbent(settings)
    if incumbent is not None:
        sources["incumbent"] = incumbent
    rows = score(settings, sources, {"feedback": None, "validation": None, "holdout": None}, study=True)
    if invocation.json:
        print(json.dumps({"problem": problem.version, "results": rows}))
    else:
        print_means(problem, rows)
    return 0 if all(row["status"] == "ok" for row in rows) else 1
