"""Caps hold, whatever is in flight."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.errors import UsageError
from metamuse.llm import Budget, BudgetExhausted, estimate_prompt_tokens


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_settled_and_reserved_count_together() -> None:
    async def run() -> None:
        budget = Budget(usd=1.0, tokens=1000)
        with await budget.reserve(600, 0.6) as first:
            waiting = asyncio.create_task(budget.reserve(600, 0.6))
            await asyncio.sleep(0)
            assert not waiting.done()  # the first may give back enough
            first.settle(100, 0.1)
        second = await waiting
        second.settle(600, 0.6)
        assert (budget.spent.tokens, budget.spent.usd) == (700, pytest.approx(0.7))
        with pytest.raises(BudgetExhausted, match="no room") as caught:
            await budget.reserve(301, 0.0)
        assert caught.value.which == "tokens"
        with pytest.raises(BudgetExhausted) as caught:
            await budget.reserve(1, 0.31)
        assert caught.value.which == "usd"

    asyncio.run(run())


def test_unsettled_room_comes_back() -> None:
    async def run() -> None:
        budget = Budget(tokens=100)
        with pytest.raises(ValueError, match="boom"), await budget.reserve(100, None):
            raise ValueError("boom")
        (await budget.reserve(100, None)).settle_in_full()
        assert budget.spent.tokens == 100

    asyncio.run(run())


def test_minutes() -> None:
    clock = _Clock()

    async def run() -> None:
        budget = Budget(minutes=2, clock=clock)
        budget.restore(minutes=1)
        await budget.reserve(1, None)
        assert budget.remaining_s() == pytest.approx(60)
        clock.now = 61
        with pytest.raises(BudgetExhausted) as caught:
            await budget.reserve(1, None)
        assert caught.value.which == "minutes"

    asyncio.run(run())


def test_restored_spending_counts() -> None:
    budget = Budget(usd=1.0)
    budget.restore(usd=0.9, tokens=10)
    with pytest.raises(BudgetExhausted):
        asyncio.run(budget.reserve(1, 0.2))


def test_unknown_price_is_refused_unless_allowed() -> None:
    with pytest.raises(UsageError, match="price of m is unknown"):
        Budget(usd=1.0).check_prices({"m": None})
    Budget(usd=1.0, allow_unknown_price=True).check_prices({"m": None})
    Budget(tokens=5).check_prices({"m": None})


@pytest.mark.parametrize("caps", [{"usd": 0}, {"tokens": -1}, {"minutes": 0.0}])
def test_caps_must_be_positive(caps: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="must be above 0"):
        Budget(**caps)  # type: ignore[arg-type]


@given(
    calls=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=40),
    cap=st.integers(1, 300),
)
def test_a_cap_is_never_exceeded(calls: list[tuple[int, float]], cap: int) -> None:
    async def call(budget: Budget, tokens: int, share: float) -> None:
        try:
            with await budget.reserve(tokens, None) as reservation:
                await asyncio.sleep(0)
                reservation.settle(int(tokens * share), None)
                assert budget.spent.tokens <= cap
        except BudgetExhausted:
            return

    async def run() -> None:
        budget = Budget(tokens=cap)
        await asyncio.gather(*(call(budget, tokens, share) for tokens, share in calls))

    asyncio.run(run())


def test_the_estimate_is_cautious() -> None:
    text = "def victim(self, slot, key, size, now):\n    return self.head\n" * 20
    # cl100k counts about 3.6 characters a token here.
    assert estimate_prompt_tokens([{"role": "user", "content": text}]) > len(text) / 3.6


def test_calls_are_capped_like_tokens() -> None:
    async def run() -> None:
        budget = Budget(calls=3)
        budget.restore(calls=1)
        with await budget.reserve(10, None) as failed, await budget.reserve(10, None) as answered:
            waiting = asyncio.create_task(budget.reserve(10, None))
            await asyncio.sleep(0)
            assert not waiting.done()  # one of the two may cost nothing
            answered.settle(5, None)
            await asyncio.sleep(0)
            assert not waiting.done()
            assert failed.tokens == 10
        (await waiting).settle_in_full()  # lost, and perhaps billed
        assert budget.spent.calls == 3
        with pytest.raises(BudgetExhausted, match=r"budget\.calls=3") as caught:
            await budget.reserve(1, None)
        assert caught.value.which == "calls"

    asyncio.run(run())


def test_a_cap_of_no_calls_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"budget\.calls"):
        Budget(calls=0)
