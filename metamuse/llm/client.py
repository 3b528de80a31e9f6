"""Asks models on behalf of the loop: within the budget, patiently but not for ever, and never twice for one
answer."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType

import numpy as np

from metamuse.llm.budget import Budget, Reservation, estimate_prompt_tokens
from metamuse.llm.config import LLMConfig
from metamuse.llm.errors import BudgetExhausted, LLMBadAnswer, LLMConfigError, LLMUnavailable, ReplayMissing
from metamuse.llm.litellm_transport import LitellmTransport
from metamuse.llm.memory import Memory, key_of
from metamuse.llm.parse import AnswerError, parse_answer
from metamuse.llm.prices import Price, price_of
from metamuse.llm.retry import Backoff
from metamuse.llm.store import REMEMBERED, CompletionStore, Record
from metamuse.llm.transport import Transport, TransportFailure
from metamuse.llm.types import Call, LLMReply, LLMRequest, RawAnswer

#: A wait the endpoint asks for is honoured up to this multiple of ``llm.max_backoff_s``.
_RETRY_AFTER_FACTOR = 10

_PROBLEMS = {
    "empty": "{model} answered with an empty text{hint}.",
    "refusal": "{model} refused to answer.",
    "context": "The prompt does not fit the context window of {model}.",
    "failing": "{model} fails on this prompt while it answers others: {text}",
}
#: No model reads or writes as many tokens in one call: an endpoint that says so is not believed.
_MOST_TOKENS = 10_000_000


class LLMClient:
    """One per run; used from one event loop; an async context manager.

    Args:
        config: Models, endpoint, patience.
        store: Record of completions. Whatever it holds is not asked again; with ``llm=replay`` nothing is
            asked.
        budget: Caps; None for none. What the store says was spent earlier is the caller's to restore.
        transport: Carries the calls; None takes litellm.
        memory: Answers of earlier runs to requests that may share them; None to ask anew.
        rng: Jitter of the pauses; None seeds one. It has no influence on any answer.
        sleep: For tests.
    """

    def __init__(
        self,
        config: LLMConfig,
        store: CompletionStore,
        budget: Budget | None = None,
        *,
        transport: Transport | None = None,
        memory: Memory | None = None,
        rng: np.random.Generator | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._store = store
        self._budget = budget or Budget()
        self._transport = transport or LitellmTransport(config)
        self._memory = memory
        self._backoff = Backoff(config.backoff_s, config.max_backoff_s, rng or np.random.default_rng(0))
        self._sleep = sleep
        self._semaphore = asyncio.Semaphore(config.concurrency)
        self._same_call: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._prices: dict[str, Price | None] = {m: price_of(m, config) for m in config.models()}
        if config.provider != "replay":
            self._budget.check_prices(dict(self._prices))
        self._quiet_until = 0.0
        self._answers = 0

    async def __aenter__(self) -> LLMClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes connections; the store stays open."""
        await self._transport.aclose()

    async def complete(self, request: LLMRequest) -> LLMReply:
        """Returns the answer to a request, from the record if it is there.

        Raises:
            LLMBadAnswer: Empty, refused or too long a prompt, also after ``llm.max_reasks`` further asks.
            LLMUnavailable: No answer after ``llm.max_retries`` further attempts.
            LLMConfigError: The endpoint, key or model is wrong.
            BudgetExhausted: A cap leaves no room.
            ReplayMissing: ``llm=replay`` and not in the record.
            UsageError: The record cannot be written.
        """
        purpose = request.purpose
        call = Call(
            request,
            self._config.model_for(purpose),
            self._config.temperature_for(purpose) if request.temperature is None else request.temperature,
            self._config.max_tokens_for(purpose) if request.max_tokens is None else request.max_tokens,
        )
        # The same call made twice at once is one call: the second waits, then finds the first one's record.
        lock = self._same_call.setdefault(f"{call.model} {call.digest(0)}", asyncio.Lock())
        async with lock:
            asked: list[Record] = []
            for ask in range(self._config.max_reasks + 1):
                record = self._store.get(call, ask)
                cached = record is not None
                if record is None and ask == 0 and request.shared:
                    record = self._remembered(call)
                    cached = record is not None
                if record is None:
                    record = await self._ask(call, ask)
                    self._remember(call, record)
                answer = record.answer
                asked.append(record)
                if not answer.problem:
                    costs = [r.cost_usd for r in asked]
                    return LLMReply(
                        text=answer.text,
                        tokens_in=sum(r.answer.tokens_in for r in asked),
                        tokens_out=sum(r.answer.tokens_out for r in asked),
                        cost_usd=None if None in costs else sum(c for c in costs if c is not None),
                        latency_s=sum(r.latency_s for r in asked),
                        model=record.model,
                        cached=cached,
                        finish_reason=answer.finish_reason,
                    )
                if answer.problem in ("context", "failing"):
                    break  # asking again cannot help
            assert record is not None  # at least one ask
            raise _bad_answer(record, call)

    def _remembered(self, call: Call) -> Record | None:
        """The answer of an earlier run, taken into this run's record; it costs nothing."""
        text = self._memory.get(key_of(call.model, call.messages)) if self._memory else None
        if text is None:
            return None
        record = Record(RawAnswer(text, REMEMBERED, 0, 0), call.model, 0.0, 0.0)
        self._store.add(call, 0, record, durable=False)
        return record

    def _remember(self, call: Call, record: Record) -> None:
        if self._memory is None or not call.request.shared or record.answer.problem:
            return
        try:
            parse_answer(record.answer.text, call.request.json_schema or {})
        except AnswerError:
            return
        self._memory.put(key_of(call.model, call.messages), record.answer.text)

    async def _ask(self, call: Call, ask: int) -> Record:
        if self._config.provider == "replay":
            raise ReplayMissing(
                f"{self._store.path} holds no answer for call {call.request.key} with this prompt: replay "
                "with the problem, seed and llm settings of the recorded run."
            )
        await self._transport.start()
        failures = 0
        answers_before = self._answers
        while True:
            await self._rest()
            try:
                async with self._semaphore:
                    return await self._attempt(call, ask)
            except TransportFailure as failure:
                failures += 1
                asked_s = failure.retry_after_s
                too_long = asked_s is not None and asked_s > _RETRY_AFTER_FACTOR * self._config.max_backoff_s
                if failure.final or too_long or failures > self._config.max_retries:
                    if not (failure.final or failure.busy) and self._answers - answers_before >= failures:
                        # The endpoint works: it is this prompt. Recorded, so that a resumed run meets the same.
                        return await self._record(call, ask, _failing(failure, failures), 0.0)
                    wait = f" It asks to wait {asked_s:.0f} s." if too_long else ""
                    attempts = "1 attempt" if failures == 1 else f"{failures} attempts"
                    raise LLMUnavailable(f"No answer after {attempts}: {failure.message}{wait}") from failure
                pause = self._backoff.pause_s(failures, asked_s)
                if asked_s is not None:
                    # The limit is the account's, not this call's: everybody rests.
                    self._quiet_until = max(self._quiet_until, time.monotonic() + asked_s)
                await self._sleep(min(pause, max(0.0, self._budget.remaining_s())))

    async def _rest(self) -> None:
        while (left := self._quiet_until - time.monotonic()) > 0:
            self._budget.check_time()
            await self._sleep(min(left, max(0.0, self._budget.remaining_s())))

    async def _attempt(self, call: Call, ask: int) -> Record:
        price = self._prices[call.model]
        tokens_in = estimate_prompt_tokens(call.messages)
        worst = price.cost(tokens_in, call.max_tokens) if price else None
        with await self._budget.reserve(tokens_in + call.max_tokens, worst) as reservation:
            if self._config.is_billed():
                self._store.add_asked(call, ask, reservation.tokens, worst)
            started = time.perf_counter()
            try:
                async with asyncio.timeout(_finite(self._budget.remaining_s())):
                    answer = await self._transport.send(call, call.request.seed + ask)
            except TransportFailure as failure:
                if failure.billed:
                    self._lose(call, ask, failure.message, reservation)
                else:
                    self._store.add_refused(call, ask)
                raise
            except LLMConfigError:
                self._store.add_refused(call, ask)
                raise
            except TimeoutError as error:
                self._lose(call, ask, "the budget's minutes ended before the answer", reservation)
                raise BudgetExhausted(
                    "minutes", "budget.minutes ended while a call was in flight."
                ) from error
            except asyncio.CancelledError:
                self._lose(call, ask, "interrupted before the answer", reservation)
                raise
            answer = _counted(answer, call)
            cost = _cost(answer, price)
            reservation.settle(answer.tokens_in + answer.tokens_out, cost)
        self._answers += 1
        return await self._record(call, ask, answer, time.perf_counter() - started)

    async def _record(self, call: Call, ask: int, answer: RawAnswer, latency_s: float) -> Record:
        cost = _cost(answer, self._prices[call.model])
        record = Record(answer, call.model, cost, latency_s)
        if cost == 0.0:
            self._store.add(call, ask, record, durable=False)
        else:
            # In a thread because of the fsync. It was paid for: an interruption waits until it is written.
            write = asyncio.ensure_future(asyncio.to_thread(self._store.add, call, ask, record))
            try:
                await asyncio.shield(write)
            except asyncio.CancelledError:
                await write
                raise
        return record

    def _lose(self, call: Call, ask: int, reason: str, reservation: Reservation) -> None:
        if not self._config.is_billed():
            return
        reservation.settle_in_full()
        self._store.add_lost(call, ask, reason, reservation.tokens, reservation.usd)


