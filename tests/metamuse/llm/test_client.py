"""The client against a real HTTP server that misbehaves, through litellm."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from metamuse.errors import UsageError
from metamuse.llm import (
    Budget,
    BudgetExhausted,
    CompletionStore,
    LLMBadAnswer,
    LLMClient,
    LLMConfig,
    LLMConfigError,
    LLMReply,
    LLMRequest,
    LLMUnavailable,
    ReplayMissing,
    Totals,
)
from tests.support.openai_server import Behaviour, OpenAIServer


def _config(server: OpenAIServer, **changes: Any) -> LLMConfig:
    values: dict[str, Any] = {
        "provider": "litellm",
        "model": "openai/test-model",
        "api_base": server.base_url,
        "backoff_s": 0.001,
        "max_retries": 2,
        "timeout_s": 5.0,
    }
    return LLMConfig(**(values | changes))


def _request(key: str = "s1/observation/0", **changes: Any) -> LLMRequest:
    return LLMRequest("observation", [{"role": "user", "content": "Say something."}], key, **changes)


def _run(
    store: CompletionStore,
    config: LLMConfig,
    body: Callable[[LLMClient], Awaitable[Any]],
    budget: Budget | None = None,
    **options: Any,
) -> Any:
    async def run() -> Any:
        async with LLMClient(config, store, budget, **options) as client:
            return await body(client)

    return asyncio.run(run())


def _ask(store: CompletionStore, config: LLMConfig, **changes: Any) -> LLMReply:
    reply = _run(store, config, lambda client: client.complete(_request(**changes)))
    assert isinstance(reply, LLMReply)
    return reply


def test_a_normal_answer(store: CompletionStore) -> None:
    with OpenAIServer() as server:
        reply = _ask(store, _config(server, price_in=1.0, price_out=2.0), seed=7, temperature=0.25)
        body = server.seen.bodies[0]
    assert reply.text == '{"answer": 1}' and reply.finish_reason == "stop" and not reply.cached
    assert reply.cost_usd == pytest.approx((reply.tokens_in + 2 * reply.tokens_out) / 1e6)
    assert (body["model"], body["seed"], body["temperature"]) == ("test-model", 7, 0.25)
    assert "response_format" not in body
    assert server.seen.headers[0]["authorization"] == "Bearer no-key-needed"


def test_a_server_that_counts_no_tokens_is_counted_for(store: CompletionStore) -> None:
    with OpenAIServer(default="no_usage") as server:
        reply = _ask(store, _config(server))
    assert reply.tokens_in > 0 and reply.tokens_out > 0


def test_a_schema_goes_only_to_models_that_take_one(store: CompletionStore) -> None:
    schema = {"type": "object", "required": ["answer"], "additionalProperties": False}
    with OpenAIServer() as server:
        _ask(store, _config(server, model="openai/gpt-4o"), json_schema=schema)
        _ask(store, _config(server), json_schema=schema)
        first, second = server.seen.bodies
    assert first["response_format"]["json_schema"]["schema"]["required"] == ["answer"]
    assert "response_format" not in second


@pytest.mark.parametrize("kind", ["429", "500", "503", "reset", "malformed", "truncated", "no_choices"])
def test_passing_failures_are_retried(store: CompletionStore, kind: str) -> None:
    with OpenAIServer([kind, kind]) as server:
        assert _ask(store, _config(server)).text == '{"answer": 3}'
        assert server.chats == 3


@pytest.mark.parametrize("kind", ["429", "500", "reset", "malformed", "truncated"])
def test_retries_are_bounded(store: CompletionStore, kind: str) -> None:
    with OpenAIServer(default=kind) as server:
        with pytest.raises(LLMUnavailable, match="No answer after 3 attempts"):
            _ask(store, _config(server))
        assert server.chats == 3


def test_an_empty_account_is_not_retried(store: CompletionStore) -> None:
    with OpenAIServer(default="quota") as server:
        with pytest.raises(LLMUnavailable, match="quota"):
            _ask(store, _config(server))
        assert server.chats == 1


@pytest.mark.parametrize("attribute", ["code", "type", ""])
def test_an_empty_account_is_known_by_code_or_words(attribute: str) -> None:
    """Releases of openai differ in where they keep the provider's code."""
    import litellm

    from metamuse.llm.litellm_failures import classify
    from metamuse.llm.transport import TransportFailure
    from metamuse.llm.types import Call

    cause = ValueError("All is spent." if attribute else "All is spent (insufficient_quota).")
    if attribute:
        setattr(cause, attribute, "insufficient_quota")
    error = litellm.RateLimitError("All is spent.", "openai", "test-model")
    error.__cause__ = cause
    with pytest.raises(TransportFailure) as met:
        classify(
            error, Call(_request(), "openai/test-model", 1.0, 100), LLMConfig("litellm", "openai/test-model")
        )
    assert met.value.final


