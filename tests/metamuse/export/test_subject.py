"""What an export says of itself: where the policy comes from, honestly, and what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metamuse.errors import UsageError
from metamuse.export import subject
from metamuse.export.package import _readme, check_out
from metamuse.export.targets.python import EXPORTER
from tests.support.fake_run import POLICY, FakeProblem, events


def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Path:
    problem = FakeProblem()
    monkeypatch.setattr(subject, "make_problem", lambda config: problem)
    lines = [json.dumps(event) for event in events(problem, **options)]
    (tmp_path / "journal.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_best_of_a_composer_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = subject.of_run(_run(tmp_path, monkeypatch), "best")
    assert made.id.startswith("s0") and made.source == POLICY
    assert made.package == f"fake_{made.id}"
    assert made.title.isprintable() and '"' not in made.title and "<" not in made.title
    assert made.provenance[0].startswith("Composed by MetaMuse's offline composer, which is not an LLM")
    assert made.provenance[1].startswith("Stimuli: ")
    assert "seed 5" in made.provenance[-1]
    assert made.scores[0].startswith("Hold-out (12 workloads): mean waste 0.")
    assert "95 % interval" in made.scores[0] and "cunning" in made.scores[0]
    assert any(
        said
        == "Cost: 40 ns a decision as bounds-checked machine code in the simulator, the simulator's own work included."
        for said in made.scores
    )
    assert made.scores[-1] == "State: at most 4,096 bytes on these workloads."


def test_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = subject.of_run(_run(tmp_path, monkeypatch, provider="litellm"), "best")
    assert made.provenance[0] == "Written by the model openai/some-model through litellm."


def test_tuned_and_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _run(tmp_path, monkeypatch, studied=True, failing=0.0)
    tuned = subject.of_run(folder, "clever-tuned")
    assert tuned.provenance[0].startswith("A baseline that is shipped with MetaMuse")
    assert tuned.provenance[1] == "Its constants were tuned on the validation workloads: SHARE = 0.31."
    assert tuned.package == "fake_clever_tuned"


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _run(tmp_path, monkeypatch, failing=1.0)
    for wanted, said in (
        ("best", "has no solution best"),
        ("s9999", "has no solution s9999"),
        ("s0000", r"s0000 of .* failed \(compile: line 9: .*\); there is nothing to export"),
        ("oracle", "oracle is a bound"),
    ):
        with pytest.raises(UsageError, match=said):
            subject.of_run(folder, wanted)


def test_not_scored_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = subject.of_run(_run(tmp_path, monkeypatch, holdout=False), "best")
    assert made.scores[0] == "Hold-out: not scored."


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = subject.of_run(_run(tmp_path, monkeypatch), "best")
    made.problem.name = "cache"
    answer = {
        "cases": ["a", "b", "c", "d"],
        "refused": "with sizes=bytes it fails",
        "doc": "Prefer the tide.",
    }
    text = _readme(made, EXPORTER, answer, 123456, 7.5)
    for part in ("Prefer the tide.", "not an LLM", "Hold-out (12 workloads)", "123,456 decisions", "a, b, c and 1 more",
                 "Tried and not possible: with sizes=bytes it fails", "FIFO takes over"):  # fmt: skip
        assert part in text
    assert max(len(line) for line in text.splitlines() if line.startswith("- ")) <= 118


def test_out(tmp_path: Path) -> None:
    check_out(tmp_path / "new", overwrite=False)
    (tmp_path / "golden.gz").write_bytes(b"")
    check_out(tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="is a file"):
        check_out(tmp_path / "golden.gz", overwrite=True)
