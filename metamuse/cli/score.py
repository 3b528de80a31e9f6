"""``score policy=… workloads=… [out=…]``: score policies and baselines, and write what they measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    out = _folder(settings)
    rows = score(settings, sources, {"given": str(settings["workloads"])}, out=out)
    for row in rows:
        del row["set"]
    if out is not None and not any(row.get("files") for row in rows):
        raise UsageError(
            f"out={out}: there is nothing to write; problem={problem.name} has no results of these workloads."
        )
    if invocation.json:
        print(json.dumps({"problem": problem.version, "results": rows}))
    else:
        print_scores(problem, rows)
        for row in rows:
            if row.get("lines"):
                print("\n" + "\n".join([f"{row['policy']} on {row['lines'][0]}", *row["lines"][1:]]))
        if out is not None:
            print(f"\nWhat was measured: {out}")
    return 0 if all(row["status"] == "ok" for row in rows) else 1


def _folder(settings: dict[str, Any]) -> Path | None:
    """The folder that results go to.

    Raises:
        UsageError: It holds something, and is not to be overwritten.
    """
    if settings["out"] is None:
        return None
    out = Path(str(settings["out"]))
    if out.exists() and not out.is_dir():
        raise UsageError(f"out={out} is a file; name a folder.")
    if out.is_dir() and any(out.iterdir()) and not config.switch(settings, "overwrite"):
        raise UsageError(
            f"out={out} is not empty; name another folder, or add overwrite=true to replace files of the same names."
        )
    return out
