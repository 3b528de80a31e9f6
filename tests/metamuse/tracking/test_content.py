"""What is told to a tracker."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.tracking import artifacts, check, content, database, make_tracker
from metamuse.tracking.none import NullTracker
from tests.support.fake_run import FakeProblem, fake_state


def test_parameters_are_flat_bounded_and_begin_with_what_matters() -> None:
    config = {"problem": {"name": "p", "deep": {"er": 1}}, "aaa": "x" * 2000, "seed": 3, "nothing": None}
    flat = content.parameters(config)
    assert list(flat) == ["problem.name", "seed", "aaa", "problem.deep.er"]
    assert len(flat["aaa"]) == content.PARAMETER_LENGTH


def test_tables_have_a_row_a_thing() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=20)
    ((name, solutions),) = content.solutions(problem, state)
    assert name == "solutions.json"
    scored = [s.id for s in ranking.ranked(problem, state, state.ordered())]
    assert solutions["id"] == scored + [s.id for s in state.ordered() if not s.ok]
    assert solutions["validation"].count(None) == sum(state.failures().values())
    assert sum(solutions["distinct"]) == len(state.executable())
    assert content.rivals(problem, state)["id"] == ["clever", "cunning", "plain", "oracle"]
    best = ranking.best(problem, state)
    assert best is not None
    rows = content.by_workload(problem, state, best)
    assert len(rows["gain"]) == 36
    gains = [g for g, which in zip(rows["gain"], rows["set"], strict=True) if which == "holdout"]
    assert sum(gains) / len(gains) == pytest.approx(ranking.mean_gain(problem, state, best, "holdout"))


def test_tables_of_an_empty_run_are_empty() -> None:
    problem = FakeProblem()
    assert list(content.solutions(problem, fake_state(problem, solutions=0, holdout=False))) == []


def test_many_solutions_are_told_in_tables_that_a_browser_shows_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=20)
    ((_, whole),) = content.solutions(problem, state)
    monkeypatch.setattr(content, "PAGE", 8)
    pages = dict(content.solutions(problem, state))
    assert list(pages) == ["solutions.json", "solutions-00009.json", "solutions-00017.json"]
    assert [row for page in pages.values() for row in page["id"]] == whole["id"]


def test_tags_tell_commit_and_containment(tmp_path: Path) -> None:
    problem = FakeProblem()
    state = fake_state(problem, provider="litellm")
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({"provenance": {"git": "abc123"}, "containment": ["a", "b"]})
    )
    tags = content.tags(problem, state, tmp_path)
    assert tags["git"] == "abc123"
    assert tags["containment"] == "a, b"
    assert tags["llm"] == "openai/some-model"
    assert tags["problem"] == "fake-v3"


def test_choosing_a_tracker(tmp_path: Path) -> None:
    assert isinstance(make_tracker({"tracking": {"name": "none"}}, tmp_path), NullTracker)
    assert (
        database({"tracking": {"name": "mlflow", "uri": None}}, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    )
    assert database({"tracking": {"name": "mlflow", "uri": "http://host"}}, tmp_path) == "http://host"
    with pytest.raises(UsageError, match="tracking=none"):
        make_tracker({"tracking": {"name": "wandb"}}, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"uri": "http://me:secret@host:5000"},
            r"^tracking\.uri holds a password.*MLFLOW_TRACKING_PASSWORD.*PGPASSWORD",
        ),
        (
            {"uri": "http://host", "artifacts": "ftp://me:secret@host/x"},
            r"^tracking\.artifacts holds a password",
        ),
        ({"uri": "mysql+nosuchdriver://host/name"}, "is neither the address of an MLflow server"),
        ({"uri": "somewhere"}, "is neither the address of an MLflow server"),
        ({"uri": "oracle://host/name"}, r"needs the Python package \w+, which is not installed"),
    ],
)
def test_mistakes_are_told_before_anything_starts(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        check({"tracking": {"name": "mlflow", **settings}})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("uri", [None, "http://host:5000", "sqlite:////somewhere/mlflow.db", "databricks"])
def test_what_mlflow_understands_is_accepted(uri: str | None) -> None:
    check({"tracking": {"name": "mlflow", "uri": uri}})


def test_where_artifacts_go(tmp_path: Path) -> None:
    def place(**settings: str) -> str | None:
        return artifacts({"tracking": settings}, tmp_path)

    assert place() == tmp_path.as_uri()
    assert place(uri="postgresql://host/name") == tmp_path.as_uri()
    assert place(uri="http://host") is None
    assert place(uri="http://host", artifacts="s3://bucket/x") == "s3://bucket/x"
    assert place(artifacts=str(tmp_path / "a")) == (tmp_path / "a").as_uri()
