"""The record of a run on a real MLflow server with PostgreSQL and an object store, which is killed meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metamuse import rundir, tracking
from metamuse.errors import UsageError
from metamuse.state import RunState
from metamuse.tracking import mlflow_tracker
from metamuse.tracking.mlflow_tracker import MlflowTracker, rebuild
from tests.metamuse.tracking.conftest import wait_for
from tests.support.capabilities import needs
from tests.support.fake_run import FakeProblem, events
from tests.support.mlflow_server import MlflowServer, ObjectStore, PostgreSQL
from tests.support.walking import ROOT

SOLUTIONS = 12

Follow = Callable[[str], tuple[MlflowTracker, RunState, Path, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    import mlflow.tracking  # noqa: F401  # here: two threads must not be the first to import it at once

    database = PostgreSQL()
    yield database
    database.stop()


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    running = MlflowServer(postgresql.uri, str(tmp_path_factory.mktemp("artifacts")))
    yield running
    running.kill()


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Begins to follow a run on a server: the tracker, the state, the run's folder, the events to come."""
    monkeypatch.setattr(mlflow_tracker, "PAUSE_SECONDS", (0.5, 2.0))
    monkeypatch.setattr(mlflow_tracker, "FLUSH_SECONDS", 0.2)
    # The machine may be busy with other things.
    monkeypatch.setattr(mlflow_tracker, "PATIENCE_SECONDS", 240.0)

    def begin(uri: str) -> tuple[MlflowTracker, RunState, Path, list[dict[str, Any]]]:
        all_events = list(events(FakeProblem(), solutions=SOLUTIONS, failing=0.0))
        state = RunState.fold(all_events[:2])
        folder = tmp_path / "fake" / f"r20260101-000000-{tmp_path.name[-8:]}"
        (folder / "solutions").mkdir(parents=True)
        settings = {"tracking": {"name": "mlflow", "uri": uri, "artifacts": None}}
        tracker = MlflowTracker(uri, tracking.artifacts(settings, tmp_path))
        tracker.start(FakeProblem(), state, folder)
        return tracker, state, folder, all_events[2:]

    return begin


def feed(tracker: MlflowTracker, state: RunState, coming: list[dict[str, Any]]) -> None:
    for event in coming:
        state.apply(event)
        tracker.event(state, event)


def finish(tracker: MlflowTracker, state: RunState, folder: Path) -> None:
    for solution in state.ordered():
        rundir.write_solution(folder, solution)
    rundir.write_results(FakeProblem(), state, folder)
    tracker.finish(state)


class Record:
    """What a server has of one run."""

    def __init__(self, uri: str, name: str, problem: str = "fake") -> None:
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(uri)
        found = self.client.get_experiment_by_name(f"metamuse/{problem}")
        self.runs = runs = self.client.search_runs([found.experiment_id]) if found else []
        self.parents = [run for run in runs if run.data.tags.get("metamuse.run") == name]
        ids = {run.info.run_id for run in self.parents}
        self.children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") in ids]

    def steps(self) -> list[int]:
        if not self.parents:
            return []
        (run,) = self.parents
        return sorted(m.step for m in self.client.get_metric_history(run.info.run_id, "executable"))

    def is_complete(self, folder: Path) -> None:
        (run,) = self.parents
        assert run.info.status == "FINISHED"
        assert self.steps() == list(range(SOLUTIONS))
        table = json.loads(
            Path(self.client.download_artifacts(run.info.run_id, "solutions.json")).read_text()
        )
        assert len(table["data"]) == SOLUTIONS
        board = Path(self.client.download_artifacts(run.info.run_id, "leaderboard.csv"))
        assert board.read_bytes() == (folder / "leaderboard.csv").read_bytes()
        assert self.children
        for child in self.children:
            assert child.info.status == "FINISHED"
            names = {artifact.path for artifact in self.client.list_artifacts(child.info.run_id)}
            assert {"policy.py", "workloads.json"} <= names
            experiment = child.info.experiment_id
            assert len(self.client.search_traces(locations=[experiment], run_id=child.info.run_id)) == 1


