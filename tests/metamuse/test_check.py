"""The contract suite: a sound problem passes, and every defect put into one is found by the check meant for it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from evaluators.base import Contract, Method, PolicyError
from metamuse import config
from metamuse.build import make_problem
from metamuse.checking import probes
from metamuse.checking.cheats import Base, Cheat, cheats
from metamuse.checking.probes import _finding
from metamuse.checking.texts import check_texts, examples
from metamuse.cli import main
from metamuse.policy.program import load
from metamuse.scaffold import write
from tests.support.checkout import copy, python

#: Decides by ints and floats, and is shown both kinds of arrays.
CONTRACT = Contract(
    init=("n",),
    methods=(
        Method("rate", ("load", "history"), ("float", "float[]"), "float", required=True),
        Method("pick", ("sizes", "now"), ("int[]", "int"), "int", required=False),
        Method("note", ("sizes",), ("int[]",), "none", required=False),
        Method("wants", ("size",), ("int",), "bool", required=False),
    ),
)
POLICY = '''
class Policy:
    """Half of what comes."""

    def __init__(self, n):
        self.n = n

    def rate(self, share, past):
        return share * 0.5
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("checkout"))


def check(checkout: Path, name: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = python(checkout, "-m", "metamuse", "check", f"problem={name}", "--json")
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return done.returncode, {row["id"]: row for row in answer["checks"]}


def test_the_scaffold_passes(checkout: Path) -> None:
    write("two_queues", checkout)
    code, rows = check(checkout, "two_queues")
    assert {id: row["message"] for id, row in rows.items() if not row["holds"]} == {}
    assert code == 0
    assert not any("not applicable" in row["message"] for row in rows.values())
    assert set(rows["cheat.mutate"]["figures"]["outcomes"].values()) <= {"contract", "compile", "crash"}
    assert set(rows["cheat.illegal"]["figures"]["outcomes"].values()) == {"illegal", "same score / illegal"}
    assert rows["speed"]["figures"]["decisions_per_s"] > 1e5


#: (file below the package, what stands there, what is put there, checks that must fail).
DEFECTS = [
    ("problems/{}/problem.py", 'version = "bad_queues-v1"', 'version = "bad_queues"', ["version"]),
    ("problems/{}/problem.py", 'neighbours = ("round_robin", ', 'neighbours = ("nobody", ', ["baselines"]),
    ("problems/{}/problem.py", "ideal=0.0", "ideal=5.0", ["metric.ideal"]),
    ("problems/{}/prompts/contract.md", "choose(self, size, backlog, now): ...", "choose(self, size, now): ...", ["prompt.methods"]),
    ("problems/{}/prompts/contract.md", "            return best", "            return best + 99", ["prompt.runs"]),
    ("problems/{}/prompts/situation.md", None, "", ["prompts"]),
    ("problems/{}/mechanisms/__init__.py", "self.last = best", "self.last = unknown", ["mechanisms"]),
    ("problems/{}/baselines/_degraded.py", "backlog[queue] > backlog", "backlog[queue] < backlog", ["metric.degraded"]),
    ("problems/{}/baselines/least_work.py", "return int(np.argmin(backlog))", "return int(np.argmin(backlog)) + (now > 99000)", ["legal"]),
    ("evaluators/{}/workloads.py", '"validation": 1', '"validation": 0', ["sets.disjoint"]),
    ("evaluators/{}/workloads.py", "rng = np.random.default_rng([seed, _STREAM[which], i])", "rng = np.random.default_rng([7, _STREAM[which], i] if which != 'holdout' else None)", ["sets.seed", "sets.repeat"]),
    ("evaluators/{}/simulator.py", "    n = len(jobs.sizes)\n    backlog", "    n = len(jobs.sizes)\n    LEAK.append(n)\n    backlog", []),
    ("evaluators/{}/simulator.py", "total = int(counters[RESPONSE])", "total = int(counters[RESPONSE]) + len(LEAK) * (n > 1000)", ["repeat", "reset", "order"]),
    ("evaluators/{}/simulator.py", "JOB, RESPONSE", "LEAK: list[int] = []\nJOB, RESPONSE", []),
    ("evaluators/{}/simulator.py", "            if chosen < 0 or", "            if chosen < 0:\n                continue\n            if", ["cheat.illegal"]),
    ("evaluators/{}/simulator.py", "total = int(jobs.sizes.sum())", "total = 9 * int(jobs.sizes.sum())", ["metric.bound"]),
]  # fmt: skip


def test_every_defect_is_found(checkout: Path) -> None:
    write("bad_queues", checkout)
    expected: set[str] = set()
    for path, old, new, ids in DEFECTS:
        file = checkout / path.format("bad_queues")
        text = file.read_text()
        assert old is None or text.count(old) == 1, (path, old)
        file.write_text(new if old is None else text.replace(old, new))
        expected |= set(ids)
    code, rows = check(checkout, "bad_queues")
    assert code == 1
    assert {id for id, row in rows.items() if not row["holds"]} == expected, rows
    assert all(row["message"] for row in rows.values() if not row["holds"])


def test_a_problem_that_cannot_be_imported_is_a_failed_check(checkout: Path) -> None:
    write("torn_queues", checkout)
    (checkout / "problems/torn_queues/problem.py").write_text("import nosuch\n")
    done = python(checkout, "-m", "metamuse", "check", "problem=torn_queues")
    assert done.returncode == 1
    assert "FAILS loads" in done.stdout
    assert "No module named 'nosuch'" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["problem=nosuch"], ["problem.capacity=11x"], ["problem.baselines=nosuch"]]
)
def test_bad_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_the_caches_texts_hold_together() -> None:
    problem = make_problem(config.compose(["problem=cache"]))
    assert {f.id: f.message for f in check_texts(problem) if not f.holds} == {}
    assert len(examples(problem)) == 1
    load(examples(problem)[0], problem.contract)


# -- the cheats


def all_cheats() -> list[Cheat]:
    return list(cheats(Base(POLICY, CONTRACT)))


def test_cheats_are_made_for_every_kind_of_method_and_argument() -> None:
    made = all_cheats()
    assert {cheat.group for cheat in made} == set(probes._TEXTS)
    labels = [cheat.label for cheat in made]
    assert len(set(labels)) == len(labels)
    assert 'rate returns float("nan")' in labels
    assert "pick returns -2" in labels
    mutated = {label.partition(":")[0] for label in labels if ":" in label}
    assert mutated == {"rate", "note"}, "an added method that decides would change the score by itself"
    for cheat in made:
        ast.parse(cheat.source)


@pytest.mark.parametrize("cheat", [c for c in all_cheats() if c.ends == ("contract",)], ids=lambda c: c.label)
def test_what_the_language_does_not_have_is_refused_before_anything_runs(cheat: Cheat) -> None:
    with pytest.raises(PolicyError) as error:
        load(cheat.source, CONTRACT)
    assert error.value.kind == "contract"


@pytest.mark.parametrize(
    "cheat",
    [c for c in all_cheats() if c.ends != ("contract",) and "+= 1" not in c.label],
    ids=lambda c: c.label,
)
def test_what_only_running_can_show_passes_the_static_check(cheat: Cheat) -> None:
    if cheat.group != "cheat.mutate":  # some ways of writing are refused statically, which is as good
        load(cheat.source, CONTRACT)


def test_a_cheat_uses_the_policys_own_names() -> None:
    source = Base(POLICY, CONTRACT).with_code("{history}[0] = {load}", CONTRACT.methods[0])
    assert "past[0] = share" in source


@pytest.mark.parametrize(
    ("outcome", "holds", "seen"),
    [
        (("illegal", "no such queue"), True, "illegal"),
        (("crash", "its process died of SIGSEGV"), False, "crash"),
        ([0.5, 0.5], True, "same score"),
        ([0.5, 0.6], True, "no gain"),
        ([0.5, 0.4], False, "gains"),
        ([0.5, float("nan")], False, "gains"),
    ],
)
def test_a_cheat_may_fail_properly_or_gain_nothing(outcome: Any, holds: bool, seen: str) -> None:
    problem = make_problem(config.compose(["problem=cache"]))  # its metric is minimised
    cheat = Cheat("cheat.illegal", "tries", "", ("illegal",), may_pass=True, modes=("compiled",))
    finding = _finding(problem, "cheat.illegal", [(cheat, {"compiled": outcome})], {"compiled": [0.5, 0.5]})
    assert finding.holds is holds
    assert finding.figures["outcomes"] == {"tries": seen}
