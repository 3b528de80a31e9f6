"""Tunable constants: how they are read, that tuning does not recompile, what makes two programs the same."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from evaluators.base import PolicyError
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.constants import Constant
from metamuse.policy.program import Program, load
from tests.metamuse.policy.sources import module


def constants(top: str) -> dict[str, Constant]:
    return load(module(top=top), CONTRACT).constants


def test_marks_are_read() -> None:
    found = constants(
        "A = 0.25  # tune: 0.05..0.95 log\nB = 3 # tune: 1 .. 9\nC: float = -1.5  #tune: -2e0..-1_0.0e-1\nD = 4\n"
        "E = 2  # a comment that is not a mark\nF = 1  # Tuned by hand"
    )
    assert found == {
        "A": Constant("A", 0.25, 0.05, 0.95, True, 4),
        "B": Constant("B", 3, 1, 9, False, 5),
        "C": Constant("C", -1.5, -2.0, -1.0, False, 6),
    }
    assert [type(c.low) for c in found.values()] == [float, int, float]


@pytest.mark.parametrize(
    ("top", "line", "message"),
    [
        ("A = 1  # tune", 4, "must read '# tune: LOW..HIGH'"),
        ("A = 1  # tune: 1-5", 4, "must read '# tune: LOW..HIGH'"),
        ("A = 1  # tune: 1..5 linear", 4, "must read '# tune: LOW..HIGH'"),
        ("A = 1  # tune: 1..e", 4, "not made of two numbers"),
        ("A = 1  # tune: 0..1e999", 4, "must be finite"),
        ("A = 1  # tune: 1..1e19", 4, "must lie within 64-bit integers"),
        ("A = 1.0  # tune: -1e308..1e308", 4, "wider than a number can say"),
        ("A = 7  # tune: 1..5", 4, "A = 7 must lie in its range 1..5"),
        ("A = 7  # tune: 7..7", 4, "must lie in its range"),
        ("A = 5  # tune: 9..1", 4, "must lie in its range"),
        ("A = 1  # tune: 0..5 log", 4, "lower end must be above 0"),
        ("A = True  # tune: 0..5", 4, "is not a plain number"),
        ("B = 1\nA = B + 1  # tune: 0..5", 5, "is not a plain number"),
        ("# tune: 0..5\nA = 1", 4, "must stand on a NAME = number line"),
        ("def f(x):\n    y = 3  # tune: 0..5\n    return y", 5, "must stand on a NAME = number line"),
        ("A = 2  # tune: 1..5\nB = (A, 1)", 5, "holds a tuned constant, so it must be a number"),
    ],
)
def test_bad_marks_are_refused(top: str, line: int, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        constants(top)
    assert message in caught.value.message
    assert caught.value.line == line


TUNED = module(
    """
    if self.queue.size > 3 and SHARE < 0.5:
        return self.queue.front()
    return self.queue.back()
    """,
    top="SHARE = 0.25  # tune: 0.0..1.0\nROUNDS = 2  # tune: 1..9\nTWICE = ROUNDS * 2",
    methods="""
    def on_insert(self, slot, key, size, now, remembered):
        self.seen[slot] = TWICE
        self.queue.push_front(slot)
    def on_hit(self, slot, key, size, now):
        self.seen[slot] -= 1
        if self.seen[slot] > 0:
            self.queue.move_to_front(slot)
    def on_evict(self, slot, key, size, now):
        self.queue.remove(slot)
    """,
)


def job() -> Job:
    rng = np.random.default_rng(1)
    ids = np.minimum(rng.pareto(0.8, 600).astype(int), 150)
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return Job(Trace("skewed", np.argsort(np.argsort(first))[inverse].astype(np.int32)), capacity=12)


def test_other_values_need_no_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    program = load(TUNED, CONTRACT)
    default = CompiledPolicy(program, (10, 31))
    loop = bind(default)
    values = {"SHARE": 0.75, "ROUNDS": 7}
    scores = {"default": simulate(default, loop, job()).value}

    def refuse(*args: object, **keywords: object) -> None:
        raise AssertionError("something was compiled")

    with monkeypatch.context() as patch:
        patch.setattr(numba.core.dispatcher.Dispatcher, "compile", refuse)
        tuned = default.with_values(values)
        assert tuned.functions is default.functions
        scores["tuned"] = simulate(tuned, loop, job()).value
    assert tuned.values == values
    assert default.values == {"SHARE": 0.25, "ROUNDS": 2}
    assert scores["tuned"] != scores["default"]
    interpreted = InterpretedPolicy(program, values)
    assert simulate(interpreted, bind(interpreted), job()).value == scores["tuned"]
    assert simulate(default, loop, job()).value == scores["default"]


def test_what_follows_from_a_constant_must_fit_into_64_bits_too() -> None:
    wide = TUNED.replace("1..9\n", "1..9e18\n")
    compiled = CompiledPolicy(load(wide, CONTRACT), (10, 31))
    loop = bind(compiled)
    assert simulate(compiled.with_values({"ROUNDS": 2**62 - 1}), loop, job()).value > 0
    with pytest.raises(PolicyError, match="an integer went beyond 64 bits"):
        simulate(compiled.with_values({"ROUNDS": 2**62}), loop, job())


def test_values_keep_the_kind_of_the_constant() -> None:
    policy = CompiledPolicy(load(TUNED, CONTRACT), (10, 31), {"ROUNDS": 6.7})
    assert policy.values == {"SHARE": 0.25, "ROUNDS": 7}
    state = policy.state(10, 31)
    assert (state.k["ROUNDS"], state.k["TWICE"], state.k["SHARE"]) == (7, 14, 0.25)
    other = policy.with_values({"SHARE": 1})
    assert other.values == {"SHARE": 1.0, "ROUNDS": 7}


def test_unknown_constants_are_refused() -> None:
    with pytest.raises(ValueError, match="no tunable constant SPEED; there are SHARE, ROUNDS"):
        InterpretedPolicy(load(TUNED, CONTRACT), {"SPEED": 3})


# -- what counts as the same program


def structure(source: str) -> str:
    program: Program = load(source, CONTRACT)
    return program.structure()


RENAMED = {
    "other values": ("SHARE = 0.25", "SHARE = 0.5"),
    "other ranges": ("# tune: 0.0..1.0", "# tune: 0.1..0.9 log"),
    "a comment": ("self.seen[slot] -= 1", "self.seen[slot] -= 1  # one round less"),
    "a docstring": ("class Policy:", 'class Policy:\n    """An idea."""\n'),
    "another constant's name": ("SHARE", "PORTION"),
    "another attribute's name": ("self.seen", "self.rounds"),
    "another parameter's name": ("slot, key, size, now", "s1, key, size, now"),
    "annotations": (
        "def on_hit(self, slot, key, size, now)",
        "def on_hit(self, slot: int, key, size, now) -> None",
    ),
    "an import under another name": ("import numpy as np", "import numpy as numpy_"),
    "an import that is not used": ("import math\n", ""),
    "layout": ("self.queue.push_front(slot)", "self.queue.push_front(\n            slot\n        )"),
}
CHANGED = {
    "an unmarked number": ("ROUNDS * 2", "ROUNDS * 3"),
    "an operator": ("> 3 and", "> 3 or"),
    "another method of a structure": ("move_to_front", "move_to_back"),
    "the kind of a constant": ("ROUNDS = 2 ", "ROUNDS = 2.0 "),
    "a constant for another": ("SHARE < 0.5", "ROUNDS < 0.5"),
    "an attribute for another": ("self.seen[slot] > 0", "self.n > 0"),
    "a statement": ("self.queue.remove(slot)", "self.queue.remove(slot)\n        self.n = 1"),
    "a contract method for another": ("def on_evict", "def removed"),
}


def change(source: str, old: str, new: str) -> str:
    assert old in source
    source = source.replace(old, new)
    if new == "s1, key, size, now":  # the parameter's uses, too
        source = source.replace("[slot]", "[s1]").replace("(slot)", "(s1)")
    return source.replace("np.", "numpy_.") if "numpy_" in new else source


@pytest.mark.parametrize("name", RENAMED)
def test_structure_is_kept(name: str) -> None:
    assert structure(change(TUNED, *RENAMED[name])) == structure(TUNED)


@pytest.mark.parametrize("name", CHANGED)
def test_structure_changes(name: str) -> None:
    assert structure(change(TUNED, *CHANGED[name])) != structure(TUNED)


def test_structure_knows_scopes_and_keyword_arguments() -> None:
    one = module(
        "i = self.f(x=3, y=slot)\nreturn i",
        methods="def f(self, x, y):\n    i = x\n    return i + y\ndef g(self):\n    i = 3\n    return i",
    )
    other = module(
        "i = self.ff(a=3, b=slot)\nreturn i",
        methods="def ff(self, a, b):\n    k = a\n    return k + b\ndef g(self):\n    m = 3\n    return m",
    )
    swapped = one.replace("x=3, y=slot", "y=3, x=slot")
    assert structure(one) == structure(other)
    assert structure(one) != structure(swapped)
