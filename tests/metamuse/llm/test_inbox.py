"""``llm=inbox``: prompts as files, answers as files, nothing lost and nothing asked twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from metamuse.errors import UsageError
from metamuse.llm import (
    Budget,
    BudgetExhausted,
    CompletionStore,
    LLMClient,
    LLMConfig,
    LLMReply,
    LLMRequest,
    preflight,
)
from metamuse.llm.inbox import InboxTransport
from metamuse.llm.inbox_ledger import FILE, Asked

CONFIG = LLMConfig(provider="inbox", concurrency=4)
SYSTEM = {"role": "system", "content": "Answer with a word."}


def request(n: int, purpose: str = "observation", *more: dict[str, str]) -> LLMRequest:
    messages = [SYSTEM, {"role": "user", "content": f"Question {n}"}, *more]
    return LLMRequest(purpose, messages, f"{purpose}/{n}/{len(more)}", seed=n)


def session(
    folder: Path,
    body: Callable[[LLMClient], Awaitable[Any]],
    changes: list[list[int]] | None = None,
    config: LLMConfig = CONFIG,
    budget: Budget | None = None,
) -> Any:
    """One process that works on a run."""

    def on_change(numbers: Sequence[int]) -> None:
        if changes is not None:
            changes.append(list(numbers))

    async def work() -> Any:
        transport = InboxTransport(folder, on_change, poll_s=0.005, settle_s=0.01)
        with CompletionStore(folder / "completions.jsonl") as store:
            async with LLMClient(config, store, budget, transport=transport) as client:
                return await asyncio.wait_for(body(client), 20)

    return asyncio.run(work())


async def appears(path: Path) -> str:
    while not path.is_file():
        await asyncio.sleep(0.002)
    return path.read_text(encoding="utf-8")


def interrupted(folder: Path, *requests: LLMRequest, waiting: int) -> None:
    """A session in which nobody answers, ended as by Ctrl-C once so many prompts wait."""

    async def body(client: LLMClient) -> None:
        tasks = [asyncio.ensure_future(client.complete(r)) for r in requests]
        while len(list((folder / "inbox").glob("[0-9]*.md"))) < waiting:
            await asyncio.sleep(0.002)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    session(folder, body)


def test_a_prompt_becomes_a_file_and_its_answer_is_read_from_one(tmp_path: Path) -> None:
    async def body(client: LLMClient) -> LLMReply:
        task = asyncio.ensure_future(client.complete(request(1)))
        page = await appears(tmp_path / "inbox/0001-observation.md")
        assert "outbox/0001.md" in page
        assert "````text\nAnswer with a word.\n\n---\n\nQuestion 1\n````" in page
        (tmp_path / "outbox/0001.md").write_text("stone")
        return await task

    changes: list[list[int]] = []
    reply = session(tmp_path, body, changes)
    assert (reply.text, reply.model, reply.cost_usd, reply.cached) == ("stone", "inbox", None, False)
    assert reply.tokens_in > 0 and reply.tokens_out > 0
    assert changes[0] == [1]
    assert (tmp_path / "inbox/done/0001-observation.md").is_file()
    assert not (tmp_path / "inbox/0001-observation.md").exists()
    assert (tmp_path / "outbox/0001.md").read_text() == "stone", "answers are left alone"


def test_what_was_answered_is_never_asked_again_and_can_be_replayed(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox/1.txt").write_text("stone")
    session(tmp_path, lambda client: client.complete(request(1)))
    (tmp_path / "outbox/1.txt").unlink()
    again = session(tmp_path, lambda client: client.complete(request(1)))
    assert (again.text, again.cached) == ("stone", True)
    assert session(tmp_path, lambda c: c.complete(request(1)), config=LLMConfig(provider="replay")) == again


def test_numbers_and_files_survive_an_interruption_and_any_deletion(tmp_path: Path) -> None:
    interrupted(tmp_path, request(1), request(2), waiting=2)
    page = (tmp_path / "inbox/0002-observation.md").read_text()
    with CompletionStore(tmp_path / "completions.jsonl") as store:
        assert (store.totals.lost, store.totals.tokens_in) == (0, 0), "nobody bills for a prompt that waits"
    for path in (tmp_path / "inbox").glob("*.md"):
        path.unlink()
    # Another order of asking; the answer came while nothing ran.
    (tmp_path / "outbox/0002.md").write_text("two")

    async def body(client: LLMClient) -> list[LLMReply]:
        tasks = [asyncio.ensure_future(client.complete(request(n))) for n in (3, 2, 1)]
        assert (await tasks[1]).text == "two"
        assert await appears(tmp_path / "inbox/0001-observation.md")
        assert await appears(tmp_path / "inbox/0003-observation.md")
        (tmp_path / "inbox/0001-observation.md").unlink()
        (tmp_path / "outbox/0003.md").write_text("three")
        (tmp_path / "outbox/0001.md").write_text("one")
        return await asyncio.gather(*tasks)

    assert [r.text for r in session(tmp_path, body)] == ["three", "two", "one"]
    assert (tmp_path / "inbox/done/0002-observation.md").read_text() == page


def test_an_answer_that_was_taken_but_not_recorded_is_taken_again(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox/0001.md").write_text("stone")
    session(tmp_path, lambda client: client.complete(request(1)))
    (tmp_path / "completions.jsonl").unlink()  # as if the process had been killed in between
    assert session(tmp_path, lambda client: client.complete(request(1))).text == "stone"
    (tmp_path / "completions.jsonl").unlink()
    (tmp_path / "outbox/0001.md").unlink()
    interrupted(tmp_path, request(1), waiting=1)
    assert Asked.of(tmp_path / FILE).waiting == [1]


def test_no_more_prompts_are_open_than_wanted_and_several_can_be_pasted_at_once(tmp_path: Path) -> None:
    async def body(client: LLMClient) -> list[LLMReply]:
        tasks = [asyncio.ensure_future(client.complete(request(n))) for n in range(1, 7)]
        page = await appears(tmp_path / "inbox/all-observation.md")
        assert page.count("Answer with a word.") == 1
        assert [f"Question {n}" in page for n in range(1, 7)] == 4 * [True] + 2 * [False]
        assert len(list((tmp_path / "inbox").glob("0*.md"))) == 4
        (tmp_path / "outbox/all.md").write_text(
            "Sure.\n" + "".join(f"**=== {n:04d} ===**\n\nanswer {n}\n\n" for n in range(1, 5))
        )
        await asyncio.gather(*tasks[:4])
        (tmp_path / "outbox/all.md").write_text("=== 0006 ===\nanswer 6\n=== 0005 ===\nanswer 5\n")
        return await asyncio.gather(*tasks)

    changes: list[list[int]] = []
    assert [r.text for r in session(tmp_path, body, changes)] == [f"answer {n}" for n in range(1, 7)]
    opened = [numbers for numbers in changes if numbers]
    assert opened[0] == [1, 2, 3, 4]
    # The places of the answered ones become free one by one, so the two that waited may be told apart or together.
    assert opened[-1] == [5, 6] and all(set(numbers) <= {5, 6} for numbers in opened[1:])
    assert changes[-1] == []
    assert not list((tmp_path / "inbox").glob("*.md"))


def test_a_repeated_question_says_what_was_wrong_with_the_answer(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox/0001.md").write_text("nonsense")
    complaint = "That answer cannot be used: it holds no JSON."
    turns = ({"role": "assistant", "content": "nonsense"}, {"role": "user", "content": complaint})

    async def body(client: LLMClient) -> LLMReply:
        await client.complete(request(1))
        task = asyncio.ensure_future(client.complete(request(1, "observation", *turns)))
        page = await appears(tmp_path / "inbox/0002-observation.md")
        assert "the answer to 0001 could not be used" in page
        assert f"> {complaint}" in page
        assert f"Question 1\n\n---\n\nYour earlier answer:\n\nnonsense\n\n---\n\n{complaint}\n````" in page
        (tmp_path / "outbox/0002.md").write_text("{}")
        return await task

    assert session(tmp_path, body).text == "{}"


def test_a_prompt_that_is_worded_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    interrupted(tmp_path, request(1), waiting=1)
    old = request(1)
    new = LLMRequest("observation", [{"role": "user", "content": "Question one"}], old.key)

    async def body(client: LLMClient) -> LLMReply:
        task = asyncio.ensure_future(client.complete(new))
        await appears(tmp_path / "inbox/0002-observation.md")
        assert not (tmp_path / "inbox/0001-observation.md").exists()
        assert Asked.of(tmp_path / FILE).waiting == [2]
        (tmp_path / "outbox/2.md").write_text("stone")
        return await task

    assert session(tmp_path, body).text == "stone"
    assert Asked.of(tmp_path / FILE).waiting == []


def test_waiting_ends_with_the_minutes_of_the_budget(tmp_path: Path) -> None:
    with pytest.raises(BudgetExhausted):
        session(tmp_path, lambda client: client.complete(request(1)), budget=Budget(minutes=0.1 / 60))
    assert Asked.of(tmp_path / FILE).waiting == [1]


def test_trouble_with_the_disk_is_a_sentence_and_no_silence(tmp_path: Path) -> None:
    async def body(client: LLMClient) -> None:
        task = asyncio.ensure_future(client.complete(request(1)))
        await appears(tmp_path / "inbox/0001-observation.md")
        (tmp_path / "outbox").rmdir()
        (tmp_path / "outbox").write_text("a file where the folder was")
        await task

    with pytest.raises(UsageError, match=r"Cannot read .*outbox"):
        session(tmp_path, body)


def test_settings(tmp_path: Path) -> None:
    named = LLMConfig(provider="inbox", model="gpt-5", code_model="claude")
    preflight(named)  # there is nothing to reach
    assert named.models() == ["inbox/gpt-5", "inbox/claude"]
    with (
        CompletionStore(tmp_path / "completions.jsonl") as store,
        pytest.raises(UsageError, match="price of inbox is unknown"),
    ):
        LLMClient(CONFIG, store, Budget(usd=1.0), transport=InboxTransport(tmp_path, lambda numbers: None))
    priced = LLMConfig(provider="inbox", price_in=1.0, price_out=2.0)
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox/0001.md").write_text("stone")
    reply = session(tmp_path, lambda c: c.complete(request(1)), config=priced, budget=Budget(usd=1.0))
    assert reply.cost_usd == pytest.approx((reply.tokens_in + 2 * reply.tokens_out) / 1e6)


def test_the_ledger_is_lines_of_json(tmp_path: Path) -> None:
    interrupted(tmp_path, request(1), waiting=1)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [(line["event"], line["number"], line["key"]) for line in lines] == [
        ("asked", 1, "observation/1/0")
    ]
