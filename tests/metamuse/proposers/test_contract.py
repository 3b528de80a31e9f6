"""What every proposer keeps to: the same inputs give the same proposal, whatever else goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from metamuse.llm import AnswerError
from metamuse.proposers import Proposal, Proposer
from metamuse.state import Entry
from tests.metamuse.proposers.support import ARMS, Model, build, solution

LAG = 3
COUNT = 18

every_arm = pytest.mark.parametrize("arm", ARMS)


def history(proposer: Proposer, count: int = COUNT) -> list[Entry]:
    """Solutions as a run of this proposer would leave them, every fifth one failed."""
    entries: list[Entry] = []

    async def run() -> None:
        for i in range(count):
            proposal = await proposer.propose(i, entries[: max(0, i - LAG + 1)])
            data = {"design": proposal.design, **proposal.record}
            entry = solution(i, failed=i % 5 == 4, **data)
            entries.append(entry)

    asyncio.run(run())
    return entries


def proposed(arm: str, entries: Sequence[Entry], order: Sequence[int]) -> dict[int, Proposal]:
    """Proposals that begin in an order and overlap."""

    async def run() -> dict[int, Proposal]:
        proposer, waypoints = build(arm, Model())
        made = await asyncio.gather(*(proposer.propose(i, entries[: max(0, i - LAG + 1)]) for i in order))
        await waypoints.close()
        return dict(zip(order, made, strict=True))

    return asyncio.run(run())


@every_arm
def test_the_order_of_calls_does_not_matter(arm: str) -> None:
    entries = history(build(arm, Model())[0])
    forwards = proposed(arm, entries, range(COUNT))
    assert forwards == proposed(arm, entries, range(COUNT)[::-1])
    for i in (0, COUNT // 2, COUNT - 1):
        assert proposed(arm, entries, [i])[i] == forwards[i], "alone, as in a resumed run"


class Fenced(Sequence[Entry]):
    """A history that fails the test if anything beyond its end or anything of the future is asked for."""

    def __init__(self, entries: Sequence[Entry], end: int) -> None:
        self._entries = entries[:end]

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._entries[index]


@every_arm
def test_nothing_beyond_what_may_be_seen_is_read(arm: str) -> None:
    entries = history(build(arm, Model())[0])
    i, end = COUNT - 1, COUNT - LAG
    other = [*entries[:end], *(solution(j, [0.01, 0.01, 0.01]) for j in range(end, COUNT))]

    async def one(seen: Sequence[Entry]) -> Proposal:
        return await build(arm, Model())[0].propose(i, seen)

    assert asyncio.run(one(Fenced(entries, end))) == asyncio.run(one(Fenced(other, end)))


@every_arm
def test_records_are_json(arm: str) -> None:
    entries = history(build(arm, Model())[0])
    for proposal in proposed(arm, entries, range(COUNT)).values():
        assert json.loads(json.dumps(proposal.record)) == proposal.record
        assert proposal.source.startswith("# ")
        assert proposal.brief
        assert set(proposal.record) <= {
            "stimuli", "candidates", "target", "observations", "mechanisms", "parents", "operator"
        }, "what the state of a run keeps"  # fmt: skip


@every_arm
@pytest.mark.parametrize("failed", [False, True])
def test_nothing_to_learn_from(arm: str, failed: bool) -> None:
    seen = [solution(i, failed=True) for i in range(COUNT)] if failed else []

    async def run() -> Proposal:
        return await build(arm, Model())[0].propose(COUNT + 1, seen)

    assert asyncio.run(run()).source


@every_arm
@pytest.mark.parametrize("what", [r".*code", r"\d+/(formulation|derivation|invention)"])
def test_an_answer_that_cannot_be_used_is_an_answer_error(arm: str, what: str) -> None:
    model = Model(unusable=what)

    async def run() -> Proposal:
        return await build(arm, model)[0].propose(0, [])

    if any(model.unusable.match(key) for key in _asked(arm)):
        with pytest.raises(AnswerError):
            asyncio.run(run())
    else:
        assert asyncio.run(run()).source


def _asked(arm: str) -> list[str]:
    model = Model()

    async def run() -> None:
        await build(arm, model)[0].propose(0, [])

    asyncio.run(run())
    return [r.key for r in model.requests]


@every_arm
def test_keys_of_calls_are_unique(arm: str) -> None:
    model = Model()
    history(build(arm, model)[0])
    keys = [request.key for request in model.requests]
    assert len(keys) == len(set(keys))
