"""Hard caps on money, tokens, calls and time, reserved before a call and settled after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from metamuse.errors import UsageError
from metamuse.llm.errors import BudgetExhausted
from metamuse.llm.types import Message

#: Bytes of UTF-8 that one token stands for at least, on average over a prompt. English prose and Python have
#: 3.5 to 4.5 with current tokenizers; 3 errs on the side of reserving too much.
_BYTES_PER_TOKEN = 3
#: Tokens that chat formats add to each message (role and separators).
_TOKENS_PER_MESSAGE = 8


def estimate_prompt_tokens(messages: Sequence[Message]) -> int:
    """Returns a cautious number of prompt tokens: higher than the provider's count for ordinary text."""
    return sum(
        -(-len(m["content"].encode("utf-8", "replace")) // _BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE
        for m in messages
    )


@dataclass(frozen=True)
class Spent:
    """What has been used.

    Attributes:
        usd: US dollars of the calls whose price is known.
        tokens: Prompt and completion tokens.
        minutes: Minutes since the budget was created, plus those restored.
        calls: Calls that were answered, or may have been billed.
    """

    usd: float
    tokens: int
    minutes: float
    calls: int = 0


class Reservation:
    """Room held for one call; a context manager that gives back whatever was not settled."""

    def __init__(self, budget: Budget, tokens: int, usd: float) -> None:
        self._budget = budget
        self.tokens = tokens
        self.usd = usd
        self._open = True

    def settle(self, tokens: int, usd: float | None) -> None:
        """Books what the call really used and frees the rest.

        Args:
            tokens: Prompt and completion tokens.
            usd: US dollars, None if the price is unknown.
        """
        self._close(tokens, usd or 0.0, 1)

    def settle_in_full(self) -> None:
        """Books the whole reservation: the call may have been billed, but nobody will say how much."""
        self._close(self.tokens, self.usd, 1)

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._close(0, 0.0, 0)

    def _close(self, tokens: int, usd: float, calls: int) -> None:
        assert self._open, "a reservation is settled once"
        self._open = False
        self._budget._settled(self, tokens, usd, calls)


class Budget:
    """Caps of a run. Every cap holds: what is spent plus what is reserved never exceeds it.

    Not thread-safe: used from one event loop.

    Args:
        usd: US dollars, None for no cap.
        tokens: Prompt plus completion tokens, None for no cap.
        minutes: Wall-clock minutes, None for no cap.
        calls: Calls, None for no cap.
        clock: Seconds; monotonic.
        allow_unknown_price: Let calls of unknown price through although ``usd`` is capped.
    """

    def __init__(
        self,
        usd: float | None = None,
        tokens: int | None = None,
        minutes: float | None = None,
        calls: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        allow_unknown_price: bool = False,
    ) -> None:
        for name, cap in (("usd", usd), ("tokens", tokens), ("minutes", minutes), ("calls", calls)):
            if cap is not None and not cap > 0:
                raise UsageError(f"budget.{name}={cap} must be above 0 (leave it out for no cap).")
        self._cap_usd = usd
        self._cap_tokens = tokens
        self._cap_minutes = minutes
        self._cap_calls = calls
        self._allow_unknown_price = allow_unknown_price
        self._clock = clock
        self._started = clock()
        self._usd = 0.0
        self._tokens = 0
        self._calls = 0
        self._earlier_minutes = 0.0
        self._held_usd = 0.0
        self._held_tokens = 0
        self._held_calls = 0
        self._changed = asyncio.Event()

    @property
    def spent(self) -> Spent:
        """What has been settled so far; calls in flight are not in it."""
        minutes = self._earlier_minutes + (self._clock() - self._started) / 60
        return Spent(self._usd, self._tokens, minutes, self._calls)

    def restore(self, *, usd: float = 0.0, tokens: int = 0, minutes: float = 0.0, calls: int = 0) -> None:
        """Adds what an interrupted run had already spent."""
        self._calls += calls
        self._usd += usd
        self._tokens += tokens
        self._earlier_minutes += minutes

    def remaining_s(self) -> float:
        """Returns the seconds until the minutes are used up (infinite without a cap)."""
        if self._cap_minutes is None:
            return float("inf")
        return (self._cap_minutes - self.spent.minutes) * 60

    def check_prices(self, prices: dict[str, object | None]) -> None:
        """Refuses to start under a dollar cap with a model whose price nobody knows.

        Args:
            prices: Any mapping from model to price, None where unknown (``price_table`` gives one).

        Raises:
            UsageError: A price is unknown, ``budget.usd`` is set and ``budget.allow_unknown_price`` is not.
        """
        unknown = [model for model, price in prices.items() if price is None]
        if unknown and self._cap_usd is not None and not self._allow_unknown_price:
            raise UsageError(
                f"budget.usd cannot be kept because the price of {unknown[0]} is unknown: set llm.price_in "
                "and llm.price_out (US dollars per million tokens), use budget.tokens instead, or set "
                "budget.allow_unknown_price=true."
            )

    def check_time(self) -> None:
        """Raises BudgetExhausted if the minutes are used up."""
        if self.remaining_s() <= 0:
            raise BudgetExhausted("minutes", f"budget.minutes={self._cap_minutes:g} is used up.")

    async def reserve(self, tokens: int, usd: float | None) -> Reservation:
        """Holds room for a call; waits while calls in flight may still give back enough.

        Args:
            tokens: The most the call can use, prompt and completion.
            usd: The most it can cost, None if its price is unknown.

        Raises:
            BudgetExhausted: There is no room, and none can come back.
        """
        self.check_prices({"the model": usd})
        need_usd = usd or 0.0
        while True:
            self.check_time()
            refusal = self._refusal(tokens, need_usd)
            if refusal is None:
                break
            if self._held_calls == 0:
                raise refusal
            self._changed.clear()
            left = self.remaining_s()
            try:
                async with asyncio.timeout(None if left == float("inf") else left):
                    await self._changed.wait()
            except TimeoutError:
                continue  # check_time says so
        self._held_tokens += tokens
        self._held_usd += need_usd
        self._held_calls += 1
        return Reservation(self, tokens, need_usd)

    def _refusal(self, tokens: int, usd: float) -> BudgetExhausted | None:
        if self._cap_tokens is not None and self._tokens + self._held_tokens + tokens > self._cap_tokens:
            return BudgetExhausted(
                "tokens",
                f"budget.tokens={self._cap_tokens} has no room for a call of up to {tokens} tokens "
                f"({self._tokens} used).",
            )
        if self._cap_usd is not None and self._usd + self._held_usd + usd > self._cap_usd:
            return BudgetExhausted(
                "usd",
                f"budget.usd={self._cap_usd:g} has no room for a call of up to ${usd:.4f} "
                f"(${self._usd:.4f} spent).",
            )
        if self._cap_calls is not None and self._calls + self._held_calls >= self._cap_calls:
            return BudgetExhausted("calls", f"budget.calls={self._cap_calls} are made.")
        return None

    def _settled(self, reservation: Reservation, tokens: int, usd: float, calls: int) -> None:
        self._held_tokens -= reservation.tokens
        self._held_usd -= reservation.usd
        self._held_calls -= 1
        if self._held_calls == 0:
            self._held_usd = 0.0  # no drift from float sums
        self._tokens += tokens
        self._usd += usd
        self._calls += calls
        self._changed.set()
