"""``compare arms=… seeds=…``: ways to search at equal budget, side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from metamuse import config
from metamuse.cli import Invocation
from metamuse.errors import UsageError

#: Settings that may change when a comparison goes on.
CHANGEABLE = (
    "run=",
    "root=",
    "executor.workers=",
    "llm.concurrency=",
    "llm.timeout_s=",
    "llm.max_retries=",
    "quiet=",
)


def run(invocation: Invocation) -> int:
    """Begin a comparison, or go on with one, and print its table."""
    settings = config.compose(invocation.overrides)
    from metamuse.compare import plan as plans
    from metamuse.compare import result, words
    from metamuse.compare.work import Comparison

    root = Path(settings["root"])
    if settings["run"] is None:
        plan = plans.make(invocation.overrides)
        if settings["dry_run"]:
            return _dry_run(plan, invocation)
        _try_out(plan)
        folder = plans.create(root, plan.first["problem"]["name"])
        plan.save(folder)
    else:
        folder = plans.find(root, str(settings["run"]))
        plan = _changed(plans.Plan.load(folder), invocation.overrides, settings)
    quiet = invocation.quiet or invocation.json or bool(settings["quiet"])
    comparison = Comparison(
        plan, folder, (lambda line: None) if quiet else (lambda line: print(line, flush=True))
    )
    code = comparison()
    if code:
        return code
    rows = result.rows(comparison.figures())
    content = words.write(comparison.problem, plan, rows, folder)
    if settings["tracking"]["name"] == "mlflow":
        from metamuse.tracking.comparison import record

        record(settings, comparison.problem.name, folder, content)
    if invocation.json:
        print(json.dumps(content, ensure_ascii=False))
    else:
        print("", words.terminal(comparison.problem, plan, rows), "", folder / "comparison.html", sep="\n")
    runs = [run for row in rows for run in row.runs]
    if not all(run.executable for run in runs):
        return 1
    early = plan.equal == "solutions" and any(run.ended != "done" for run in runs)
    return 3 if early else 0


def _try_out(plan: Any) -> None:
    """Whether every arm could be run, before any is."""
    from metamuse.run import Run

    for name, settings in plan.arms.items():
        try:
            Run(settings, quiet=True)
        except UsageError as error:
            raise UsageError(f"arm {name}: {error}") from None


def _dry_run(plan: Any, invocation: Invocation) -> int:
    from metamuse.estimate import dry_run, sentences
    from metamuse.run import Run

    figures = {name: dry_run(Run(settings, quiet=True)) for name, settings in plan.arms.items()}
    if invocation.json:
        print(json.dumps({"seeds": list(plan.seeds), "arms": figures}))
        return 0
    for name, figure in figures.items():
        print(f"{name}, each of {len(plan.seeds)} seeds:", sentences(figure), "", sep="\n")
    return 0


def _changed(plan: Any, overrides: list[str], settings: dict[str, Any]) -> Any:
    """The plan with what may change when a comparison goes on.

    Raises:
        UsageError: Something else is to change.
    """
    for override in overrides:
        if not override.startswith(CHANGEABLE):
            raise UsageError(f"{override} cannot change when a comparison goes on; begin a new one.")
        group, _, key = override.partition("=")[0].partition(".")
        if key:
            for arm in plan.arms.values():
                arm[group][key] = settings[group][key]
    return plan
