"""``runs``: the runs, newest last."""

from __future__ import annotations

import json
from pathlib import Path

from metamuse import config
from metamuse.cli import Invocation
from metamuse.cli.tables import table


def run(invocation: Invocation) -> int:
    """List the runs under ``root`` with what their summaries say."""
    settings = config.compose(invocation.overrides)
    found = []
    for path in sorted(Path(settings["root"]).glob("*/r*/summary.json"), key=lambda p: p.parent.name):
        found.append(json.loads(path.read_text(encoding="utf-8")) | {"path": str(path.parent)})
    if invocation.json:
        print(json.dumps({"runs": found}))
        return 0
    rows = []
    for item in found:
        best = item["best"] or {}
        gain = best.get("holdout_gain")
        gain = best.get("validation_gain") if gain is None else gain
        solutions = item["solutions"]
        rows.append(
            [
                item["run"],
                item["problem"],
                f"{solutions['executable']}/{solutions['requested']}",
                best.get("id", ""),
                "" if gain is None else f"{gain:.2f}",
                item["ended"] or "not finished",
            ]
        )
    print(
        table(["run", "problem", "executable", "best", "gain %", "ended"], rows, {2, 4})
        if rows
        else f"no runs under {settings['root']}"
    )
    return 0