@pytest.mark.parametrize("kind", ["stall", "ok"])
def test_slow_answers_time_out(store: CompletionStore, kind: str) -> None:
    slow = Behaviour(kind, delay_s=0.0 if kind == "stall" else 30.0)
    with OpenAIServer([slow]) as server:
        started = time.monotonic()
        assert _ask(store, _config(server, timeout_s=0.5)).text
        assert 0.5 <= time.monotonic() - started < 8
    assert store.totals.lost == 1  # it may have been billed


def test_retry_after_is_kept_by_everybody(store: CompletionStore) -> None:
    async def body(client: LLMClient) -> None:
        await client.complete(_request("a"))
        await client.complete(_request("b"))

    with OpenAIServer([Behaviour("429", retry_after="1")]) as server:
        _run(store, _config(server), body)
        first, second, _ = server.seen.arrived
    assert 1.0 <= second - first < 2.0

    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds / 100)

    impatient = pytest.raises(LLMUnavailable, match="asks to wait 9999 s")
    with OpenAIServer([Behaviour("429", retry_after="9999")]) as server, impatient:
        _run(store, _config(server), lambda c: c.complete(_request("c")), sleep=sleep)
    assert pauses == []


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("401", r"rejects the key \(401\): set OPENAI_API_KEY"),
        ("403", r"\(403\): set OPENAI_API_KEY or llm.model"),
        ("404", r"does not serve openai/test-model \(404\): set llm.model"),
        ("400", r"does not accept the request \(400\).*llm.max_tokens.*at most 1024"),
    ],
)
def test_wrong_settings_are_not_retried(store: CompletionStore, kind: str, sentence: str) -> None:
    with OpenAIServer(default=kind) as server:
        with pytest.raises(LLMConfigError, match=sentence):
            _ask(store, _config(server))
        assert server.chats == 1


@pytest.mark.parametrize("parameter", ["max_tokens", "temperature", "seed", "response_format"])
def test_what_a_model_does_not_take_is_left_out(store: CompletionStore, parameter: str) -> None:
    with OpenAIServer(default=parameter) as server:
        config = _config(server, model="openai/gpt-4o")
        for key in ("a", "b"):
            assert _ask(store, config, key=key, json_schema={"type": "object"}, max_tokens=77).text
        first, second, *_ = server.seen.bodies
    assert parameter in first and parameter not in second
    assert (second.get("max_completion_tokens") == 77) == (parameter == "max_tokens")
    rows = list(store.completions())
    assert [row["answer"]["without"] for row in rows] == [parameter] * 2
    assert store.totals.lost == 0


@pytest.mark.parametrize("kind", ["negative_usage", "huge_usage", "null_usage"])
def test_usage_that_cannot_be_true_is_estimated(store: CompletionStore, kind: str) -> None:
    with OpenAIServer(default=kind) as server:
        reply = _ask(store, _config(server, price_in=1.0, price_out=1.0))
    assert 0 < reply.tokens_in < 50 and 0 < reply.tokens_out < 50
    assert reply.cost_usd is not None and 0 < reply.cost_usd < 1e-3


@pytest.mark.parametrize("kind", ["html", "garbage", "stream", "latin1", "endless", "drip", "reset_inside"])
def test_unreadable_answers_are_retried_and_booked(store: CompletionStore, kind: str) -> None:
    with OpenAIServer([kind]) as server:
        assert _ask(store, _config(server, timeout_s=1.5)).text
        assert server.chats == 2
    assert store.totals.lost == 1


