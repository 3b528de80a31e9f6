"""What is particular to each proposer."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from metamuse import config, proposers
from metamuse.errors import UsageError
from metamuse.llm import AnswerError, LLMRequest
from metamuse.proposers import Program, Proposal
from metamuse.proposers.evolution import POPULATION
from metamuse.proposers.islands import Islands
from metamuse.proposers.plansearch import FIRST_ORDER
from metamuse.proposers.programs import best_distinct, listing
from metamuse.proposers.refinement import POOL
from metamuse.state import Entry
from tests.metamuse.proposers.support import Model, build, solution


def propose(arm: str, i: int, seen: list[Entry], model: Model | None = None) -> Proposal:
    async def run() -> Proposal:
        return await build(arm, model or Model())[0].propose(i, seen)

    return asyncio.run(run())


def gain(entry: Entry) -> float:
    return 100 * (1 - float(entry.scores["feedback"].mean))


def level(i: int, value: float) -> Entry:
    return solution(i, [value] * 3)


def code_question(model: Model) -> str:
    (request,) = [r for r in model.requests if r.purpose == "code"]
    return request.messages[1]["content"]


# -- FunSearch


def islands(reset: int = 100) -> Islands:
    proposer, waypoints = build("islands", Model())
    assert isinstance(proposer, Islands)
    return Islands(waypoints, proposer.founder, gain, 3, islands=4, reset=reset)


def test_every_island_begins_with_the_founder() -> None:
    for i in range(4):
        model = Model()
        assert propose("islands", i, [], model).record == {"parents": ["fifo"], "operator": f"island {i}"}
        assert "FOUNDER" in code_question(model)


def test_islands_do_not_mix() -> None:
    seen = [level(i, 0.3 + 0.01 * i) for i in range(16)]
    for i in range(16, 24):
        parents = propose("islands", i, seen).record["parents"]
        assert all(int(p[1:]) % 4 == i % 4 for p in parents if p != "fifo")


def test_the_better_program_is_shown_last() -> None:
    seen = [level(i, 0.3 + 0.01 * (i % 7)) for i in range(32)]
    for i in range(32, 40):
        parents = propose("islands", i, seen).record["parents"]
        gains = [0.0 if p == "fifo" else gain(seen[int(p[1:])]) for p in parents]
        assert gains == sorted(gains)


def test_a_worse_program_does_not_displace_the_founder() -> None:
    seen = [solution(0, [0.99, 0.99, 0.99])]  # the reference has 0.8
    shown = Counter(propose("islands", 4 * k, seen).record["parents"][-1] for k in range(1, 12))
    assert set(shown) == {"fifo"}, "the last one is the better one"


def test_the_worse_half_begins_again_from_the_best_of_the_better() -> None:
    # Island 0 is the best, then 1, 2, 3; within an island the later solution is the better one.
    seen = [level(i, 0.5 + 0.1 * (i % 4) - 0.01 * (i // 4)) for i in range(9)]
    before, after = islands(reset=100)._population(seen), islands(reset=8)._population(seen)
    ids = [[e.id for e in island] for island in after]
    assert [[e.id for e in island] for island in before][2:] == [["s0002", "s0006"], ["s0003", "s0007"]]
    assert ids == [["s0000", "s0004", "s0008"], ["s0001", "s0005"], ["s0005"], ["s0004"]]


def test_a_reset_of_empty_islands_leaves_them_to_the_founder() -> None:
    seen = [solution(i, failed=True) for i in range(9)]
    assert islands(reset=4)._population(seen) == [[], [], [], []]


def test_what_nobody_measured_is_shown_without_a_gain() -> None:
    text = listing([Program("incumbent", "x = 1", None), Program("s0001", "y = 2", 3.14159)])
    assert "Program 1, not measured yet:" in text
    assert "Program 2, gain 3.14:" in text


# -- evolution


def test_the_first_generation_is_sampled() -> None:
    seen = [level(i, 0.5 - 0.01 * i) for i in range(POPULATION)]
    assert propose("evolution", POPULATION - 1, seen[:-1]).record == {}
    assert propose("evolution", POPULATION, seen).record["operator"] == "differ"


def test_better_programs_are_parents_more_often_and_the_worst_never() -> None:
    seen = [level(i, 0.2 + 0.01 * i) for i in range(2 * POPULATION)]  # s0000 is the best
    counts = Counter(p for i in range(20, 320) for p in propose_parents("evolution", i, seen))
    assert set(counts) == {f"s{i:04d}" for i in range(POPULATION)}
    assert sum(counts[f"s{i:04d}"] for i in range(5)) > sum(counts[f"s{i:04d}"] for i in range(5, 10))


def propose_parents(arm: str, i: int, seen: list[Entry]) -> list[str]:
    return list(_built(arm, i, seen).record["parents"])


_PROPOSERS: dict[str, Any] = {}


def _built(arm: str, i: int, seen: list[Entry]) -> Proposal:
    """With one proposer for many calls, which is quicker."""
    if arm not in _PROPOSERS:
        _PROPOSERS[arm] = build(arm, Model())[0]

    async def run() -> Proposal:
        proposal: Proposal = await _PROPOSERS[arm].propose(i, seen)
        return proposal

    return asyncio.run(run())


def test_reflection_comes_before_the_program_and_is_heeded() -> None:
    model = Model()
    seen = [level(i, 0.5 - 0.01 * i) for i in range(POPULATION)]
    assert propose("evolution", 14, seen, model).record["operator"] == "reflect"
    assert [r.key for r in model.requests] == ["14/reflection", "14/code"]
    assert "Heed this advice: mechanisms " in code_question(model)


def test_a_lonely_program_is_modified_instead_of_reflected_on() -> None:
    model = Model()
    proposal = propose("evolution", 14, [level(0, 0.5)], model)
    assert proposal.record == {"parents": ["s0000"], "operator": "modify"}
    assert [r.key for r in model.requests] == ["14/code"]


def test_equal_scores_count_once() -> None:
    entries = [level(0, 0.5), level(1, 0.4), level(2, 0.4), level(3, 0.6), solution(4, failed=True)]
    assert [e.id for e in best_distinct(entries, gain, 10)] == ["s0001", "s0000", "s0003"]
    assert [e.id for e in best_distinct(entries, gain, 2)] == ["s0001", "s0000"]


# -- refinement


def test_refinement_begins_late_and_takes_the_useful() -> None:
    seen = [level(i, 0.3 + 0.01 * i) for i in range(40)]  # s0000 is the best
    assert "stimuli" in propose("refined", 9, seen).record, "of 20 solutions the second half is refined"
    parents = {p for i in range(10, 60) for p in propose_parents("refined", i, seen)}
    assert {int(p[1:]) for p in parents} <= set(range(POOL))
    assert len(parents) > POOL // 2


def test_among_the_useful_the_one_that_behaves_least_alike_is_the_partner() -> None:
    seen = [solution(i, [0.30, 0.30, 0.30 + 0.001 * i]) for i in range(6)] + [solution(6, [0.10, 0.50, 0.31])]
    pairs = [_built("refined", i, seen).record["parents"] for i in range(11, 61, 2)]
    assert {other for first, other in pairs if first != "s0006"} == {"s0006"}
    assert any(first != "s0006" for first, _ in pairs)


def test_a_design_is_varied_alone_every_second_time() -> None:
    proposal = propose("refined", 12, [level(0, 0.3), level(1, 0.4)])
    assert proposal.record["operator"] == "vary"
    assert len(proposal.record["parents"]) == 1


def test_programs_with_equal_scores_are_not_combined() -> None:
    assert propose("refined", 11, [level(0, 0.3), level(1, 0.3)]).record["operator"] == "vary"


# -- without waypoints


def test_without_waypoints_the_words_are_in_the_code_prompt() -> None:
    model = Model()
    proposal = propose("rsdict_sf_nowr", 0, [], model)
    assert [r.purpose for r in model.requests] == ["code"]
    question = code_question(model)
    assert all(word in question for word in proposal.record["stimuli"])
    assert proposal.brief == question
    assert proposal.design == {}


# -- PlanSearch


def test_the_first_observations_are_asked_for_once() -> None:
    model = Model()
    proposer, _ = build("plansearch", model)

    async def run() -> list[Proposal]:
        return list(await asyncio.gather(*(proposer.propose(i, []) for i in range(6))))

    subsets = {tuple(p.record["mechanisms"][:2]) for p in asyncio.run(run())}
    assert len(subsets) == 6, "no subset comes again before all were there"
    assert Counter(key.split("/")[0] for key in model.keys("observation")) == {
        "observation": 1,
        **{str(i): 1 for i in range(6)},
    }
    first = model.requests[0].messages[1]["content"]
    assert f"Mechanisms wanted: {FIRST_ORDER}" in first


def test_a_first_answer_that_cannot_be_used_poisons_nothing() -> None:
    def results(order: list[int]) -> dict[int, Any]:
        model = Model(unusable=r"observation/first-order/[01](/|$)")
        proposer, _ = build("plansearch", model)

        async def run() -> list[Any]:
            return list(
                await asyncio.gather(*(proposer.propose(i, []) for i in order), return_exceptions=True)
            )

        return dict(zip(order, asyncio.run(run()), strict=True))

    found = results([0, 1, 2, 3])
    assert isinstance(found[0], AnswerError)
    assert isinstance(found[1], AnswerError)
    assert isinstance(found[2], Proposal)
    assert {i: str(r) for i, r in results([3, 2, 1, 0]).items()} == {i: str(r) for i, r in found.items()}


def test_an_interrupted_proposal_leaves_the_others_their_answer() -> None:
    class Slow(Model):
        async def complete(self, request: LLMRequest) -> Any:
            await asyncio.sleep(0.01)
            return await super().complete(request)

    async def run() -> Proposal:
        proposer, waypoints = build("plansearch", Slow())
        first = asyncio.create_task(proposer.propose(0, []))
        second = asyncio.create_task(proposer.propose(1, []))
        await asyncio.sleep(0.001)
        first.cancel()
        proposal = await second
        await waypoints.close()
        return proposal

    assert asyncio.run(run()).design


# -- sampling


def test_previous_designs_are_the_latest_in_order() -> None:
    model = Model()
    seen = [level(i, 0.5) for i in range(5)] + [solution(5, failed=True)]
    propose("repeated_sampling_previous", 9, seen, model)
    question = model.requests[0].messages[1]["content"]
    assert [line for line in question.splitlines() if line.startswith("- ")] == [
        "- name 2: idea 2",
        "- name 3: idea 3",
        "- name 4: idea 4",
    ]


class _Sealed(Entry):
    """A solution whose texts lie on disk."""

    def __getattribute__(self, name: str) -> Any:
        assert name not in ("data", "source"), "reading it again costs a read of the journal"
        return super().__getattribute__(name)


@pytest.mark.parametrize("arm", ["repeated_sampling", "repeated_sampling_previous", "refined", "evolution"])
def test_texts_of_old_and_useless_solutions_are_not_read(arm: str) -> None:
    """At 10,000 solutions a proposal must not read them all from the journal."""
    old = [level(i, 0.79) for i in range(3)]
    sealed = [_Sealed(e.id, e.kind, "", "ok", scores=e.scores) for e in old]
    good = [level(i, 0.3 + 0.01 * i) for i in range(3, 20)]
    assert propose(arm, 21, [*sealed, *good]).source


# -- settings


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["search.method=gradient"], "no search.method=gradient"),
        (["search.previous=3"], "search.previous belongs to"),
        (["search.method=islands", "search.refine=0.3"], "search.method=islands makes none"),
        (["search.waypoints=off", "search.refine=0.3"], "search.waypoints=off makes none"),
        (["search.method=plansearch", "search.waypoints=off"], "belongs to search.method=metamuse"),
        (["search.refine=1.5"], "is a share"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        proposers.check(config.compose(overrides))
