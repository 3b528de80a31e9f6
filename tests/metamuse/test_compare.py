"""Comparisons: plans, intervals, and whole ones through the command line, interrupted ones too."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse import config, proposers
from metamuse.cli import parse
from metamuse.compare import plan as plans
from metamuse.compare import words
from metamuse.compare.figures import Figures
from metamuse.compare.result import MEASURES, Row, rows
from metamuse.errors import UsageError
from metamuse.llm.store import CompletionStore
from tests.support import quick_hub
from tests.support.fake_run import FakeProblem
from tests.support.openai_server import Behaviour, OpenAIServer

ROOT = Path(__file__).parents[2]
ARMS = sorted(path.stem for path in (config.folder() / "arm").glob("*.yaml"))
#: Of whole comparisons: one that steers by nothing, one that shares a call, two that learn from results.
COMPARED = ["rsdict", "plansearch", "evolution", "rsdict_sf_refined"]
WORKLOADS = tuple(f"w{i}" for i in range(20))


def overrides(*words_: str) -> list[str]:
    """As the command line hands them over."""
    invocation = parse(["compare", "problem=cache", *words_])
    assert invocation is not None
    return invocation.overrides


# -- plans


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_can_be_used_alone(arm: str) -> None:
    settings = config.compose(["problem=cache", f"arm={arm}"])
    proposers.check(settings)
    plain = config.compose(["problem=cache"])
    assert {k for k in plain if settings[k] != plain[k]} <= set(plans.ARMS_OWN)


def test_all_arms_are_different() -> None:
    plan = plans.make(overrides(f"arms={','.join(ARMS)}"))
    assert list(plan.arms) == ARMS


def test_the_default_is_the_issue() -> None:
    plan = plans.make(overrides())
    assert len(plan.arms) == 11
    assert plan.seeds == (0, 1, 2)
    for settings in plan.arms.values():
        assert settings["problem"]["baselines"].split(",")[:2] == ["lru", "fifo"]
        assert (settings["search"]["tune_trials"], settings["search"]["finalists"]) == (0, 1)
        assert settings["tracking"]["name"] == "none"


@pytest.mark.parametrize("text", ["rsdict,plansearch", "[rsdict,plansearch]", "[rsdict, plansearch]"])
def test_lists_as_a_shell_gives_them(text: str) -> None:
    plan = plans.make(overrides(f"arms={text}", "seeds=3,1", "search.tune_trials=9"))
    assert list(plan.arms) == ["rsdict", "plansearch"]
    assert plan.seeds == (3, 1)
    assert plan.runs() == [("rsdict", 3), ("plansearch", 3), ("rsdict", 1), ("plansearch", 1)]
    assert plan.first["search"]["tune_trials"] == 9


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["arms=rsdict,nothing"], "no arm=nothing"),
        (["arms=rsdict,rsdict"], "different arms"),
        (["arms="], "different arms|list"),
        (["seeds=0,0"], "seeds="),
        (["seeds=-1"], "seeds="),
        (["seeds=x"], "seeds="),
        (["arm=rsdict"], "takes arms="),
        (["seed=4"], "takes seeds="),
        (["equal=joules"], "must be one of"),
        (["equal=calls"], "needs budget.calls"),
        (["arms=rsdict,rsdict_sf", "stimuli=rsdict"], "are the same"),
        (["llm=replay"], "replays nothing"),
        (["search.race=true"], "leave search.race=false"),
        (["arms=rsdict", "equal=usd", "budget.usd=1"], "needs a model with a price"),
        (["arms=rsdict", "equal=calls", "budget.calls=5"], "not enough for one solution"),
    ],
)
def test_plans_that_make_no_sense(more: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plans.make(overrides(*more))


def test_the_same_calls_are_more_solutions_where_a_solution_takes_fewer() -> None:
    arms = "arms=rsdict_sf,unstimulated,repeated_sampling,plansearch,best_of_n"
    plan = plans.make(overrides(arms, "equal=calls", "budget.calls=120"))
    sizes = {name: settings["solutions"] for name, settings in plan.arms.items()}
    assert sizes["best_of_n"] == 120
    assert sizes["repeated_sampling"] == 60
    assert sizes["plansearch"] == 39  # one call that all share, three each
    assert sizes["unstimulated"] == 20  # four mechanisms, design, code
    assert 12 <= sizes["rsdict_sf"] < 20
    assert plan.arms["rsdict_sf"]["stimuli"]["warmup"] in (
        sizes["rsdict_sf"] // 3,
        sizes["rsdict_sf"] // 3 - 1,
    )


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = plans.make(overrides("arms=rsdict,plansearch", "seeds=2"))
    plan.save(tmp_path)
    assert plans.Plan.load(tmp_path) == plan
    with pytest.raises(UsageError, match="not the folder of a comparison"):
        plans.Plan.load(tmp_path / "elsewhere")


# -- figures and intervals


def run(
    arm: str, seed: int, level: float = 10.0, distinct: int = 30, executable: int = 32, own: int = 0
) -> Figures:
    """A run whose solutions gain ``level`` % on average; workloads differ much, seeds little."""
    rng = np.random.default_rng([seed, own])
    shared = np.random.default_rng(99).normal(0, 8, len(WORKLOADS))
    gains = (
        level + shared + rng.normal(0, 1, (executable, 1)) + rng.normal(0, 0.3, (executable, len(WORKLOADS)))
    )
    best = gains[gains.mean(axis=1).argmax()] if executable else None
    return Figures(
        arm, seed, f"r-{arm}-{seed}", "done", 32, executable, distinct, 1.5 + 0.01 * seed, 0.4, 20.0 if executable else None,
        WORKLOADS, gains, None if best is None else "s0000", best, best, 100 + seed, 1000, None,
    )  # fmt: skip


def test_a_difference_is_found_through_the_noise_of_workloads() -> None:
    table = rows([run("a", s) for s in range(4)] + [run("b", s, level=11.5, own=1) for s in range(4)])
    assert [row.arm for row in table] == ["a", "b"]
    assert table[0].differences == {}
    for key in ("p75", "p90", "best_validation", "best_holdout", "better"):
        assert table[1].differences[key].settled, key
    p75 = table[1].differences["p75"]
    assert p75.mean == pytest.approx(1.5, abs=0.5)
    assert p75.interval is not None
    assert p75.interval[1] - p75.interval[0] < 1.5, "pairs take the differences between workloads out"


def test_no_difference_is_none() -> None:
    runs = [run("a", s) for s in range(4)]
    copies = [run("b", s) for s in range(4)]
    for difference in rows(runs + copies)[1].differences.values():
        assert difference.mean == 0
        assert not difference.settled


def test_equal_arms_differ_rarely() -> None:
    """Intervals of 95 % over draws of two equal arms: misses are as rare as may be hoped of few seeds."""
    found = []
    for trial in range(10):
        pair = [run(arm, s, own=50 * trial + k) for k, arm in enumerate("ab") for s in range(5)]
        found.append(rows(pair)[1].differences["p75"].settled)
    assert sum(found) <= 3


def test_means_are_over_seeds_and_shares_over_attempts() -> None:
    first, second = rows(
        [run("a", 0, distinct=20), run("a", 1, distinct=30), *(run("b", s, executable=16) for s in (0, 1))]
    )
    assert first.means["distinct"] == 25
    assert first.means["calls"] == 100.5
    assert first.means["usd"] is None
    assert second.means["executable"] == 50
    # Ranks around the 90th percentile of 32 solutions: 3 or 4 are above it.
    assert first.means["better"] == pytest.approx(100 * 4 / 32)
    assert second.means["better"] <= 50


def test_one_seed_says_nothing_of_seeds() -> None:
    table = rows([run("a", 0), run("b", 0, level=13, own=1)])
    assert table[1].differences["distinct"].interval is None
    assert not table[1].differences["distinct"].settled
    assert table[1].differences["p90"].settled


def test_runs_without_a_solution_have_no_pair() -> None:
    runs = [run("a", s) for s in range(3)] + [run("b", s, executable=0 if s == 1 else 32) for s in range(3)]
    table = rows(runs)
    assert table[1].differences["p75"].seeds == 2
    assert table[1].differences["executable"].seeds == 3
    nothing = rows([run("a", 0), run("b", 0, executable=0)])[1]
    assert "p75" not in nothing.differences
    assert nothing.means["p75"] is None
    assert nothing.means["better"] == 0


def plan_of(*arms: str, seeds: int = 3) -> plans.Plan:
    settings = {"solutions": 32, "budget": {"calls": None}, "llm": {"provider": "litellm"}}
    return plans.Plan("solutions", dict.fromkeys(arms, settings), tuple(range(seeds)))


def table_of(level: float) -> list[Row]:
    return rows([run("a", s) for s in range(3)] + [run("b<i>", s, level=level, own=1) for s in range(3)])


def test_it_is_said_which_intervals_exclude_zero(tmp_path: Path) -> None:
    better, same = table_of(12.0), table_of(10.0)
    text = " ".join(words.sentences(FakeProblem(), plan_of("a", "b<i>"), better))
    assert "p90: the interval excludes 0 against a for b<i> +" in text
    assert "No interval excludes 0 for executable %" in text
    assert "3 seeds only" in text
    assert "p75" in " ".join(words.sentences(FakeProblem(), plan_of("a", "b<i>"), same)[1:])


def test_the_files_say_the_same(tmp_path: Path) -> None:
    table = table_of(12.0)
    content = words.write(FakeProblem(), plan_of("a", "b<i>"), table, tmp_path)
    assert json.loads((tmp_path / "comparison.json").read_text()) == content
    assert [
        m for m in content["arms"][1]["differences"] if content["arms"][1]["differences"][m]["excludes_zero"]
    ]
    first, second = csv.DictReader((tmp_path / "comparison.csv").open())
    for measure in MEASURES:
        mean = content["arms"][1]["means"][measure.key]
        assert second[measure.key] == ("" if mean is None else f"{mean:.6f}")
    assert first["p75_difference"] == ""
    assert float(second["p75_low"]) == content["arms"][1]["differences"]["p75"]["ci95"][0]
    page = (tmp_path / "comparison.html").read_text()
    assert "b&lt;i&gt;" in page
    assert "b<i>" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), "nothing is fetched"


# -- whole comparisons


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(default=Behaviour("ok"), answer=quick_hub.answer) as running:
        yield running


def start(server: OpenAIServer, root: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.quick_hub", *more, f"root={root}", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENAI_API_KEY": "sk-test"},
    )


def settings(server: OpenAIServer, *more: str) -> list[str]:
    small = ["solutions=5", "search.lag=2", "tracking=none", f"llm.api_base={server.base_url}"]
    return ["compare", *quick_hub.SETTINGS, *small, f"arms={','.join(COMPARED)}", "seeds=0,1", *more]


def finish(process: subprocess.Popen[str], code: int = 0) -> Any:
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return json.loads(out) if code in (0, 3) else err


def folder_of(root: Path) -> Path:
    (folder,) = root.glob("cache/c*")
    return folder


@pytest.fixture(scope="module")
def undisturbed(server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    root = tmp_path_factory.mktemp("compare")
    content = finish(start(server, root, *settings(server)))
    return folder_of(root), content


def same_figures(content: Any, other: Any) -> bool:
    """Whether all is the same but names of runs and what they cost (a lost answer may have been billed)."""

    def without(figures: Any) -> Any:
        return {k: v for k, v in figures.items() if k not in ("run", "calls", "tokens", "usd")}

    def plain(content: Any) -> Any:
        return [
            (arm["arm"], without(arm["means"]), arm["differences"], [without(r) for r in arm["runs"]])
            for arm in content["arms"]
        ]

    return bool(plain(content) == plain(other))


def test_a_comparison_leaves_what_it_promises(undisturbed: tuple[Path, Any]) -> None:
    folder, content = undisturbed
    assert {p.name for p in folder.iterdir()} == {
        "config.yaml", "comparison.json", "comparison.csv", "comparison.html", "cache"
    }  # fmt: skip
    assert [arm["arm"] for arm in content["arms"]] == COMPARED
    assert content["against"] == "rsdict"
    for arm in content["arms"]:
        assert [r["seed"] for r in arm["runs"]] == [0, 1]
        for r in arm["runs"]:
            assert r["attempted"] == 5
            run_folder = folder / "cache" / r["run"]
            assert (run_folder / "report.html").is_file()
            with CompletionStore(run_folder / "completions.jsonl", read_only=True) as store:
                assert (store.totals.calls, r["usd"]) == (r["calls"], round(store.totals.cost_usd, 6))
    assert content["arms"][1]["runs"][0]["calls"] == 1 + 3 * 5


def test_its_runs_are_ordinary_ones(
    server: OpenAIServer, undisturbed: tuple[Path, Any], tmp_path: Path
) -> None:
    folder, content = undisturbed
    alone = [s for s in settings(server) if not s.startswith(("compare", "arms", "seeds"))]
    defaults = [f"{k}={v}" for k, v in plans.DEFAULTS.items() if k != "search.lag"]
    finish(start(server, tmp_path, *alone, *defaults, "arm=evolution", "seed=1"))
    (one,) = tmp_path.glob("cache/r*")
    its = folder / "cache" / content["arms"][2]["runs"][1]["run"]
    assert (its / "leaderboard.csv").read_text() == (one / "leaderboard.csv").read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_comparison_goes_on_and_pays_nothing_twice(
    server: OpenAIServer, undisturbed: tuple[Path, Any], tmp_path: Path, how: signal.Signals
) -> None:
    before = len(server.seen.bodies)
    process = start(server, tmp_path, *settings(server, "llm.concurrency=1"))
    deadline = time.monotonic() + 120
    while _solutions(tmp_path) < 13:  # in the third run
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    folder = folder_of(tmp_path)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert f"compare run={folder}" in err
    content = finish(start(server, tmp_path, "compare", "run=latest"))
    assert same_figures(content, undisturbed[1])
    stored = sum(_completions(path) for path in folder.glob("cache/r*/completions.jsonl"))
    assert stored == sum(r["calls"] for arm in undisturbed[1]["arms"] for r in arm["runs"])
    assert len(server.seen.bodies) - before <= stored + 1, "a call that was under way may be asked for again"
    # Once more: there is nothing to do, and nothing is asked.
    asked = len(server.seen.bodies)
    assert finish(start(server, tmp_path, "compare", f"run={folder}")) == content
    assert len(server.seen.bodies) == asked
    assert "cannot change" in finish(start(server, tmp_path, "compare", f"run={folder}", "solutions=9"), 2)


def _solutions(root: Path) -> int:
    return sum(
        path.read_bytes().count(b'"event": "solution"')
        for path in root.glob("cache/c*/cache/r*/journal.jsonl")
    )


def _completions(path: Path) -> int:
    with CompletionStore(path, read_only=True) as store:
        return store.totals.completions


def test_equal_calls_are_a_cap_that_holds(server: OpenAIServer, tmp_path: Path) -> None:
    content = finish(start(server, tmp_path, *settings(server, "equal=calls", "budget.calls=17", "seeds=0")))
    calls = {arm["arm"]: arm["runs"][0]["calls"] for arm in content["arms"]}
    assert max(calls.values()) <= 17
    assert min(calls.values()) >= 12, "an arm spends what it is given"
    attempted = {arm["arm"]: arm["runs"][0]["attempted"] for arm in content["arms"]}
    assert attempted["evolution"] > attempted["plansearch"] >= attempted["rsdict"]


def test_a_budget_that_ends_runs_early_is_said(server: OpenAIServer, tmp_path: Path) -> None:
    content = finish(start(server, tmp_path, *settings(server, "budget.calls=14", "seeds=0")), 3)
    assert all(arm["runs"][0]["calls"] <= 14 for arm in content["arms"])


def test_no_comparison_of_that_name(server: OpenAIServer, tmp_path: Path) -> None:
    assert "No comparison c1" in finish(start(server, tmp_path, "compare", "run=c1"), 2)
