"""Every structure of policykit, interpreted and compiled, against a plain Python model."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metamuse.policy.twins import Twins, policy

N = 5
PARAMS = {"i": "int", "j": "int", "p": "float"}


class ListModel:
    def __init__(self) -> None:
        self.items: list[int] = []

    def _new(self, x: int) -> None:
        if not 0 <= x < N:
            raise IndexError
        if x in self.items:
            raise ValueError

    def _old(self, x: int) -> int:
        if not 0 <= x < N:
            raise IndexError
        return self.items.index(x)

    def push_front(self, x: int) -> None:
        self._new(x)
        self.items.insert(0, x)

    def push_back(self, x: int) -> None:
        self._new(x)
        self.items.append(x)

    def insert_before(self, x: int, y: int) -> None:
        if not 0 <= y < N:
            raise IndexError
        self._new(x)
        self.items.insert(self._old(y), x)

    def remove(self, x: int) -> None:
        del self.items[self._old(x)]

    def discard(self, x: int) -> bool:
        found = x in self.items
        if found:
            self.items.remove(x)
        return found

    def move_to_front(self, x: int) -> None:
        self.remove(x)
        self.push_front(x)

    def move_to_back(self, x: int) -> None:
        self.remove(x)
        self.push_back(x)

    def front(self) -> int:
        return self.items[0] if self.items else -1

    def back(self) -> int:
        return self.items[-1] if self.items else -1

    def pop_front(self) -> int:
        if not self.items:
            raise ValueError
        return self.items.pop(0)

    def pop_back(self) -> int:
        if not self.items:
            raise ValueError
        return self.items.pop()

    def next(self, x: int) -> int:
        place = self._old(x) + 1
        return self.items[place] if place < len(self.items) else -1

    def prev(self, x: int) -> int:
        place = self._old(x)
        return self.items[place - 1] if place else -1

    def contains(self, x: int) -> bool:
        return x in self.items

    def length(self) -> int:
        return len(self.items)


class HeapModel:
    def __init__(self) -> None:
        self.keys: dict[int, tuple[float, int]] = {}

    def _old(self, x: int) -> None:
        if not 0 <= x < N:
            raise IndexError
        if x not in self.keys:
            raise ValueError

    def push(self, x: int, p: float, tie: int) -> None:
        if not 0 <= x < N:
            raise IndexError
        if p != p:
            raise ValueError
        self.keys[x] = (p, tie)

    def top(self) -> int:
        if not self.keys:
            raise ValueError
        return min(self.keys, key=lambda x: (self.keys[x], x))

    def pop(self) -> int:
        x = self.top()
        del self.keys[x]
        return x

    def remove(self, x: int) -> None:
        self._old(x)
        del self.keys[x]

    def discard(self, x: int) -> bool:
        return self.keys.pop(x, None) is not None

    def priority(self, x: int) -> float:
        self._old(x)
        return self.keys[x][0]

    def contains(self, x: int) -> bool:
        return x in self.keys

    def length(self) -> int:
        return len(self.keys)


class RingModel:
    def __init__(self) -> None:
        self.items: deque[int] = deque()

    def push(self, x: int) -> None:
        if len(self.items) == N:
            raise ValueError
        self.items.append(x)

    def pop(self) -> int:
        self.peek()
        return self.items.popleft()

    def peek(self) -> int:
        return self.at(0)

    def at(self, i: int) -> int:
        if not 0 <= i < len(self.items):
            raise ValueError
        return self.items[i]

    def full(self) -> bool:
        return len(self.items) == N

    def clear(self) -> None:
        self.items.clear()

    def length(self) -> int:
        return len(self.items)


class StackModel(RingModel):
    def pop(self) -> int:
        self.top()
        return self.items.pop()

    def top(self) -> int:
        if not self.items:
            raise ValueError
        return self.items[-1]


class BagModel:
    def __init__(self) -> None:
        self.ids: list[int] = []

    def add(self, x: int) -> None:
        if not 0 <= x < N:
            raise IndexError
        if x in self.ids:
            raise ValueError
        self.ids.append(x)

    def remove(self, x: int) -> None:
        if not 0 <= x < N:
            raise IndexError
        hole = self.ids.index(x)  # a ValueError where it is not in
        last = self.ids.pop()
        if hole < len(self.ids):
            self.ids[hole] = last

    def discard(self, x: int) -> bool:
        found = x in self.ids
        if found:
            self.remove(x)
        return found

    def at(self, i: int, skip: int = -1) -> int:
        if not 0 <= i < len(self.ids):
            raise ValueError
        x = self.ids[i]
        return self.ids[(i + 1) % len(self.ids)] if x == skip else x

    def contains(self, x: int) -> bool:
        return x in self.ids

    def length(self) -> int:
        return len(self.ids)


class GhostsModel:
    LIMIT = 3

    def __init__(self) -> None:
        self.items: list[int] = []

    def add(self, x: int) -> int:
        self.discard(x)
        if not 0 <= x < N:
            raise IndexError
        dropped = self.items.pop(0) if len(self.items) == self.LIMIT else -1
        self.items.append(x)
        return dropped

    def discard(self, x: int) -> bool:
        found = x in self.items
        if found:
            self.items.remove(x)
        return found

    def oldest(self) -> int:
        return self.items[0] if self.items else -1

    def count(self) -> int:
        return len(self.items)

    def contains(self, x: int) -> bool:
        return x in self.items

    def length(self) -> int:
        return len(self.items)


#: Structure: how it is made, its model, and its methods with their arguments.
STRUCTURES: dict[str, tuple[str, Callable[[], Any], dict[str, str]]] = {
    "List": (
        "List(n)",
        ListModel,
        dict.fromkeys("front back pop_front pop_back length".split(), "")
        | dict.fromkeys(
            "push_front push_back remove discard move_to_front move_to_back next prev contains".split(), "i"
        )
        | {"insert_before": "i, j"},
    ),
    "Heap": (
        "Heap(n)",
        HeapModel,
        {"push": "i, p, j"}
        | dict.fromkeys(["top", "pop", "length"], "")
        | dict.fromkeys(["remove", "discard", "priority", "contains"], "i"),
    ),
    "Ring": (
        "Ring(n)",
        RingModel,
        dict.fromkeys(["push", "at"], "i") | dict.fromkeys(["pop", "peek", "full", "clear", "length"], ""),
    ),
    "Stack": (
        "Stack(n)",
        StackModel,
        dict.fromkeys(["push", "at"], "i") | dict.fromkeys(["pop", "top", "clear", "length"], ""),
    ),
    "Bag": (
        "Bag(n)",
        BagModel,
        dict.fromkeys(["add", "remove", "discard", "contains"], "i") | {"at": "i, j", "length": ""},
    ),
    "Ghosts": (
        f"Ghosts(n, {GhostsModel.LIMIT})",
        GhostsModel,
        dict.fromkeys(["add", "discard", "contains"], "i") | dict.fromkeys(["oldest", "count", "length"], ""),
    ),
}
NOTHING = {
    "push_front",
    "push_back",
    "insert_before",
    "remove",
    "move_to_front",
    "move_to_back",
    "push",
    "clear",
}


@functools.cache
def twins(structure: str) -> Twins:
    make, _, methods = STRUCTURES[structure]
    bodies = {}
    for method, arguments in methods.items():
        call = "len(self.s)" if method == "length" else f"self.s.{method}({arguments})"
        silent = method in NOTHING or (structure, method) == ("Bag", "add")
        bodies[f"do_{method}"] = f"{call}\nreturn 0" if silent else f"return int({call})"
    if structure == "Heap":
        bodies["do_priority"] = "return self.s.priority(i)"
    return Twins(policy(f"self.s = {make}", bodies, list(PARAMS)), list(bodies), PARAMS, N)


def modelled(model: Any, method: str, arguments: str, values: dict[str, Any]) -> Any:
    try:
        result = getattr(model, method)(*(values[a] for a in arguments.split(", ") if a))
    except (IndexError, ValueError) as error:
        return type(error)
    return 0.0 if result is None else float(result)


IDS = st.integers(-2, N + 1)
PRIORITIES = st.sampled_from([0.0, 1.0, 1.5, -2.0, float("inf"), float("nan")])


@pytest.mark.parametrize("structure", STRUCTURES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_structure_follows_its_model_in_both_modes(structure: str, data: st.DataObject) -> None:
    _, model_class, methods = STRUCTURES[structure]
    both, model = twins(structure), model_class()
    states = both.states()
    # Ids in range twice as often as not, or sequences end in errors only.
    steps = st.tuples(st.sampled_from(sorted(methods)), IDS | st.integers(0, N - 1), IDS, PRIORITIES)
    for method, i, j, p in data.draw(st.lists(steps, max_size=40)):
        expected = modelled(model, method, methods[method], {"i": i, "j": j, "p": p})
        slow, fast = both.call(states, f"do_{method}", i, j, p)
        assert slow == expected, (method, i, j, p)
        assert fast == expected, (method, i, j, p)


def test_every_public_method_is_modelled() -> None:
    import metamuse.policykit

    for structure, (_, _, methods) in STRUCTURES.items():
        public = {name for name in vars(getattr(metamuse.policykit, structure)) if not name.startswith("_")}
        assert public | {"length"} == set(methods), structure


@pytest.mark.parametrize("make", ["List(-1)", "Heap(-1)", "Bag(-1)", "Ring(-2)", "Stack(-1)"])
def test_negative_sizes_are_refused(make: str) -> None:
    import metamuse.policykit

    with pytest.raises(ValueError, match="n must be at least 0"):
        eval(make, vars(metamuse.policykit))


def test_empty_structures_hold_nothing() -> None:
    from metamuse.policykit import Ghosts, Heap, List, Ring

    assert (List(0).front(), len(Heap(0)), Ring(0).full()) == (-1, 0, True)
    ghosts = Ghosts(4, 0)
    assert (ghosts.add(2), ghosts.count()) == (-1, 0)
