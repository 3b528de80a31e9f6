"""What is dead by the text alone."""

from __future__ import annotations

import ast

import pytest

from evaluators.cache.simulator import CONTRACT
from metamuse.policy.program import load
from metamuse.policy.reprint import reprint
from metamuse.policy.sweep import is_pure, sweep

HEAD = """
import math
import numpy as np
from metamuse.policykit import Heap, List, Rng

USED = 3  # tune: 1..9
ONCE = 2
UNUSED = 7  # tune: 1..9


def helper(x):
    return x + 1


class Policy:
    def __init__(self, capacity, n_slots):
        self.order = List(n_slots)
"""
TAIL = """
    def victim(self, slot, key, size, now):
        return self.order.back()

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.order.push_front(slot)
"""


def swept(init: str = "", hit: str = "", more: str = "") -> str:
    method = f"\n    def on_hit(self, slot, key, size, now):\n{_indented(hit)}" if hit else ""
    source = HEAD + _indented(init) + method + more + TAIL
    program = load(source, CONTRACT)
    text = reprint(source, sweep(program.tree, program.names, CONTRACT, program.constants))
    load(text, CONTRACT)
    return text


def _indented(text: str) -> str:
    return "".join(f"        {line}\n" for line in text.splitlines())


MINIMAL = swept()


def test_what_nothing_uses_goes() -> None:
    assert (
        MINIMAL.split()
        == (
            "from metamuse.policykit import List class Policy: def __init__(self, capacity, n_slots): "
            "self.order = List(n_slots)" + TAIL
        ).split()
    )


@pytest.mark.parametrize(
    ("init", "hit"),
    [
        ("self.seen = 0", "self.seen += 1"),
        ("self.seen = 0", "self.seen = self.seen * 2 + 1"),
        ("self.last = np.zeros(n_slots)", "self.last[slot] = now"),
        ("self.last = np.zeros(n_slots)", "self.last[slot] = 0.5 * self.last[slot] + math.sqrt(now)"),
        ("self.heap = Heap(n_slots)", "self.heap.push(slot, now)\nself.heap.discard(slot)"),
        ("self.a = 0\nself.b = 0", "self.a = self.b\nself.b += now"),
        ("", "x = now - 1\ny = x * 2"),
        ("", "if now > 5:\n    pass\nelse:\n    pass"),
        ("", "if True:\n    pass\nfor i in range(now):\n    pass"),
        ("", "return"),
    ],
)
def test_state_that_decides_nothing_goes(init: str, hit: str) -> None:
    assert swept(init, hit).split() == MINIMAL.split()


@pytest.mark.parametrize(
    ("init", "hit"),
    [
        ("self.rng = Rng(1)", "if self.rng.below(2) == 0:\n    self.order.move_to_front(slot)"),
        ("self.seen = 0", "self.seen += 1\nif self.seen > USED:\n    self.order.move_to_front(slot)"),
        ("self.heap = Heap(n_slots)", "self.heap.push(slot, now)\nself.order.remove(self.heap.pop())"),
        ("", "i = 0\nwhile i < now:\n    i += 1\n    self.order.move_to_front(slot)"),
        ("", "x = self.order.pop_back()\nself.order.push_front(x)"),
    ],
)
def test_what_matters_stays(init: str, hit: str) -> None:
    text = swept(init, hit)
    for line in hit.splitlines():
        assert line.strip() in text


def test_the_call_stays_where_its_result_goes() -> None:
    text = swept("self.x = 0", "self.x = self.order.pop_back()\nunused = self.order.pop_front()")
    assert "self.x" not in text and "unused" not in text
    assert "        self.order.pop_back()\n        self.order.pop_front()\n" in text


def test_a_number_used_once_is_written_where_it_is_used() -> None:
    text = swept("self.n = ONCE", "if self.n < USED + now:\n    self.order.move_to_front(slot)")
    assert "self.n = 2" in text and "ONCE" not in text
    assert "USED = 3  # tune: 1..9" in text, "a marked constant is the tuner's"


def test_branches_of_constant_conditions() -> None:
    move = "self.order.move_to_front(slot)"
    assert f"now):\n        {move}\n" in swept("", f"if True:\n    {move}\nelse:\n    pass")
    assert f"if not now > 1:\n            {move}\n" in swept("", f"if now > 1:\n    pass\nelse:\n    {move}")
    assert f"if slot not in self.order:\n            {move}\n" in swept(
        "", f"if slot in self.order:\n    pass\nelse:\n    {move}"
    )
    assert f"now):\n        {move}\n" in swept("", f"if now > 1:\n    {move}\nelse:\n    {move}")


def test_helpers_nobody_calls_go_with_what_they_use() -> None:
    more = "\n    def rank(self, x):\n        return self.deep(x) + USED\n\n    def deep(self, x):\n        return helper(x)\n"
    assert swept(more=more).split() == MINIMAL.split()


@pytest.mark.parametrize(
    ("expression", "pure"),
    [
        ("math.sqrt(x) + np.sum(a)", True),
        ("self.order.back() + len(self.order)", True),
        ("self.rng.next()", False),
        ("self.order.pop_back()", False),
        ("self.own(x)", False),
        ("own(x)", False),
        ("max(x, hash64(y))", True),
    ],
)
def test_purity(expression: str, pure: bool) -> None:
    assert is_pure(ast.parse(expression, mode="eval")) is pure
