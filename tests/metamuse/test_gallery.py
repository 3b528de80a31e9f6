"""The gallery: every entry decides and scores as it says, its exports pass, its record holds what it is said to be made of."""

from __future__ import annotations

import csv
import json
import lzma
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from metamuse import config, gallery
from metamuse.build import make_problem
from metamuse.errors import UsageError
from metamuse.export.package import run_test
from metamuse.llm.parse import extract_code
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import Problem
from tests.support.capabilities import demand

ROOT = Path(__file__).parents[2]
ENTRIES = sorted(path.parent for path in ROOT.glob("gallery/*/card.json"))
EXPORTS = sorted(path.parent for path in ROOT.glob("gallery/*/*/golden.gz"))


def problem_of(entry: Path) -> Problem:
    """The problem as the entry's run had it."""
    return make_problem(yaml.safe_load((entry / "run" / "config.yaml").read_text()))


def card(entry: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((entry / "card.json").read_text())
    return read


def test_there_are_entries() -> None:
    assert len(ENTRIES) >= 2
    assert {path.parent for path in EXPORTS} == set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda path: path.name)
class TestEntry:
    def test_it_decides_and_scores_as_it_did(self, entry: Path) -> None:
        problem = problem_of(entry)
        assert card(entry)["problem"] == problem.version
        program = load((entry / "policy.py").read_text(), problem.contract)
        compiled = CompiledPolicy(program, problem.init_example())
        assert gallery.probe_digests(problem, compiled) == card(entry)["probes"]

    def test_its_record_holds_it(self, entry: Path) -> None:
        said, run = card(entry), entry / "run"
        rows = {row["id"]: row for row in csv.DictReader((run / "leaderboard.csv").open())}
        summary = json.loads((run / "summary.json").read_text())
        assert summary["run"] == said["run"] and rows[said["id"]]["name"] == said["name"]
        scores = json.loads((run / "scores.json").read_text())["holdout"]
        mean = sum(row["value"] for row in scores) / len(scores)
        assert f"{mean:.6f}" == rows[said["id"]]["holdout"]
        # The program, but for its constants, is among the answers that were recorded.
        problem = problem_of(entry)
        wanted = load((entry / "policy.py").read_text(), problem.contract).structure()
        number = int(re.sub(r"\D", "", said["id"]))
        found = False
        for line in lzma.decompress((run / "completions.jsonl.xz").read_bytes()).decode().splitlines():
            if f'"{number}/' in line:
                for text in _texts(json.loads(line)):
                    if "class Policy" in text:
                        found |= load(extract_code(text), problem.contract).structure() == wanted
        assert found

    def test_it_names_no_machine_and_the_gap_is_told(self, entry: Path) -> None:
        for path in entry.rglob("*"):
            if path.is_file() and path.suffix not in (".xz", ".gz"):
                assert not re.search(r"(?<![\w.])/(tmp|home|root|work|Users)/", path.read_text()), path
        readme = (entry / "README.md").read_text()
        assert re.search(
            r"It is (no better|not shown to be better|\S+ points (better|worse)) than",
            re.sub(r"\s+", " ", readme),
        )
        recorded = yaml.safe_load((entry / "run" / "config.yaml").read_text())
        if recorded["llm"]["provider"] == "offline":
            assert "offline composer, which is not an LLM" in re.sub(r"\s+", " ", readme)
        assert card(entry)["command"] in readme
        for remark in gallery.told_of_holdout(problem_of(entry), entry / "run" / "scores.json"):
            assert remark in re.sub(r"\s+", " ", readme)


def _texts(item: Any) -> list[str]:
    if isinstance(item, str):
        return [item]
    parts = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return [text for part in parts for text in _texts(part)]


@pytest.mark.parametrize("folder", EXPORTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_its_exports_pass(folder: Path, tmp_path: Path) -> None:
    if folder.name != "python":
        demand("compiler")
    decisions, _ = run_test(shutil.copytree(folder, tmp_path / folder.name))  # it leaves machine code behind
    assert decisions == card(folder.parent)["golden"]["kept"]
    assert card(folder.parent)["golden"]["compared"][folder.name] >= 100_000


class TestMaking:
    def test_what_a_command_line_says(self) -> None:
        usual = config.compose(["problem=cache"])
        assert gallery.overrides(usual) == ["problem=cache"]
        words = [
            "problem=cache",
            "problem.sizes=bytes",
            "seed=7",
            "search.race=true",
            "problem.baselines=[lru,fifo]",
        ]
        given = config.compose([*words, "root=/somewhere", "quiet=true", "llm=replay"])
        assert sorted(gallery.overrides(given)) == sorted(words)
        assert config.compose(gallery.overrides(given))["problem"] == given["problem"]

    def test_places_of_a_machine(self) -> None:
        given = config.compose(["problem=cache", "root=/home/me/runs"])
        assert gallery._portable(given)["root"] == "runs"
        given["problem"]["workloads"]["holdout"] = "/home/me/traces/*.csv"
        with pytest.raises(
            UsageError, match=r"problem.workloads.holdout=/home/me/traces/\*.csv of the run is a place"
        ):
            gallery._portable(given)

    def test_another_version_is_noticed(self) -> None:
        gallery._demand_same([1.0, 0.3], [1.0, 0.3], "r1")
        with pytest.raises(
            gallery.GalleryError, match=r"1 of 2 hold-out workloads score otherwise than in r1 \(number 1"
        ):
            gallery._demand_same([1.0, 0.3], [1.0, 0.31], "r1")

    def test_usage(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert gallery.main(["run=nowhere"]) == 2
        assert "gallery needs run=<run directory> out=<folder>, or replay=<entry>." in capsys.readouterr().err
        assert gallery.main(["run=nowhere", f"out={tmp_path / 'out'}"]) == 2
        assert "No run nowhere" in capsys.readouterr().err
        assert gallery.main([f"replay={tmp_path}"]) == 2
        assert "is no entry of a gallery" in capsys.readouterr().err

    @pytest.mark.parametrize("entry", ENTRIES[:1], ids=lambda path: path.name)
    def test_the_record_is_one_that_replay_takes(self, entry: Path, tmp_path: Path) -> None:
        from metamuse.llm.store import CompletionStore
        from metamuse.rundir import find

        folder = gallery.unpack(entry, tmp_path / "recorded")
        assert find(tmp_path, str(folder)) == folder
        assert CompletionStore(folder / "completions.jsonl", read_only=True).path.stat().st_size > 10_000
