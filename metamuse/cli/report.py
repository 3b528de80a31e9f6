"""``report run=…``: write a run's report and tables again from its journal."""

from __future__ import annotations

from pathlib import Path

from metamuse import config, rundir
from metamuse.cli import Invocation
from metamuse.errors import UsageError


def run(invocation: Invocation) -> int:
    """Rebuild the derived files of a run (and, with tracking, its record in MLflow)."""
    settings = config.compose(invocation.overrides)
    if settings["run"] is None:
        raise UsageError("report needs run=<path or name of a run, or latest>.")
    folder = rundir.find(Path(settings["root"]), str(settings["run"]), invocation.problem)
    from metamuse.build import make_problem
    from metamuse.journal import at_work, read
    from metamuse.llm import CompletionStore
    from metamuse.report.html import write_report
    from metamuse.state import RunState

    problem = make_problem(rundir.recorded_config(folder))
    state = RunState.fold(read(folder / "journal.jsonl"))
    completions = folder / "completions.jsonl"
    if completions.is_file():
        with CompletionStore(completions, read_only=True, at_work=at_work(folder)) as store:
            state.spent = store.totals
    for solution in [*state.ordered(), *(e for e in state.tuned.values() if e.discovered)]:
        rundir.write_solution(folder, solution)
    rundir.write_results(problem, state, folder)
    write_report(problem, state, folder)
    recorded = rundir.recorded_config(folder)
    if recorded["tracking"]["name"] == "mlflow" and settings["tracking"]["name"] == "mlflow":
        from metamuse.tracking import artifacts, database
        from metamuse.tracking.mlflow_tracker import rebuild

        root = rundir.root_of(folder, Path(settings["root"]))
        here = {key: value for key, value in settings["tracking"].items() if value is not None}
        tracking = {"tracking": recorded["tracking"] | here}
        rebuild(database(tracking, root), artifacts(tracking, root), problem, state, folder)
    print(folder / "report.html")
    return 0
