"""A comparison in MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metamuse.tracking.comparison import record


def found(folder: Path) -> dict[str, Any]:
    """A comparison of two arms with two seeds, and its files."""
    arms = [
        {
            "arm": arm,
            "means": {"p90": 5.0 + n, "usd": None},
            "differences": {"p90": {"mean": 1.0, "ci95": [0.5, 1.5], "excludes_zero": True, "seeds": 2}}
            if n
            else {},
            "runs": [
                {
                    "seed": seed,
                    "run": f"r-{arm}-{seed}",
                    "ended": "done",
                    "best": "s0001",
                    "distinct": 3 + seed,
                    "usd": None,
                }
                for seed in (0, 1)
            ],
        }
        for n, arm in enumerate(("rsdict", "evolution"))
    ]
    content = {
        "problem": "cache-v1", "equal": "calls", "seeds": [0, 1], "against": "rsdict", "arms": arms,
        "verdict": ["Nothing is settled."],
    }  # fmt: skip
    folder.mkdir(parents=True)
    for file in ("comparison.json", "comparison.csv", "comparison.html", "config.yaml"):
        (folder / file).write_text("{}", encoding="utf-8")
    return content


def settings(root: Path, uri: str | None = None) -> dict[str, Any]:
    """What the command was given."""
    return {"root": str(root), "tracking": {"name": "mlflow", "uri": uri}}


def test_every_run_is_a_child_and_a_second_time_replaces_the_first(root: Path) -> None:
    """Means stand at the comparison, figures at its runs; figures that are unknown are left out."""
    from mlflow.tracking import MlflowClient

    folder = root / "cache" / "c20260101-000000-abcd"
    content = found(folder)
    record(settings(root), "cache", folder, content)
    record(settings(root), "cache", folder, content)
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    experiment = client.get_experiment_by_name("metamuse/cache/arms")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    children = {(r.data.tags["arm"], r.data.tags["seed"]): r for r in runs if r is not parent}
    assert parent.data.metrics == {"p90/rsdict": 5.0, "p90/evolution": 6.0}
    assert parent.data.tags["mlflow.note.content"] == "Nothing is settled."
    assert set(children) == {(arm, seed) for arm in ("rsdict", "evolution") for seed in ("0", "1")}
    assert children["evolution", "1"].data.metrics == {"distinct": 4.0}
    table = json.loads(
        Path(client.download_artifacts(parent.info.run_id, "arms.json")).read_text(encoding="utf-8")
    )
    assert table["columns"] == ["arm", "p90", "p90, difference", "p90, 95 %", "usd"]
    assert table["data"][1] == ["evolution", 6.0, 1.0, "[0.5, 1.5]", None]
    assert "comparison.html" in {a.path for a in client.list_artifacts(parent.info.run_id)}


def test_a_database_that_cannot_be_written_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison is done, whatever becomes of its record."""
    folder = tmp_path / "cache" / "c1"
    content = found(folder)
    (tmp_path / "mlflow.db").write_text("no database", encoding="utf-8")
    record(settings(tmp_path), "cache", folder, content)
    said = capsys.readouterr().err
    assert said.startswith("metamuse: The comparison is not in MLflow: ")
    assert f"compare run={folder} writes it again" in said