def _bad_answer(record: Record, call: Call) -> LLMBadAnswer:
    problem = record.answer.problem
    hint = (
        f" (llm.max_tokens={call.max_tokens} was used up)" if record.answer.finish_reason == "length" else ""
    )
    text = record.answer.text
    return LLMBadAnswer(problem, _PROBLEMS[problem].format(model=record.model, hint=hint, text=text))


def _failing(failure: TransportFailure, failures: int) -> RawAnswer:
    return RawAnswer(
        f"{failures} attempts, the last one: {failure.message}", "error", 0, 0, problem="failing"
    )


def _counted(answer: RawAnswer, call: Call) -> RawAnswer:
    """Fills in usage that a server left out or that cannot be true, so that caps hold all the same."""
    tokens_in, tokens_out = answer.tokens_in, answer.tokens_out
    silent = bool(answer.text) and tokens_in == tokens_out == 0
    if silent or not 0 <= tokens_in <= _MOST_TOKENS:
        tokens_in = estimate_prompt_tokens(call.messages)
    if silent or not 0 <= tokens_out <= _MOST_TOKENS:
        tokens_out = estimate_prompt_tokens([{"role": "assistant", "content": answer.text}])
    cached = min(max(0, answer.cached_tokens_in), tokens_in)
    return replace(answer, tokens_in=tokens_in, tokens_out=tokens_out, cached_tokens_in=cached)


def _cost(answer: RawAnswer, price: Price | None) -> float | None:
    return price.cost(answer.tokens_in, answer.tokens_out, answer.cached_tokens_in) if price else None


def _finite(seconds: float) -> float | None:
    return None if seconds == float("inf") else max(0.0, seconds)
