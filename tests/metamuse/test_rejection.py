"""Duplicates are recognised in the child and take over what was measured, whoever finishes first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from evaluators.base import Decisions
from metamuse.config import compose
from metamuse.errors import UsageError
from metamuse.evaluation import Candidates
from metamuse.rejection import LENGTH, Known, Screen, choice, mark, spared
from metamuse.state import RunState
from problems.base import make

POLICY = '''
SHARE = 0.25  # tune: 0.05..0.95


class Policy:
    """Pack into the newest bin that would stay within a share of its room, else into any that fits."""

    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        for b in range(n_open):
            left = remaining[b] - item
            if left >= 0 and left <= SHARE * self.capacity:
                return b
        return -1
'''
RENAMED = (
    POLICY.replace("SHARE", "PART")
    .replace("left", "rest")
    .replace("Pack into", "Into")
    .replace("0.95", "0.9")
)
REWRITTEN = POLICY.replace("left >= 0 and left <=", "0 <= left <=")
RETUNED = POLICY.replace("0.25", "0.5")


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    problem = make(compose(["problem=binpacking"])["problem"])
    probes = list(problem.probes())
    return Candidates(problem, {"feedback": probes, "validation": probes[1:]}, {})


def solution(number: int, result: dict[str, Any], **fields: Any) -> dict[str, Any]:
    about = {"name": f"solution {number}", "source": "", "attempts": []}
    return {"event": "solution", "at": 0.0, "number": number, **about, "result": result, **fields}


def scored(*marks: dict[str, str]) -> RunState:
    """A state with a solution for each."""
    state = RunState()
    for number, own in enumerate(marks):
        rows = [{"workload": "w", "value": 0.1 * number, "details": {"n": 1.0}, "timing": {"seconds": 1.0}}]
        rows[0]["state_bytes"] = 8
        scores = {"feedback": rows, "validation": rows}
        seconds = {"check": 0.1, "compile": 1.0}
        state.apply(solution(number, {"scores": scores, "state_bytes": 8, "marks": own, "seconds": seconds}))
    return state


def marks(program: str, behaviour: str) -> dict[str, str]:
    return {"program": program * LENGTH, "behaviour": behaviour * LENGTH}


def test_a_candidate_is_told_of_those_it_may_know_whoever_was_asked_for_first() -> None:
    state = scored(marks("a", "1"), marks("b", "2"), marks("c", "1"), marks("a", "1"))
    seen = state.ordered()
    wanted = ["", "a", "ab", "abc", "abc"]
    for order in itertools.permutations(range(5)):
        known = Known("behaviour")
        told = {n: known.payload(seen[:n])["known"] for n in order}
        assert [told[n]["program"] for n in range(5)] == ["".join(c * LENGTH for c in w) for w in wanted]
        assert told[4]["behaviour"] == "1" * LENGTH + "2" * LENGTH
    assert Known("none").payload(seen) == {"known": {}}


def test_what_failed_is_no_original() -> None:
    state = RunState()
    event = solution(0, {}) | {"failure": ["crash", "it broke"]}
    state.apply(event | {"result": {"marks": marks("a", "1")}})
    assert Known("exact").payload(state.ordered()) == {"known": {"program": ""}}


@pytest.mark.parametrize(("kind", "how", "size"), [("program", "exact", 8), ("behaviour", "behaviour", None)])
def test_a_duplicate_takes_over_the_scores_of_the_first(kind: str, how: str, size: int | None) -> None:
    state = scored(marks("a", "1"), marks("b", "2"), marks("b", "2"))
    known = Known("behaviour")
    screen = Screen(known.payload(state.ordered())["known"])
    result: dict[str, Any] = {"marks": marks("b", "2"), "structure": "own", "seconds": {"check": 0.2}}
    result |= screen.duplicate({kind: result["marks"][kind]})
    taken = known.take_over(result, state)
    assert taken == {"duplicate": how, "duplicate_of": "s0001"}
    state.apply(solution(3, result, **taken))
    entry = state.solutions[3]
    assert entry.ok and entry.structure == "own" and entry.state_bytes == size
    for which in ("feedback", "validation"):
        assert entry.scores[which].values.tolist() == [0.1]
        assert entry.scores[which].details == ({"n": 1.0},) and entry.scores[which].timing == ({},)
    counts, seconds = spared(state)
    assert counts == {"exact": 0, "behaviour": 0, "raced": 0} | {how: 1}
    assert seconds == pytest.approx(0.9)


def test_children_recognise_texts_and_behaviour(candidates: Candidates) -> None:
    def ask(source: str, known: dict[str, str] | None = None) -> dict[str, Any]:
        task = {"op": "evaluate", "source": source, "sets": ["feedback", "validation"]}
        return candidates(task | ({} if known is None else {"known": known}))

    first = ask(POLICY)
    known = first["marks"]
    same = ask(RENAMED, known)
    assert same["duplicate"] == ["program", known["program"]]
    assert "compile" not in same["seconds"] and list(same["constants"]) == ["PART"]
    like = ask(REWRITTEN, known)
    assert like["duplicate"] == ["behaviour", known["behaviour"]] and like["scores"].keys() == {"feedback"}
    assert ask(RETUNED, known)["scores"].keys() == {"feedback", "validation"}
    assert "duplicate" not in ask(REWRITTEN, {"program": known["program"]}), "only exact ones were asked for"
    whole = ask(REWRITTEN)
    for which, rows in whole["scores"].items():
        assert [r["value"] for r in rows] == [r["value"] for r in first["scores"][which]]
        assert [r["workload"] for r in rows] == [w.name for w in candidates.sets[which]]


def test_simulators_that_keep_no_decisions_have_no_behaviour() -> None:
    assert mark([Decisions(3, 5), None]) == ""
    assert mark([Decisions(3, 5)]) != mark([Decisions(3, 6)]) != mark([Decisions(4, 6)])
    assert Screen({"behaviour": ""}).duplicate({"behaviour": ""}) == {}


def test_unknown_settings_are_refused() -> None:
    assert choice({"search": {"duplicates": "exact"}}) == "exact"
    with pytest.raises(UsageError, match="behaviour, exact, none"):
        choice({"search": {"duplicates": "some"}})
