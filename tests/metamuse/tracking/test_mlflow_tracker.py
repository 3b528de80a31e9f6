"""The record that MLflow keeps of a run."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from metamuse import ranking, rundir, tracking
from metamuse.errors import UsageError
from metamuse.state import RunState
from metamuse.tracking import mlflow_tracker
from metamuse.tracking.mlflow_tracker import MlflowTracker, rebuild
from tests.metamuse.tracking.conftest import wait_for
from tests.support.fake_run import FakeProblem, events

NAME = "r20260101-000000-abcd"


def uri(root: Path) -> str:
    return f"sqlite:///{root}/mlflow.db"


def below(root: Path) -> str:
    return tracking.artifacts({"tracking": {}}, root) or ""


def track(root: Path, state: RunState, coming: list[dict[str, Any]], at: str | None = None) -> MlflowTracker:
    """Follow a run through some events, as the loop does."""
    problem = FakeProblem()
    folder = root / "fake" / NAME
    (folder / "solutions").mkdir(parents=True, exist_ok=True)
    tracker = MlflowTracker(at or uri(root), below(root))
    tracker.start(problem, state, folder)
    for event in coming:
        state.apply(event)
        tracker.event(state, event)
    for solution in state.ordered():
        rundir.write_solution(folder, solution)
    rundir.write_results(problem, state, folder)
    tracker.finish(state)
    return tracker


def begun(all_events: list[dict[str, Any]]) -> RunState:
    return RunState.fold(all_events[:2])


class Record:
    """What MLflow has."""

    def __init__(self, root: Path, database: str = "/mlflow.db") -> None:
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(f"sqlite:///{root}{database}")
        experiment = self.client.get_experiment_by_name("metamuse/fake")
        runs = self.client.search_runs([experiment.experiment_id])
        self.parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
        self.children = [r for r in runs if "mlflow.parentRunId" in r.data.tags]
        self.parent = self.parents[0]

    def history(self, metric: str) -> list[tuple[int, float]]:
        rows = self.client.get_metric_history(self.parent.info.run_id, metric)
        return sorted((m.step, m.value) for m in rows)

    def table(self, run: Any, name: str) -> dict[str, Any]:
        path = self.client.download_artifacts(run.info.run_id, name)
        table: dict[str, Any] = json.loads(Path(path).read_text())
        return table


def test_the_record_of_a_run(root: Path) -> None:
    problem = FakeProblem()
    all_events = list(events(problem, solutions=20))
    state = begun(all_events)
    tracker = track(root, state, all_events[2:])
    assert tracker.trouble == ""
    record = Record(root)
    assert len(record.parents) == 1
    parent = record.parent
    assert parent.info.run_name == NAME
    assert parent.info.status == "FINISHED"
    assert parent.data.params["search.lag"] == "4"
    assert parent.data.tags["problem"] == "fake-v3"
    assert "not a discovery by an LLM" in parent.data.tags["mlflow.note.content"]

    best = ranking.best(problem, state)
    assert best is not None
    gains = [ranking.mean_gain(problem, state, s, "validation") for s in state.ordered()]
    assert record.history("usefulness") == [
        (i, pytest.approx(g)) for i, g in enumerate(gains) if g is not None
    ]
    assert record.history("executable")[-1] == (19, len(state.executable()))
    assert record.history("distinct")[-1] == (19, len(rundir.distinct_ids(state)))
    assert record.history("best_validation_gain")[-1][1] == pytest.approx(
        max(g for g in gains if g is not None)
    )
    assert parent.data.metrics["best_holdout_gain"] == pytest.approx(
        ranking.mean_gain(problem, state, best, "holdout")
    )

    table = record.table(parent, "solutions.json")
    assert sorted(row[0] for row in table["data"]) == [s.id for s in state.ordered()]
    assert table["data"][0][0] == ranking.ranked(problem, state, state.ordered())[0].id
    assert len(record.table(parent, "baselines.json")["data"]) == 4
    assert sorted(d.dataset.name for d in parent.inputs.dataset_inputs) == [
        "fake feedback",
        "fake holdout",
        "fake validation",
    ]

    finalists = [s for s in state.ordered() if "holdout" in s.scores]
    assert {c.info.run_name for c in record.children} == {f"{s.id} {s.name}" for s in finalists}
    child = next(c for c in record.children if c.data.tags["solution"] == best.id)
    assert child.data.metrics["holdout"] == pytest.approx(best.scores["holdout"].mean)
    names = {a.path for a in record.client.list_artifacts(child.info.run_id)}
    assert names == {"workloads.json", "policy.py", "waypoints.json", "design.json", "scores.json"}
    assert len(record.table(child, "workloads.json")["data"]) == 36

    (trace,) = record.client.search_traces(run_id=child.info.run_id, locations=[parent.info.experiment_id])
    calls = {span.name: span for span in trace.data.spans if span.parent_id}
    base = state.solutions[int(best.id[1:5])]
    shared = {f"observation/{word}" for word in base.data["stimuli"]}
    assert f"observation/{base.data['stimuli'][0]}" in calls
    assert calls.keys() - shared == {"formulation", "code"}
    assert calls["code"].outputs == {"source": base.data["attempts"][0]["source"]}
    assert trace.info.token_usage["output_tokens"] == sum(
        span.attributes["mlflow.chat.tokenUsage"]["output_tokens"] for span in calls.values()
    )

    version = record.client.get_model_version_by_alias("metamuse-fake-v3", "newest")
    assert version.run_id == child.info.run_id
    assert version.tags["solution"] == best.id
    assert float(version.tags["holdout_gain"]) == pytest.approx(
        ranking.mean_gain(problem, state, best, "holdout"), abs=1e-4
    )
    assert "not a discovery by an LLM" in version.description


def test_a_winner_is_registered_once_and_the_next_run_is_the_next_version(root: Path) -> None:
    problem = FakeProblem()
    all_events = list(events(problem, solutions=8))
    state = begun(all_events)
    track(root, state, all_events[2:])
    folder = root / "fake" / NAME
    client = Record(root).client
    place = [Record(root).parent.info.experiment_id]
    traced = len(client.search_traces(locations=place))
    assert traced == sum("holdout" in s.scores for s in state.ordered())
    rebuild(uri(root), below(root), problem, state, folder)
    assert len(client.search_traces(locations=place)) == traced
    assert [str(v.version) for v in client.search_model_versions("name = 'metamuse-fake-v3'")] == ["2"]
    other = root / "fake" / "r20260102-000000-bcde"
    shutil.copytree(folder, other)
    rebuild(uri(root), below(root), problem, state, other)
    versions = {v.version: v.aliases for v in client.search_model_versions("name = 'metamuse-fake-v3'")}
    assert set(map(str, versions)) == {"2", "3"}
    assert str(client.get_model_version_by_alias("metamuse-fake-v3", "newest").version) == "3"


def test_solutions_that_finish_out_of_order_are_steps_in_order(root: Path) -> None:
    all_events = list(events(FakeProblem(), solutions=8, failing=0.0))
    places = [i for i, e in enumerate(all_events) if e["event"] == "solution"]
    for i, j in ((0, 3), (4, 6)):
        a, b = places[i], places[j]
        all_events[a], all_events[b] = all_events[b], all_events[a]
    track(root, begun(all_events), all_events[2:])
    assert Record(root).history("executable") == [(i, i + 1) for i in range(8)]


def test_a_run_that_goes_on_is_the_same_run_and_repeats_nothing(root: Path) -> None:
    all_events = list(events(FakeProblem(), solutions=10, failing=0.0))
    cut = [i for i, e in enumerate(all_events) if e["event"] == "solution"][5] + 1
    # Solution 2 is still under way when the first process is interrupted.
    late = next(i for i, e in enumerate(all_events) if e["event"] == "solution" and e["number"] == 2)
    first = all_events[2:late] + all_events[late + 1 : cut]
    track(root, begun(all_events), first)
    record = Record(root)
    assert record.parent.info.status == "KILLED"
    assert record.history("executable") == [(0, 1), (1, 2)]
    state = RunState.fold([*all_events[:2], *first])
    track(root, state, [all_events[late], *all_events[cut:]])
    record = Record(root)
    assert len(record.parents) == 1
    assert record.parent.info.status == "FINISHED"
    assert record.history("executable") == [(i, i + 1) for i in range(10)]


def test_rebuilding_replaces_the_record(root: Path) -> None:
    problem = FakeProblem()
    all_events = list(events(problem, solutions=10))
    state = begun(all_events)
    track(root, state, all_events[2:])
    before = Record(root)
    rebuild(uri(root), below(root), problem, state, root / "fake" / NAME)
    after = Record(root)
    assert len(after.parents) == 1
    assert after.parent.info.run_id != before.parent.info.run_id
    for metric in ("usefulness", "distinct", "cost_usd"):
        assert [s for s, _ in after.history(metric)] == [s for s, _ in before.history(metric)]
    assert len(after.children) == len(before.children) == 3


def test_trouble_is_one_sentence_and_stops_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "broken.db").write_bytes(b"this is no database" * 100)
    all_events = list(events(FakeProblem(), solutions=5))
    tracker = track(root, begun(all_events), all_events[2:], at=f"sqlite:///{root}/broken.db")
    assert tracker.trouble
    _, err = capsys.readouterr()
    assert "MLflow record of this run is incomplete" in err
    assert "report run=" in err
    assert "Traceback" not in err
    with pytest.raises(UsageError, match="cannot be written"):
        rebuild(
            f"sqlite:///{root}/broken.db",
            below(root),
            FakeProblem(),
            begun(all_events),
            root / "fake" / NAME,
        )


def test_the_loop_never_waits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        time.sleep(0.5)
        raise ConnectionError("the server is away")

    monkeypatch.setattr(mlflow_tracker, "MlflowStore", slow)
    all_events = list(events(FakeProblem(), solutions=30))
    state = begun(all_events)
    tracker = MlflowTracker(uri(root), below(root))
    began = time.perf_counter()
    tracker.start(FakeProblem(), state, root / "fake" / NAME)
    for event in all_events[2:]:
        state.apply(event)
        tracker.event(state, event)
    assert time.perf_counter() - began < 0.4
    tracker.finish(state)
    assert "server is away" in tracker.trouble


def all_of_it(root: Path, solutions: int, database: str = "/mlflow.db") -> None:
    """The record is complete."""
    record = Record(root, database)
    assert len(record.parents) == 1
    assert record.parent.info.status == "FINISHED"
    assert [step for step, _ in record.history("executable")] == list(range(solutions))
    assert len(record.table(record.parent, "solutions.json")["data"]) == solutions


def test_a_database_that_is_locked_meanwhile_has_everything_in_the_end(root: Path) -> None:
    problem, all_events = FakeProblem(), list(events(FakeProblem(), solutions=6, failing=0.0))
    state = begun(all_events)
    with sqlite3.connect(root / "mlflow.db", isolation_level=None) as other:
        other.execute("begin exclusive")
        tracker = MlflowTracker(uri(root), below(root))
        tracker.start(problem, state, root / "fake" / NAME)
        for event in all_events[2:]:
            state.apply(event)
            tracker.event(state, event)
        wait_for(lambda: tracker.trouble != "")
        assert "database is locked" in tracker.trouble
        other.execute("rollback")
    tracker.finish(state)
    assert tracker.trouble == ""
    all_of_it(root, 6)


@pytest.mark.parametrize("fault", ["deleted", "damaged", "artifacts"])
def test_a_database_that_is_lost_meanwhile_can_be_written_again(
    root: Path, fault: str, capsys: pytest.CaptureFixture[str], empty_database: Path
) -> None:
    problem, all_events = FakeProblem(), list(events(FakeProblem(), solutions=6, failing=0.0))
    state, folder = begun(all_events), root / "fake" / NAME
    tracker = MlflowTracker(uri(root), below(root))
    tracker.start(problem, state, folder)
    wait_for(lambda: bool(sqlite3.connect(root / "mlflow.db").execute("select * from runs").fetchall()))
    database, artifacts = root / "mlflow.db", root / "fake" / "mlflow-artifacts"
    if fault == "artifacts":
        shutil.rmtree(artifacts, ignore_errors=True)
        artifacts.parent.mkdir(exist_ok=True)
        artifacts.write_text("no folder")
    else:
        database.unlink()
        if fault == "damaged":
            database.write_bytes(b"this is no database" * 1000)
    for event in all_events[2:]:
        state.apply(event)
        tracker.event(state, event)
    tracker.finish(state)
    _, err = capsys.readouterr()
    assert "report run=" in err and "Traceback" not in err
    database.unlink(missing_ok=True)
    shutil.copy(empty_database, database)
    if fault == "artifacts":
        artifacts.unlink()
    # MLflow keeps what it opened under a URI; the command that rebuilds runs in a process of its own.
    rebuild(uri(root).replace("/mlflow.db", "/./mlflow.db"), below(root), problem, state, folder)
    all_of_it(root, 6, "/./mlflow.db")
