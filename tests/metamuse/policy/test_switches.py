"""A program with switches decides as the program does, and with one off as the text without that piece."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import evaluators.binpacking.simulator as binpacking
import evaluators.cache.simulator as cache
from evaluators.base import Decisions, PolicyError
from metamuse.llm.parse import extract_code
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.observed import Observed
from metamuse.policy.program import load
from metamuse.policy.reprint import reprint
from metamuse.policy.switchboard import Board, board
from metamuse.policy.switches import Switch, switches, without
from tests.metamuse.policy.test_corpus import job, stream

CORPUS = Path(__file__).parents[2] / "corpus"
FUEL = 200_000


class Trials:
    """Runs a program's switches, compiled, on one small workload."""

    def __init__(self, simulator: Any, source: str, init: tuple[int, ...], workload: Any) -> None:
        self.simulator = simulator
        self.workload = workload
        self.source = source
        self.program = load(source, simulator.CONTRACT)
        self.found = switches(self.program.tree, simulator.CONTRACT)
        self.board: Board = board(self.program.tree, self.found)
        self.policy = CompiledPolicy(load(self.board.source, simulator.CONTRACT), init)
        self.loop = simulator.bind(self.policy)
        self.plain = self.run_text(source)

    def run(self, off: list[Switch]) -> Decisions | str:
        """Decisions with some switches off, or how it fails."""
        policy = Observed(self.policy)
        fresh = policy.state

        def state(*init: Any) -> Any:
            made = fresh(*init)
            self.board.set(made, off, FUEL)
            return made

        policy.state = state  # type: ignore[method-assign]
        try:
            made: Decisions = self.simulator.simulate(policy, self.loop, self.workload).decisions
        except PolicyError as error:
            return error.kind
        assert all(0 <= self.board.fuel_left(s) <= FUEL for s in policy.states)
        return made

    def text(self, off: list[Switch]) -> str:
        return reprint(self.source, without(self.program.tree, off))

    def run_text(self, source: str) -> Decisions | str:
        """What a text decides, interpreted."""
        policy = InterpretedPolicy(load(source, self.simulator.CONTRACT), None, self.floats())
        try:
            made: Decisions = self.simulator.simulate(
                policy, self.simulator.bind(policy), self.workload
            ).decisions
        except PolicyError as error:
            return error.kind
        return made

    def floats(self) -> frozenset[str]:
        return self.policy.floats


@functools.cache
def trials(name: str) -> Trials:
    source = extract_code((CORPUS / f"{name}.md").read_text(encoding="utf-8"))
    if name.startswith("cache"):
        return Trials(cache, source, (10, 31), job())
    return Trials(binpacking, source, (100,), stream())


@pytest.mark.parametrize("name", ["cache-03", "cache-11", "binpacking-01"])
def test_a_switch_does_what_removing_the_text_does(name: str) -> None:
    tried = trials(name)
    assert tried.run([]) == tried.plain
    outcomes: Counter[str] = Counter()
    for switch in tried.found:
        if not switch.exact:
            continue
        off = tried.run([switch])
        if isinstance(off, str):
            outcomes["fails"] += 1  # perhaps by not ending: the text is not tried
            continue
        outcomes["same" if off == tried.plain else "other"] += 1
        assert tried.run_text(tried.text([switch])) == off, tried.text([switch])
    assert outcomes["other"] > 5, "most pieces of these policies matter"


def test_the_largest_pieces_come_first_and_all_are_smaller() -> None:
    tried = trials("cache-03")
    weights = [switch.weight for switch in tried.found]
    assert weights == sorted(weights, reverse=True)
    size = sum(1 for _ in ast.walk(tried.program.tree))
    for switch in tried.found:
        assert sum(1 for _ in ast.walk(without(tried.program.tree, [switch]))) < size


ENDLESS = """
from metamuse.policykit import List

class Policy:
    def __init__(self, capacity, n_slots):
        self.order = List(n_slots)

    def victim(self, slot, key, size, now):
        i = 0
        while i < 3:
            i += 1
        for j in range(hash_of(key) % 7):
            i -= 1
        return self.order.back()

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.order.push_front(slot)


def hash_of(key):
    n = 0
    while key > 0:
        key = key // 2
        n += 1
    return n
"""


def test_a_loop_that_no_longer_ends_is_ended() -> None:
    tried = Trials(cache, ENDLESS, (10, 31), job())
    deleted = {s: tried.run([s]) for s in tried.found if s.action == "delete"}
    assert "crash" in deleted.values(), "without i += 1 the loop goes on until its fuel is burnt"
    texts = [tried.text([s]) for s in tried.found]
    assert all(text.count("key // 2") == 1 for text in texts), "outside the class there is no fuel"


PIECES = """
class Policy:
    def __init__(self, capacity):
        self.n = 0

    def choose(self, item, remaining, n_open):
        best = -1
        for b in range(n_open):
            if remaining[b] >= item and (best < 0 or remaining[b] * 1 + 0 < max(remaining[best], 0)):
                best = b if self.n >= 0 else b - 1
        return best
"""


WAYS_OUT = """
class Policy:
    def __init__(self, capacity):
        self.n = 0

    def choose(self, item, remaining, n_open):
        b = 0
        while b < n_open:
            if remaining[b] >= item:
                return b
            if b > 100000:
                break
            if b < 0:
                b += 2
            b += 1
        for c in range(n_open):
            if c < 0:
                break
        return -1
"""


def test_a_way_out_of_a_while_loop_stays() -> None:
    program = load(WAYS_OUT, binpacking.CONTRACT)
    found = switches(program.tree, binpacking.CONTRACT)
    texts = [reprint(WAYS_OUT, without(program.tree, [switch])) for switch in found]
    loops = [text.partition("for c")[0] for text in texts]
    assert all("return b\n" in text and "break" in text for text in loops)
    assert any("b += 2" not in text for text in texts) and any("c < 0" not in text for text in texts)


def test_operands_sides_and_arguments_can_be_left_out() -> None:
    tried = Trials(binpacking, PIECES, (100,), stream())
    same = [s for s in tried.found if tried.run([s]) == tried.plain]
    lines = {tried.text([s]) for s in same}
    assert any("remaining[b] + 0 <" in text for text in lines)
    assert any("remaining[b] * 1 <" in text for text in lines)
    assert any("best = b\n" in text for text in lines)
    assert any("< remaining[best])" in text for text in lines)
    assert not any("if best < 0 or" in text for text in lines), "it would not look for room"
    both = [s for s in tried.found if s.one_of >= 0]
    assert len(both) == 2 and both[0].bars(both[1])
