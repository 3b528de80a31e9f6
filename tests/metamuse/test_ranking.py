"""What leaderboards go by where gains are equal."""

from __future__ import annotations

from metamuse import ranking
from metamuse.proposers.programs import best_distinct
from metamuse.state import Entry
from tests.support.fake_run import FakeProblem, fake_state


def test_of_equal_solutions_the_earlier_one_comes_first_beyond_four_digits_too() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=20)
    twin = state.executable()[0]
    later, earlier = (Entry(id, "solution", id, "ok", scores=dict(twin.scores)) for id in ("s10000", "s9999"))
    assert ranking.ranked(problem, state, [later, earlier]) == [earlier, later]
    assert best_distinct([later, earlier], lambda entry: 0.0, 5) == [earlier]


def test_ids_with_digits_keep_their_order() -> None:
    ids = ["arc", "lirs", "lru", "s0007", "s0007-tuned", "s0010", "s3fifo", "sieve"]
    assert sorted(["s0007", "s0007-tuned", "s0010"], key=ranking.in_order) == ids[3:6]
    assert sorted(["sieve", "lru", "s3fifo", "arc", "lirs"], key=ranking.in_order) == [
        "arc", "lirs", "lru", "s3fifo", "sieve",
    ]  # fmt: skip
