"""The Pareto front of gains and costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metamuse.front import Cost, costs, front
from metamuse.state import Entry
from tests.support.fake_run import FakeProblem, fake_state

NUMBERS = st.integers(0, 3)


def cost(gain: float, ns: float, work: int | None, state: int) -> Cost:
    return Cost(Entry("x", "solution", "x", "ok"), gain, ns, work, state, None)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=12))
def test_every_policy_is_on_the_front_or_beaten_by_one_that_is(rows: list[tuple[int, int, int, int]]) -> None:
    listed = [cost(*row) for row in rows]
    kept = front(listed)
    assert kept
    for one in listed:
        assert (one in kept) != any(other.beats(one) for other in kept)


def test_better_in_one_and_worse_in_another_beats_nobody() -> None:
    fast, good = cost(1.0, 10.0, 5, 100), cost(2.0, 20.0, 5, 100)
    assert not fast.beats(good) and not good.beats(fast) and not good.beats(good)
    assert cost(2.0, 10.0, 5, 100).beats(fast)


def test_costs_of_a_run() -> None:
    problem = FakeProblem()
    problem.holds = ("item", "items")
    state = fake_state(problem, studied=True)
    found = costs(problem, state, [*state.contenders(), *state.rivals()], "holdout")
    assert [c.gain for c in found] == sorted((c.gain for c in found), reverse=True)
    by_id = {c.entry.id: c for c in found}
    assert by_id["cunning-tuned"].work == by_id["cunning"].work == state.entries["cunning"].work["max"]  # type: ignore[index]
    assert by_id["cunning"].ns == 40.0 and by_id["cunning"].state == 4096
    assert "oracle" not in by_id