def test_a_prompt_that_fails_alone_is_a_failed_answer(store: CompletionStore) -> None:
    def chooser(body: dict[str, Any], number: int, attempt: int) -> Behaviour:
        return Behaviour("500" if body["messages"][0]["content"] == "poison" else "ok")

    async def body(client: LLMClient) -> list[Any]:
        poison = LLMRequest("observation", [{"role": "user", "content": "poison"}], "poison")
        others = (client.complete(_request(f"s{i}")) for i in range(20))
        return await asyncio.gather(client.complete(poison), *others, return_exceptions=True)

    with OpenAIServer(chooser=chooser) as server:
        for _ in range(2):  # the second time from the record
            failed, *answered = _run(store, _config(server, backoff_s=0.2, concurrency=4), body)
            assert isinstance(failed, LLMBadAnswer) and failed.kind == "failing"
            assert "3 attempts" in str(failed) and "500" in str(failed)
            assert all(isinstance(reply, LLMReply) for reply in answered)
        assert server.chats == 23


def test_a_wrong_model_is_told(store: CompletionStore) -> None:
    told = pytest.raises(LLMConfigError, match="does not serve openai/test-model")
    with OpenAIServer(models=["llama"]) as server, told:
        _ask(store, _config(server))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("empty", "empty"), ("length", "empty"), ("refusal_field", "refusal"), ("filtered", "refusal")],
)
def test_unusable_answers_are_asked_again_and_replayed(
    store: CompletionStore, kind: str, problem: str
) -> None:
    with OpenAIServer([kind]) as server:
        assert _ask(store, _config(server, max_reasks=1)).text == '{"answer": 2}'
        assert [body["seed"] for body in server.seen.bodies] == [0, 1]
        reply = _ask(store, _config(server, max_reasks=1))
        assert reply.cached and reply.tokens_in == store.totals.tokens_in, "both asks count"
        assert server.chats == 2
    with OpenAIServer(default=kind) as server:
        for _ in range(2):  # the second time from the record
            with pytest.raises(LLMBadAnswer) as caught:
                _ask(store, _config(server, max_reasks=1), key="other")
            assert caught.value.kind == problem
            assert ("llm.max_tokens" in str(caught.value)) == (kind == "length")
        assert server.chats == 2


def test_a_prompt_that_is_too_long_is_asked_once(store: CompletionStore) -> None:
    with OpenAIServer(default="context") as server:
        for _ in range(2):
            with pytest.raises(LLMBadAnswer, match="context window"):
                _ask(store, _config(server))
        assert server.chats == 1


def test_calls_overlap_up_to_the_limit(store: CompletionStore) -> None:
    async def body(client: LLMClient) -> list[LLMReply]:
        await client.complete(_request("warm"))
        server.seen.max_in_flight = 0
        return await asyncio.gather(*(client.complete(_request(f"s{i}")) for i in range(12)))

    with OpenAIServer(default=Behaviour("ok", delay_s=0.3)) as server:
        replies = _run(store, _config(server, concurrency=4), body)
        assert server.seen.max_in_flight == 4
        took = server.seen.arrived[-1] - server.seen.arrived[1]
    assert len({reply.text for reply in replies}) == 12
    assert 0.55 <= took < 1.2  # three rounds: the last begins after two


def test_paid_once_across_clients_and_replayed_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    with OpenAIServer() as server:
        config = _config(server, price_in=1.0, price_out=2.0)
        with CompletionStore(path) as store:
            first = _ask(store, config)
        with CompletionStore(path) as store:
            second = _ask(store, config)
            assert store.totals.completions == 1 and store.totals.cost_usd == first.cost_usd
        assert server.chats == 1
    assert second.cached and (second.text, second.cost_usd) == (first.text, first.cost_usd)
    with CompletionStore(path, read_only=True) as store:
        replay = LLMConfig(provider="replay")
        assert _ask(store, replay).text == first.text
        with pytest.raises(ReplayMissing, match="no answer for call s9/observation/0"):
            _ask(store, replay, key="s9/observation/0")


def test_the_same_call_made_twice_at_once_is_one(store: CompletionStore) -> None:
    async def body(client: LLMClient) -> list[LLMReply]:
        return await asyncio.gather(*(client.complete(_request()) for _ in range(5)))

    with OpenAIServer() as server:
        replies = _run(store, _config(server), body)
        assert server.chats == 1
    assert len({reply.text for reply in replies}) == 1 and sum(not reply.cached for reply in replies) == 1


