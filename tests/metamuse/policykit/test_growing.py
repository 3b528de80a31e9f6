"""Structures that grow: both modes follow a plain Python model, also across growth; misuse is an error."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metamuse.policykit
from metamuse.policy.layout import state_bytes
from tests.metamuse.policy.twins import Twins, policy

ROOM, MOST_ROOM = 2, 16
LEVELS = 2100  # more than two words of words of 32 bits
PARAMS = {"i": "int", "x": "int"}


class Model:
    """What indices there is room for."""

    def __init__(self) -> None:
        self.room = ROOM
        self.numbers: dict[int, int] = {}

    def index(self, i: int) -> int:
        if not 0 <= i < self.room:
            raise IndexError
        return i

    def length(self) -> int:
        return max(self.numbers, default=-1) + 1


class TreeModel(Model):
    def set(self, i: int, x: int) -> None:
        self.numbers[self.index(i)] = x

    def get(self, i: int) -> int:
        if self.index(i) not in self.numbers:
            raise ValueError
        return self.numbers[i]

    def first(self, x: int, start: int = 0) -> int:
        return min((i for i, y in self.numbers.items() if y >= x and i >= start), default=-1)

    def largest(self, skip: int = -1) -> int:
        return max((i for i in self.numbers if i != skip), key=lambda i: (self.numbers[i], -i), default=-1)


class VectorModel(Model):
    def set(self, i: int, x: int) -> None:
        self.numbers[self.index(i)] = x

    def get(self, i: int) -> int:
        return self.numbers.get(self.index(i), 7)


class BucketsModel(Model):
    """Levels in the order in which ids were put there."""

    def put(self, x: int, level: int) -> None:
        self.at(level)
        self.index(x)
        self.discard(x)
        self.numbers[x] = level

    def at(self, level: int) -> list[int]:
        if not 0 <= level <= LEVELS:
            raise IndexError
        return [x for x, where in self.numbers.items() if where == level]

    def discard(self, x: int) -> bool:
        return self.numbers.pop(x, None) is not None

    def level(self, x: int) -> int:
        return self.numbers.get(x, -1)

    def contains(self, x: int) -> bool:
        return x in self.numbers

    def count(self, level: int) -> int:
        return len(self.at(level))

    def first(self, level: int) -> int:
        return (self.at(level) or [-1])[-1]

    def next_level(self, level: int) -> int:
        return min((where for where in self.numbers.values() if where >= level), default=-1)

    def previous_level(self, level: int) -> int:
        return max((where for where in self.numbers.values() if where <= level), default=-1)

    def at_least(self, level: int) -> int:
        found = self.next_level(level)
        return -1 if found < 0 else self.first(found)

    def highest(self) -> int:
        found = self.previous_level(LEVELS)
        return -1 if found < 0 else self.first(found)

    def length(self) -> int:
        return len(self.numbers)


#: Structure: how it is made, its model, and calls of its methods: what the policy writes and whether it has a value.
STRUCTURES: dict[str, tuple[str, Callable[[], Any], dict[str, bool]]] = {
    "Tree": (
        f"Tree({ROOM})",
        TreeModel,
        {"set(i, x)": False, "get(i)": True, "first(x)": True, "first(x, i)": True, "largest()": True}
        | {"largest(i)": True, "length()": True},
    ),
    "Vector": (f"Vector(7, {ROOM})", VectorModel, {"set(i, x)": False, "get(i)": True, "length()": True}),
    "Buckets": (
        f"Buckets({LEVELS}, room={ROOM})",
        BucketsModel,
        {"put(i, x)": False}
        | dict.fromkeys(["discard(i)", "level(i)", "contains(i)", "count(x)", "first(x)"], True)
        | dict.fromkeys(["next_level(x)", "previous_level(x)", "at_least(x)", "highest()", "length()"], True),
    ),
}


@functools.cache
def twins(structure: str) -> Twins:
    make, _, calls = STRUCTURES[structure]
    bodies = {}
    for number, (call, value) in enumerate(calls.items()):
        text = "len(self.s)" if call == "length()" else f"self.s.{call}"
        bodies[f"do_{number}"] = f"return int({text})" if value else f"{text}\nreturn 0"
    return Twins(policy(f"self.s = {make}", bodies, list(PARAMS)), list(bodies), PARAMS)


def modelled(model: Any, call: str, i: int, x: int) -> Any:
    try:
        result = eval(f"model.{call}", {"model": model, "i": i, "x": x})
    except (IndexError, ValueError) as error:
        return type(error)
    return 0.0 if result is None else float(result)


NUMBERS = st.integers(-3, 6) | st.sampled_from([31, 32, 1023, 1024, 2047, 2048, LEVELS, LEVELS + 1])


@pytest.mark.parametrize("structure", STRUCTURES)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_structure_follows_its_model_in_both_modes(structure: str, data: st.DataObject) -> None:
    _, model_class, calls = STRUCTURES[structure]
    both, model = twins(structure), model_class()
    states = both.states()
    store = next(iter(calls))
    names = st.sampled_from([*calls, "grow"]) | st.just(store)  # half of the steps put something in
    steps = st.tuples(names, st.integers(-1, 18), NUMBERS)
    for call, i, x in data.draw(st.lists(steps, max_size=60)):
        if call == "grow":
            model.room = min(2 * model.room, MOST_ROOM)
            states = both.grow(states, model.room)
            continue
        expected = modelled(model, call, i, x)
        slow, fast = both.call(states, f"do_{list(calls).index(call)}", i, x)
        assert (slow, fast) == (expected, expected), (call, i, x)


def test_every_public_method_is_modelled() -> None:
    for structure, (_, _, calls) in STRUCTURES.items():
        public = {name for name in vars(getattr(metamuse.policykit, structure)) if not name.startswith("_")}
        assert public | {"length"} == {call.partition("(")[0] for call in calls}, structure


def test_every_structure_that_grows_is_tested() -> None:
    kits = {name: getattr(metamuse.policykit, name) for name in metamuse.policykit.__all__}
    assert {name for name, kit in kits.items() if inspect.isclass(kit) and hasattr(kit, "_grow")} == set(
        STRUCTURES
    )


@pytest.mark.parametrize("make", ["Tree(-1)", "Buckets(-1)", "Buckets(4, -1)", "Vector(0, -1)"])
def test_negative_sizes_are_refused(make: str) -> None:
    with pytest.raises(ValueError, match="must be at least 0"):
        eval(make, vars(metamuse.policykit))


NESTED = policy(
    "self.first = Tree(2)\nself.plain = List(4)\nself.rows = Vector(3, 2)\nself.by = Buckets(9, 2)\nself.calls = 0",
    {
        "fill": "self.calls += 1\nself.first.set(i, x)\nself.rows.set(i, x)\nself.by.put(i, x)\nreturn 0",
        "read": "return 1000 * self.first.get(i) + 100 * self.rows.get(i) + 10 * self.by.level(i) + self.calls",
    },
    list(PARAMS),
)


def test_growth_keeps_contents_and_everything_else() -> None:
    both = Twins(NESTED, ["fill", "read"], PARAMS)
    states = both.states()
    room = 2
    for i in range(300):
        if i == room:
            assert both.call(states, "fill", i, i % 10) == (IndexError, IndexError)
            room *= 2
            states = both.grow(states, room)
        before = both.call(states, "fill", i, i % 10)
        assert before == (0.0, 0.0)
    calls = 300 + 8  # those that raised were counted
    for i in range(300):
        expected = 1110.0 * (i % 10) + calls
        assert both.call(states, "read", i, 0) == (expected, expected)


def test_growth_is_geometric_and_counted() -> None:
    both = Twins(NESTED, ["fill", "read"], PARAMS)
    small = both.compiled.state(8)
    large = both.compiled.grow(small, 1 << 12)
    # Tree: 2 ints of 8 bytes an index; Buckets: 3 of 4; Vector: one of 8.
    assert state_bytes(large) - state_bytes(small) == (16 + 12 + 8) * ((1 << 12) - 2)
    same = both.compiled.grow(large, 1 << 12)
    assert state_bytes(same) == state_bytes(large)


def test_numbers_at_the_end_of_64_bits() -> None:
    both = Twins(
        policy("self.s = Tree(4)", {"put": "self.s.set(i, x)\nreturn self.s.first(x)"}, list(PARAMS)),
        ["put"],
        PARAMS,
    )
    lowest = -(2**63)
    states = both.states()
    assert both.call(states, "put", 0, lowest) == (ValueError, ValueError)
    assert both.call(states, "put", 1, lowest + 1) == (1.0, 1.0)
    assert both.call(states, "put", 2, 2**63 - 1) == (2.0, 2.0)
