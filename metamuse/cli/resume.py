"""``resume run=…``: go on with a run from its journal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from metamuse import __version__, config, rundir
from metamuse.cli import Invocation
from metamuse.errors import UsageError, tell

#: Settings of an executor that have a part in what becomes of a candidate: they stay when the executor changes.
LIMITS = ("wall_s", "trusted_wall_s", "memory_mb", "sandbox")
#: Settings that may change when a run goes on; everything else is the run's own.
CHANGEABLE = (
    "run=",
    "root=",
    "executor=",
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
    begun = rundir.begun(folder)
    recorded = _completed(begun["config"])
    for override in sorted(invocation.overrides):
        key = override.partition("=")[0]
        if key == "executor":
            kept = {name: recorded["executor"][name] for name in LIMITS}
            recorded["executor"] = settings["executor"] | kept
            continue
        _copy(settings, recorded, key.split("."))
    recorded["root"] = str(rundir.root_of(folder, Path(settings["root"])))
    from metamuse.run import Run

    work = Run(recorded, folder, quiet=invocation.quiet or invocation.json or bool(settings["quiet"]))
    _compare(begun, work.problem.version)
    code = work()
    if invocation.json:
        sys.stdout.write((folder / "summary.json").read_text(encoding="utf-8"))
    return code


def _completed(recorded: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a run, with the defaults of settings that did not exist when it began."""
    groups = {
        "problem": recorded["problem"]["name"],
        "llm": recorded["llm"]["provider"],
        "stimuli": recorded["stimuli"]["strategy"],
        "executor": recorded["executor"]["name"],
        "tracking": recorded["tracking"]["name"],
    }
    return _over(config.compose([f"{group}={name}" for group, name in groups.items()]), recorded)


def _over(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    out = defaults | given
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(defaults.get(key), dict):
            out[key] = _over(defaults[key], value)
    return out


def _compare(begun: dict[str, Any], problem: str) -> None:
    """Whether a run can go on with this version of MetaMuse.

    Raises:
        UsageError: Its problem is another one now.
    """
    then = begun.get("problem", problem)
    if then != problem:
        raise UsageError(
            f"This run began with {then}, and this version of MetaMuse has {problem}: their scores do not "
            "compare. Begin a new run, or go on with the old version."
        )
    version = begun.get("metamuse", __version__)
    if version != __version__:
        tell(f"This run began with MetaMuse {version} and goes on with {__version__}.")


def _copy(source: dict, target: dict, path: list[str]) -> None:  # type: ignore[type-arg]  # any nested mapping
    for part in path[:-1]:
        source, target = source[part], target[part]
    target[path[-1]] = source[path[-1]]