def test_the_budget_is_never_exceeded(store: CompletionStore) -> None:
    cap = 1000
    budget = Budget(tokens=cap)
    done: list[LLMReply] = []

    async def one(client: LLMClient, i: int) -> None:
        done.append(await client.complete(_request(f"s{i}", max_tokens=200)))
        assert budget.spent.tokens <= cap

    async def body(client: LLMClient) -> list[Any]:
        return await asyncio.gather(*(one(client, i) for i in range(80)), return_exceptions=True)

    with OpenAIServer(answer=lambda body: "word " * 60) as server:
        results = _run(store, _config(server), body, budget)
        assert server.chats == len(done) == store.totals.completions
    failed = [r for r in results if r is not None]
    assert failed and all(isinstance(r, BudgetExhausted) and r.which == "tokens" for r in failed)
    # It ends for lack of room for one more call, not because calls in flight had reserved too much.
    assert cap - 220 <= budget.spent.tokens <= cap


def test_minutes_cut_a_call_short(store: CompletionStore) -> None:
    with OpenAIServer() as server:
        _ask(store, _config(server), key="warm")
    budget = Budget(minutes=0.5 / 60)
    slow = OpenAIServer(default=Behaviour("ok", delay_s=30))
    with slow as server, pytest.raises(BudgetExhausted) as caught:
        _run(store, _config(server, timeout_s=60), lambda c: c.complete(_request()), budget)
    assert caught.value.which == "minutes" and store.totals.lost == 1


def test_a_dollar_cap_needs_a_price(store: CompletionStore) -> None:
    with OpenAIServer() as server, pytest.raises(UsageError, match="price of openai/test-model"):
        LLMClient(_config(server), store, Budget(usd=1.0))


def test_an_interrupted_call_is_booked(store: CompletionStore) -> None:
    budget = Budget()

    async def body(client: LLMClient) -> None:
        await client.complete(_request("warm"))
        task = asyncio.create_task(client.complete(_request("long")))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with OpenAIServer(["ok", Behaviour("ok", delay_s=30)]) as server:
        _run(store, _config(server), body, budget)
    assert store.totals.lost == 1 and budget.spent.tokens > store.totals.tokens_out


def test_secrets_reach_the_server_and_nothing_else(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    canary = "sk-canary-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", canary)
    told: list[str] = []
    with OpenAIServer(["401", "500", "ok"], answer=lambda body: f"your key is {canary}") as server:
        config = _config(server)
        with pytest.raises(LLMConfigError) as caught:
            _ask(store, config)
        told.append(str(caught.value))
        told.append(_ask(store, config).text)
        assert server.seen.headers[0]["authorization"] == f"Bearer {canary}"
    told += [store.path.read_text(), *capfd.readouterr(), caplog.text]
    assert all(canary not in text for text in told)
    assert "[OPENAI_API_KEY]" in told[0] and "[OPENAI_API_KEY]" in told[1]


def test_a_key_under_another_name(store: CompletionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_LOGIN", "canary-abcdef")
    with OpenAIServer(key="canary-abcdef") as server:
        assert _ask(store, _config(server, api_key_env="LAB_LOGIN")).text
    with (
        OpenAIServer(key="another") as server,
        pytest.raises(LLMConfigError, match="set LAB_LOGIN") as caught,
    ):
        _ask(store, _config(server, api_key_env="LAB_LOGIN"), key="other")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("kinds", "lost"),
    [(["429"], 0), (["500", "503"], 0), (["401"], 0), (["malformed"], 1), (["quota"], 0), (["ok"], 0)],
)
def test_what_came_of_a_call_is_on_record(store: CompletionStore, kinds: list[Any], lost: int) -> None:
    with OpenAIServer(kinds) as server, contextlib.suppress(LLMConfigError, LLMUnavailable):
        _ask(store, _config(server))
    with CompletionStore(store.path, read_only=True) as again:
        assert (again.totals.killed, again.totals.lost) == (0, lost)
        assert again.totals == store.totals


def test_a_call_is_on_record_before_it_is_sent(store: CompletionStore) -> None:
    at_the_server: list[Totals] = []

    def answer(body: dict[str, Any]) -> str:
        with CompletionStore(store.path, read_only=True) as seen:  # what a kill at this moment leaves
            at_the_server.append(seen.totals)
        return "here it is"

    budget = Budget(usd=1.0)
    with OpenAIServer(answer=answer) as server:
        config = _config(server, price_in=1.0, price_out=2.0)
        _run(store, config, lambda client: client.complete(_request(max_tokens=1000)), budget)
    (then,) = at_the_server
    assert (then.killed, then.lost, then.calls) == (1, 1, 1)
    assert then.killed_tokens > 1000 and then.killed_usd == pytest.approx((1000 + then.killed_tokens) / 1e6)
    assert store.totals.killed == 0 and store.totals.cost_usd < then.killed_usd
