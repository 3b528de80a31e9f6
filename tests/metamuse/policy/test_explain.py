"""What the compiler refuses is said in one sentence, with the line, that tells the author what to change."""

from __future__ import annotations

import pytest

from evaluators.base import PolicyError
from evaluators.cache.simulator import CONTRACT
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.explain import kind
from metamuse.policy.program import load
from tests.metamuse.policy.sources import BODY_LINE, module

HELPER = "def f(self, x):\n    self.mean = x"

#: Body of victim: (line counted from the body's first, the sentence or its telling part).
MISTAKES: dict[str, tuple[int, str]] = {
    # An undefined name, a wrong number of arguments to an own method, a call of a number: see test_language.
    "x = 0\nif slot > 3:\n    x = self.seen\nreturn x[0]": (3, "the variable x holds an int on one path and an array of ints on another; use two names"),
    "return self.seen[now / 2]": (0, "an array of ints cannot be indexed with a float; use an int, as int(x)"),
    "self.seen[self.mean] = 1\nreturn 0": (0, "an array of ints cannot be indexed with a float; use an int, as int(x)"),
    "return self.seen[1, 2]": (0, "wrong number of indices"),
    "return self.seen[slot > 3]": (0, "an array of ints cannot be indexed with a bool; use an int"),
    "if self.seen > 3:\n    return 1\nreturn 0": (0, "an array cannot be a condition; use np.any(...)"),
    "return int(not self.seen)": (0, "an array cannot be a condition; use np.any(...)"),
    "self.seen = self.seen * 0.5\nreturn 0": (0, "an array of ints is given floats here; create it with dtype=np.float64"),
    "self.seen[0] = self.seen\nreturn 0": (0, "one element of an array is given an array of ints; give it a number"),
    "self.mean = self.seen\nreturn 0": (0, "this attribute of self is a float but is given an array of ints here"),
    "z = np.zeros(self.mean)\nreturn len(z)": (0, "zeros() does not work with a float; sizes are ints, use int(x)"),
    "return int(np.clip(self.seen, 3))": (0, "np.clip() takes 3 argument(s) here, it is given 2"),
    "return int(np.exp(1.0, 2.0))": (0, "np.exp() takes 1 argument(s) here, it is given 2"),
    "return int(math.exp(self.seen))": (0, "math.exp() takes numbers, it is given an array of ints; for arrays use numpy's function"),
    "return int(self.seen == 3)": (0, "int() takes a number, it is given an array of bools; use one of its elements"),
    "return max(self.seen, 3)": (0, "max() does not work with an array of ints and an int"),
    "return min(slot)": (0, "need an array or a tuple; given is an int"),
    "for i in range(self.mean):\n    pass\nreturn 0": (0, "an int is needed here but given is a float; use int(x)"),
    "return hash64(self.mean)": (0, "an int is needed here but given is a float; use int(x)"),
    "self.queue.push_back(self.mean)\nreturn 0": (0, "an int is needed here but given is a float; use int(x)"),
    "self.queue.push_front()\nreturn 0": (0, "List.push_front(x) is given 0 argument(s) here"),
    "return self.queue.pop()": (0, "List has no method pop; it has back, contains"),
    "for x in self.queue:\n    return x\nreturn 0": (0, "walk a List with front() and next(x)"),
    "return self.queue + 1": (0, "+ does not work between a policykit structure and an int"),
    "return self.queue[0]": (0, "a policykit structure cannot be indexed; only arrays and tuples can"),
    "q = List(3)\nreturn 0": (0, "List structures are created in __init__ only"),
    "self.queue = 3\nreturn 0": (0, "can only be assigned in __init__"),
    "return self.queue": (0, "cannot return a policykit structure"),
    "return slot[0]": (0, "an int cannot be indexed; only arrays and tuples can"),
    "return slot.sum()": (0, "something for arrays is applied to an int; give it an array"),
    "return self.seen.front()": (0, "an array of ints has no front"),
    "t = (1, self.seen)\nreturn t[slot]": (1, "the elements of this tuple have several kinds"),
    "a, b = slot\nreturn a": (0, "an int cannot be assigned to several names; only tuples can"),
    "a, b, c = 1, 2\nreturn a": (0, "a tuple of 2 values is assigned to 3 names"),
    "for i in slot:\n    pass\nreturn 0": (0, "a for loop cannot go over an int; use range(...) or an array"),
    "return slot << self.mean": (0, "<< and >> needs ints; given are an int and a float"),
    "return ~self.mean": (0, "~ does not work with a float; it takes ints"),
    "return slot & self.mean": (0, "& does not work with an int and a float; it takes ints"),
    "return slot ** self.queue": (0, "** needs numbers or arrays"),
    "return self.f(slot) + 1": (0, "+ does not work between nothing (what gives it has no return) and an int"),
    "return int(slot in self.seen)": (0, "'in' needs one List, Heap, Buckets or Ghosts of policykit on its right"),
    "return int(0 < slot in self.queue)": (0, "'in' needs one List, Heap, Buckets or Ghosts"),
    "return self.nothing": (0, "self has no attribute nothing; create it in __init__ (it has mean, n, queue, seen)"),
    "self.nothing = 3\nreturn 0": (0, "self.nothing must be created in __init__"),
    "self.seen, self.n = self.seen, 3\nreturn 0": (0, "write self.seen = ... on its own line"),
    "(self.n, x), y = (1, 2), 3\nreturn y": (0, "assign nested tuples to plain names first"),
    "if slot > 3:\n    return 1, 2\nreturn 0": (1, "return one kind on every path"),
    "return self.mean": (-1, "victim must return an int, it returns a float; use int(x)"),
    "return self.seen * 1": (-1, "victim must return an int, it returns an array of ints"),
    "x = 1": (-1, "victim must return an int on every path; some path returns nothing"),
    "z = self.seen\nz *= 0.5\nreturn 0": (None, "an augmented assignment puts floats into an array of ints"),
    "return np.argmax(slot)": (None, "a function for arrays is given a number; give it an array"),
}  # fmt: skip