@needs("postgresql")
@pytest.mark.timeout(900)
def test_a_server_that_is_killed_meanwhile_has_everything_before_the_end(
    server: MlflowServer, follow: Follow
) -> None:
    tracker, state, folder, coming = follow(server.uri)
    half = len(coming) // 2
    feed(tracker, state, coming[:half])
    done = len(state.solutions)
    wait_for(lambda: Record(server.uri, folder.name).steps() == list(range(done)), 240)
    server.kill()
    feed(tracker, state, coming[half:-1])
    wait_for(lambda: tracker.trouble != "", 240)
    server.start()
    wait_for(lambda: len(Record(server.uri, folder.name).steps()) == SOLUTIONS, 240)
    feed(tracker, state, coming[-1:])
    finish(tracker, state, folder)
    assert tracker.trouble == ""
    Record(server.uri, folder.name).is_complete(folder)


@needs("postgresql")
@pytest.mark.timeout(900)
def test_a_server_that_stays_away_gets_it_by_the_command_report(
    server: MlflowServer, follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker, state, folder, coming = follow(server.uri)
    feed(tracker, state, coming[:10])
    wait_for(lambda: bool(Record(server.uri, folder.name).parents), 240)
    server.kill()
    feed(tracker, state, coming[10:])
    finish(tracker, state, folder)
    told = capsys.readouterr().err
    assert told.startswith("metamuse: The MLflow record of this run is incomplete: ")
    assert f"python -m metamuse report run={folder} writes it again" in told
    with pytest.raises(UsageError, match="cannot be written to http://"):
        rebuild(server.uri, None, FakeProblem(), state, folder)
    server.start()
    rebuild(server.uri, None, FakeProblem(), state, folder)
    Record(server.uri, folder.name).is_complete(folder)


@needs("postgresql")
@pytest.mark.timeout(900)
def test_a_whole_search_is_on_the_server_that_was_killed_meanwhile(
    server: MlflowServer, tmp_path: Path
) -> None:
    small = "search.finalists=1 search.tune_trials=1 search.simplify_trials=0 problem.baselines=best_fit,first_fit"
    command = [sys.executable, "-m", "metamuse", "problem=binpacking", "solutions=6", *small.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, f"tracking.uri={server.uri}"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        wait_for(lambda: bool(Record(server.uri, "", "binpacking").runs) or run.poll() is not None, 240)
        server.kill()
        server.start()
        _, said = run.communicate(timeout=600)
    assert run.returncode == 0, said
    assert "record of this run is incomplete" not in said
    (folder,) = (tmp_path / "runs" / "binpacking").glob("r*")
    record = Record(server.uri, folder.name, "binpacking")
    assert record.steps() == list(range(6))
    (parent,) = record.parents
    assert parent.info.status == "FINISHED" and record.children
    board = Path(record.client.download_artifacts(parent.info.run_id, "leaderboard.csv"))
    assert board.read_bytes() == (folder / "leaderboard.csv").read_bytes()


@needs("postgresql", "s3")
@pytest.mark.timeout(900)
def test_a_database_and_an_object_store_without_a_server(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObjectStore()
    try:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        settings = {"tracking": {"name": "mlflow", "uri": postgresql.uri, "artifacts": "s3://runs/metamuse"}}
        tracking.check(settings)
        problem = FakeProblem()
        problem.name = "stored"  # the experiment of the other tests has its place already
        state = RunState.fold(events(problem, solutions=SOLUTIONS, failing=0.0))
        folder = tmp_path / "stored" / "r20260101-000000-s3"
        (folder / "solutions").mkdir(parents=True)
        rundir.write_results(problem, state, folder)
        rebuild(postgresql.uri, tracking.artifacts(settings, tmp_path), problem, state, folder)
        from mlflow.tracking import MlflowClient

        client = MlflowClient(postgresql.uri)
        experiment = client.get_experiment_by_name("metamuse/stored")
        assert experiment.artifact_location == "s3://runs/metamuse/stored/mlflow-artifacts"
        (run,) = [r for r in client.search_runs([experiment.experiment_id]) if "metamuse.run" in r.data.tags]
        board = Path(client.download_artifacts(run.info.run_id, "leaderboard.csv"))
        assert board.read_bytes() == (folder / "leaderboard.csv").read_bytes()
    finally:
        store.kill()
