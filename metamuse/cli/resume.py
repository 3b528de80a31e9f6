"""``resume run=…``: go on with a run from its journal."""

from __future__ import annotations

import sys
from pathlib import Path

from metamuse import config, rundir
from metamuse.cli import Invocation
from metamuse.errors import UsageError

#: Settings that may change when a run goes on; everything else is the run's own.
CHANGEABLE = (
    "run=",
    "root=",
    "executor.",
    "llm.concurrency=",
    "llm.timeout_s=",
    "llm.max_retries=",
    "budget.",
    "quiet=",
    "solutions=",
    "tracking",
)


def run(invocation: Invocation) -> int:
    """Go on with a run."""
    settings = config.compose(invocation.overrides)
    if settings["run"] is None:
        raise UsageError("resume needs run=<path or name of a run, or latest>.")
    for override in invocation.overrides:
        if not override.startswith(CHANGEABLE):
            raise UsageError(f"{override} cannot change when a run goes on; begin a new run.")
    folder = rundir.find(Path(settings["root"]), str(settings["run"]))
    recorded = rundir.recorded_config(folder)
    for override in invocation.overrides:
        key = override.partition("=")[0]
        _copy(settings, recorded, key.split("."))
    recorded["root"] = str(folder.parent.parent)
    from metamuse.run import Run

    work = Run(recorded, folder, quiet=invocation.quiet or invocation.json or bool(settings["quiet"]))
    code = work()
    if invocation.json:
        sys.stdout.write((folder / "summary.json").read_text(encoding="utf-8"))
    return code


def _copy(source: dict, target: dict, path: list[str]) -> None:  # type: ignore[type-arg]  # any nested mapping
    for part in path[:-1]:
        source, target = source[part], target[part]
    target[path[-1]] = source[path[-1]]