@pytest.mark.parametrize("body", MISTAKES)
def test_mistake_is_explained(body: str) -> None:
    offset, sentence = MISTAKES[body]
    with pytest.raises(PolicyError) as caught:
        CompiledPolicy(load(module(body, methods=HELPER), CONTRACT), (10, 31))
    error = caught.value
    assert sentence in error.message
    assert error.kind in ("contract", "compile")
    assert error.line == (None if offset is None else BODY_LINE + offset)
    for jargon in ("int64", "float64", "array(", "Literal", "Function(", "rt__", "S__", "slab", "\n"):
        assert jargon not in error.message.replace("np.float64", "")


INITS = {
    "self.a = (1, 2)": "self.a is a tuple; attributes are numbers, numpy arrays or policykit structures",
    "self.a = 1 // 0": "__init__ raised ZeroDivisionError",
    "self.a = self.b": "__init__ raised AttributeError",
    "self.a = List(3)\nself.b = self.a": "self.a and self.b are the same List; create one for each",
    "self.a = np.zeros((2, 2), dtype=np.int8)": "use np.int64 there",
    "self.a = np.zeros((1, 1, 1, 1))": "1 to 3 are allowed",
    "self.a = Rng": "not a number; it can only be called",
}


@pytest.mark.parametrize("init", INITS)
def test_mistake_in_init_is_explained(init: str) -> None:
    with pytest.raises(PolicyError) as caught:
        CompiledPolicy(load(module("return 0", init=init), CONTRACT), (10, 31))
    assert INITS[init] in caught.value.message
    assert caught.value.line in (6, 7)


def test_kinds_that_depend_on_the_capacity() -> None:
    source = module("return 0", init="self.a = 1\nif capacity > 100:\n    self.a = 0.5")
    compiled = CompiledPolicy(load(source, CONTRACT), (10, 31))
    with pytest.raises(PolicyError, match=r"makes self\.a a int for one capacity and a float for another"):
        compiled.state(1000, 3000)


@pytest.mark.parametrize(
    ("numba_type", "words"),
    [
        ("int64", "an int"),
        ("Literal[int](3)", "an int"),
        ("float64", "a float"),
        ("bool", "a bool"),
        ("Literal[bool](True)", "a bool"),
        ("array(int64, 1d, C)", "an array of ints"),
        ("readonly array(float64, 2d, C)", "an array of floats with 2 dimensions"),
        ("slab(bool, 1)", "an array of bools"),
        ("slab(int64, 1, read-only)", "an array of ints"),
        ("UniTuple(int64 x 2)", "a tuple"),
        ("Tuple(int64, float64)", "a tuple"),
        ("OptionalType(int64)", "a value on some paths and nothing on others"),
        ("none", "nothing (what gives it has no return)"),
        (
            "state(a_after: slab(int32, 1), r: slab(Record(n[type=int64;offset=0]), 1))",
            "a policykit structure",
        ),
    ],
)
def test_types_in_words(numba_type: str, words: str) -> None:
    assert kind(numba_type) == words
