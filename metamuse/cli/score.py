"""``score policy=… workloads=…``: score policies and baselines."""

from __future__ import annotations

import json

from metamuse import config
from metamuse.cli import Invocation
from metamuse.cli.tables import print_scores
from metamuse.errors import UsageError


def run(invocation: Invocation) -> int:
    """Score, print, and say by the exit code whether everything could be scored."""
    settings = config.compose(invocation.overrides)
    if settings["policy"] is None or settings["workloads"] is None:
        raise UsageError("score needs policy=<baseline or file> and workloads=<path, glob or comma list>.")
    from metamuse.build import make_problem
    from metamuse.scoring import policies, score

    problem = make_problem(settings)
    sources = policies(problem, str(settings["policy"]))
    rows = score(settings, sources, {"given": str(settings["workloads"])})
    for row in rows:
        del row["set"]
    if invocation.json:
        print(json.dumps({"problem": problem.version, "results": rows}))
    else:
        print_scores(problem, rows)
    return 0 if all(row["status"] == "ok" for row in rows) else 1
