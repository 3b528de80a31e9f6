"""The record: what is in it survives crashes, and nothing else is in it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.errors import UsageError
from metamuse.llm import CompletionStore, LLMRequest
from metamuse.llm.store import REMEMBERED, Record
from metamuse.llm.types import Call, RawAnswer


def _call(key: str = "s1/code/0", content: str = "write", model: str = "openai/m", **changes: object) -> Call:
    request = LLMRequest(
        "code", [{"role": "system", "content": "contract"}, {"role": "user", "content": content}], key
    )
    values = {"temperature": 0.5, "max_tokens": 100} | changes
    return Call(request, model, **values)  # type: ignore[arg-type]


def _record(text: str = "answer", cost: float | None = 0.25) -> Record:
    return Record(RawAnswer(text, "stop", 10, 5), "openai/m", cost, 1.5)


def test_what_was_added_is_found_again_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "run" / "completions.jsonl"
    with CompletionStore(path) as store:
        store.add(_call(), 0, _record())
        assert store.get(_call(), 0) == _record()
    with CompletionStore(path) as store:
        assert store.get(_call(), 0) == _record()
        assert (store.totals.completions, store.totals.cost_usd, store.totals.tokens_in) == (1, 0.25, 10)


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        (_call(), 1),
        (_call(key="s2/code/0"), 0),
        (_call(content="other"), 0),
        (_call(model="openai/other"), 0),
        (_call(temperature=0.6), 0),
        (_call(max_tokens=101), 0),
    ],
)
def test_anything_different_is_another_call(store: CompletionStore, call: Call, ask: int) -> None:
    store.add(_call(), 0, _record())
    assert store.get(call, ask) is None


def test_no_model_takes_the_recorded_one(store: CompletionStore) -> None:
    store.add(_call(), 0, _record())
    found = store.get(_call(model=""), 0)
    assert found is not None and found.model == "openai/m"


def test_a_prompt_message_is_written_once(store: CompletionStore) -> None:
    store.add(_call("a"), 0, _record())
    store.add(_call("b", content="second"), 0, _record())
    kinds = [json.loads(line)["kind"] for line in store.path.read_text().splitlines()]
    assert kinds.count("message") == 3
    contents = [[m["content"] for m in row["messages"]] for row in store.completions()]
    assert contents == [["contract", "write"], ["contract", "second"]]


@given(cut=st.integers(min_value=0))
def test_every_torn_tail_loses_only_the_torn_line(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "c.jsonl"
    with CompletionStore(path) as store:
        store.add(_call("a"), 0, _record("first"))
        whole = path.stat().st_size
        store.add(_call("b"), 0, _record("second"))
    data = path.read_bytes()
    path.write_bytes(data[: whole + cut % (len(data) - whole)])
    with CompletionStore(path) as store:
        first = store.get(_call("a"), 0)
        assert first is not None and first.answer.text == "first"
        assert store.get(_call("b"), 0) is None
        store.add(_call("b"), 0, _record("again"))
    with CompletionStore(path, read_only=True) as store:
        again = store.get(_call("b"), 0)
        assert again is not None and again.answer.text == "again" and len(store) == 2


def test_lost_attempts_count(store: CompletionStore) -> None:
    store.add_lost(_call(), 0, "time-out", tokens=300, cost_usd=0.5)
    assert (store.totals.lost, store.totals.cost_usd, store.totals.tokens_in) == (1, 0.5, 300)


def test_unknown_price_stays_unknown(store: CompletionStore) -> None:
    store.add(_call(), 0, _record(cost=None))
    found = store.get(_call(), 0)
    assert found is not None and found.cost_usd is None and store.totals.unknown_price == 1


def test_lone_surrogates_do_not_lose_an_answer(store: CompletionStore) -> None:
    store.add(_call(content="\ud800"), 0, _record("x\udc00y"))
    found = store.get(_call(content="\ud800"), 0)
    assert found is not None and found.answer.text == "x?y"


def test_damage_inside_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"kind": "completion"\n{}\n')
    with pytest.raises(UsageError, match="damaged at byte 0"):
        CompletionStore(path)


def test_missing_record_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        CompletionStore(tmp_path / "none.jsonl", read_only=True)


def test_full_disk_is_a_sentence_and_leaves_whole_lines(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(_call("a"), 0, _record())
    before = store.path.read_bytes()
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if offset > len(before):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data[:20], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(UsageError, match="No space left on device; make room, then resume"):
        store.add(_call("b"), 0, _record())
    assert store.path.read_bytes() == before
    monkeypatch.undo()
    store.add(_call("b"), 0, _record())
    assert store.get(_call("b"), 0) == _record()


def test_calls_are_what_was_answered_or_lost(store: CompletionStore) -> None:
    store.add(_call(), 0, _record())
    store.add(_call(), 1, Record(RawAnswer("", "stop", 10, 0, problem="empty"), "openai/m", 0.1, 1.0))
    store.add_lost(_call("s2"), 0, "reset", 300, 0.5)
    store.add(
        _call("s3"),
        0,
        Record(RawAnswer("8 attempts", "error", 0, 0, problem="failing"), "openai/m", 0.0, 0.0),
    )
    store.add(_call("s4"), 0, Record(RawAnswer("known", REMEMBERED, 0, 0), "openai/m", 0.0, 0.0))
    assert store.totals.completions == 4
    assert store.totals.calls == 3


def test_what_is_in_flight_at_a_kill_counts_with_its_reservation(tmp_path: Path) -> None:
    """Opening again without closing is what a killed process leaves."""
    path = tmp_path / "c.jsonl"
    first = CompletionStore(path)
    for key in ("answered", "refused", "lost", "cut", "cut too"):
        first.add_asked(_call(key), 0, 300, 0.5)
    first.add(_call("answered"), 0, _record())
    first.add_refused(_call("refused"), 0)
    first.add_lost(_call("lost"), 0, "time-out", 300, 0.5)
    totals = first.totals
    assert (totals.lost, totals.killed, totals.at_a_kill) == (1, 0, ""), (
        "nothing is lost while the process lives"
    )
    with CompletionStore(path, read_only=True, at_work=True) as watching:
        assert watching.totals == totals, "nor for who looks on"

    with CompletionStore(path) as store:
        totals = store.totals
        assert (totals.completions, totals.lost, totals.calls) == (1, 3, 4)
        assert (totals.killed, totals.killed_tokens, totals.killed_usd) == (2, 600, 1.0)
        assert totals.cost_usd == pytest.approx(0.25 + 3 * 0.5) and totals.tokens_in == 10 + 3 * 300
        assert totals.at_a_kill.startswith(
            "2 calls were in flight when the run was killed; they may have been"
        )
        store.add_asked(_call("cut"), 0, 300, 0.5)  # it is asked again, and answered
        store.add(_call("cut"), 0, _record())
        resumed = store.totals
    with CompletionStore(path, read_only=True) as store:
        assert store.totals == resumed, "each is counted once, however often the record is opened"
        assert (resumed.killed, resumed.completions) == (2, 2)
    first.close()


def test_a_call_killed_twice_counts_twice(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    for kills in (0, 1, 2):
        store = CompletionStore(path)
        assert store.totals.killed == kills
        store.add_asked(_call(), 0, 300, None)
        store.close()
    assert "an unknown price" in CompletionStore(path, read_only=True).totals.at_a_kill


def test_only_what_may_be_in_flight_is_refused(store: CompletionStore) -> None:
    store.add_refused(_call(), 0)
    assert not store.path.read_bytes()


def test_an_older_record_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    row = {"kind": "lost", "key": "a", "model": "m", "reason": "reset", "tokens": 300, "cost_usd": 0.5}
    path.write_text(json.dumps(row) + "\n")
    with CompletionStore(path) as store:
        assert (store.totals.lost, store.totals.killed) == (1, 0)
