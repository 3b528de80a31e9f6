"""Policies that try to gain by cheating, made from a problem's contract and its reference baseline.

Nothing here knows a problem: statements are put at the top of the reference's methods, or take the place of their
bodies, wherever the contract has a method of that kind.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluators.base import Contract, Method

#: Decisions that no simulator can mean, by what a method returns.
_DECISIONS = {
    "int": ("-2", "2 ** 31", "2 ** 62", "-(2 ** 62)"),
    "float": ('float("nan")', 'float("inf")', 'float("-inf")', "1e308"),
}
#: What is written into an array argument ``{a}``, and how.
_WRITES = (
    "if len({a}) > 0:\n    {a}[0] = {a}[0] + 1",
    "{a}[:] = 0",
    "{a} += 1",
    "probe_alias = {a}\nfor probe_i in range(len(probe_alias)):\n    probe_alias[probe_i] = 0",
    "probe_part = {a}[0:1]\nprobe_part[:] = 7",
    "{a}.fill(0)",
    "{a}.sort()",
)
#: So many calls pass before a late cheat begins: more than the probes make.
_LATE = 2500
#: 64 GiB of floats: more than any candidate may have.
_TOO_MUCH = "probe_np.zeros(2 ** 33)"

_CLOCK = ("import time", "import datetime", "from time import perf_counter")
_CHANCE = ("import random", "import secrets", "from os import urandom")
_FILES = ("import os", "import io", "import socket", "import subprocess", "from pathlib import Path")
_INSIDES = (
    "import sys",
    "import ctypes",
    "import gc",
    "import numba",
    "import evaluators",
    "import problems",
)


@dataclass(frozen=True)
class Cheat:
    """One policy that tries something.

    Attributes:
        group: Id of the check it belongs to.
        label: What it tries, in a few words.
        source: Its text.
        ends: Failure classes that are a proper end.
        may_pass: Whether it may also run to the end, if it gains nothing.
        modes: Ways of execution in which it is tried.
        limited: Whether it is expected to need its whole time limit.
    """

    group: str
    label: str
    source: str
    ends: tuple[str, ...]
    may_pass: bool = False
    modes: tuple[str, ...] = ("interpreted", "compiled")
    limited: bool = False


class Base:
    """The reference baseline, into which statements are put.

    Args:
        source: Its text.
        contract: The problem's contract.
    """

    def __init__(self, source: str, contract: Contract) -> None:
        self.source = source
        self.contract = contract

    def plain(self) -> str:
        """The policy with nothing added."""
        return self.with_code()

    def with_code(
        self,
        code: str = "",
        method: Method | None = None,
        init: str = "",
        top: str = "",
        members: str = "",
        whole: bool = False,
    ) -> str:
        """The policy with statements added.

        Args:
            code: Put at the top of ``method``; ``{name}`` of a parameter stands for the policy's own name of it.
            method: A method of the contract; it is added if the policy does not define it.
            init: Put at the end of ``__init__``.
            top: Put at the top of the module.
            members: Put at the top of the class.
            whole: Whether ``code`` is the whole body of the method.
        """
        tree = ast.parse(self.source)
        policy = next(n for n in tree.body if isinstance(n, ast.ClassDef))
        methods = {n.name: n for n in policy.body if isinstance(n, ast.FunctionDef)}
        # A docstring or an import of __future__ has to stay first; nothing else in a module minds.
        tree.body[:0] = ast.parse(top).body
        methods["__init__"].body += ast.parse(init).body
        if method is not None:
            node = methods.get(method.name)
            if node is None:
                node = _method(method)
                policy.body.append(node)
            own = [a.arg for a in node.args.args[1:]]
            for name, actual in zip(method.params, own, strict=True):
                code = code.replace("{" + name + "}", actual)
            statements = ast.parse(code).body
            node.body = statements if whole else statements + node.body
        policy.body[:0] = ast.parse(members).body
        return ast.unparse(ast.fix_missing_locations(tree))

    def has(self, method: Method) -> bool:
        """Whether the policy defines a method."""
        return f"def {method.name}(" in self.source

    @property
    def decision(self) -> Method:
        """The first method that every policy must have, or must have one of and this one has."""
        methods = self.contract.methods
        alternatives = (m for m in methods if m.name in self.contract.alternatives and self.has(m))
        return next((m for m in methods if m.required), None) or next(alternatives)


def _method(method: Method) -> ast.FunctionDef:
    """A method that does nothing and returns zero, for one the reference does without."""
    value = {"int": "0", "float": "0.0", "bool": "False", "none": ""}[method.returns]
    params = ", ".join(("self", *method.params))
    node = ast.parse(f"def {method.name}({params}):\n    return {value}").body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def cheats(base: Base) -> Iterator[Cheat]:
    """All policies of the suite, group by group."""
    yield from _harmless(base)
    yield from _mutating(base)
    yield from _illegal(base)
    yield from _failing(base)
    yield from _endless(base)
    yield from _hungry(base)
    yield from _remembering(base)
    yield from _reaching(base)


def _harmless(base: Base) -> Iterator[Cheat]:
    counted = base.with_code("self.probe_calls += 1", base.decision, init="self.probe_calls = 0")
    yield Cheat("cheat.none", "the reference, written anew", base.plain(), (), may_pass=True)
    yield Cheat("cheat.none", "counts its calls", counted, (), may_pass=True)


def _mutating(base: Base) -> Iterator[Cheat]:
    for method in base.contract.methods:
        arrays = [p for p, t in zip(method.params, method.types, strict=True) if t.endswith("[]")]
        if not base.has(method) and method.returns != "none":
            continue  # what an added method decides would change the score without any cheating
        for array in arrays:
            for write in _WRITES:
                source = base.with_code(write.replace("{a}", "{" + array + "}"), method)
                label = f"{method.name}: " + " ".join(write.replace("{a}", array).split())
                ends = ("contract", "compile", "crash")
                yield Cheat("cheat.mutate", label, source, ends, may_pass=True)


def _illegal(base: Base) -> Iterator[Cheat]:
    for method in base.contract.methods:
        for value in _DECISIONS.get(method.returns, ()):
            source = base.with_code(f"return {value}", method, whole=True)
            label = f"{method.name} returns {value}"
            yield Cheat("cheat.illegal", label, source, ("illegal",), may_pass=True)
        if method.returns in _DECISIONS and base.has(method):
            value = _DECISIONS[method.returns][2]
            late = f"self.probe_calls += 1\nif self.probe_calls > {_LATE}:\n    return {value}"
            source = base.with_code(late, method, init="self.probe_calls = 0")
            label = f"{method.name} returns {value} after {_LATE} calls"
            yield Cheat("cheat.illegal", label, source, ("illegal",), may_pass=True)


def _failing(base: Base) -> Iterator[Cheat]:
    room = "self.probe_room = probe_np.zeros(2)"
    for label, code in (
        ("divides by zero", "probe_zero = 0\nself.probe_room[1 // probe_zero] = 1.0"),
        ("reads beyond an array", "self.probe_room[0] = self.probe_room[2]"),
        ("writes beyond an array", "probe_i = 10 ** 9\nself.probe_room[probe_i] = 1.0"),
        ("writes before an array", "probe_i = -3\nself.probe_room[probe_i] = 1.0"),
    ):
        source = base.with_code(code, base.decision, init=room, top="import numpy as probe_np")
        yield Cheat("cheat.crash", label, source, ("crash",))
    source = base.with_code(init="probe_zero = 0\nself.probe_ratio = 1 // probe_zero")
    yield Cheat("cheat.crash", "divides by zero in __init__", source, ("crash",))


def _endless(base: Base) -> Iterator[Cheat]:
    loop = "probe_i = 1\nwhile probe_i > 0:\n    probe_i = 3 - probe_i"
    source = base.with_code(loop, base.decision)
    for mode in ("interpreted", "compiled"):
        label = f"loops for ever, {mode}"
        yield Cheat("cheat.endless", label, source, ("timeout",), modes=(mode,), limited=True)


def _hungry(base: Base) -> Iterator[Cheat]:
    top = "import numpy as probe_np"
    kept = base.with_code(init=f"self.probe_room = {_TOO_MUCH}", top=top)
    yield Cheat("cheat.memory", "64 GiB in __init__", kept, ("memory",))
    code = f"probe_room = {_TOO_MUCH}\nprobe_room[0] = 1.0\nself.probe_sum += probe_room[0]"
    local = base.with_code(code, base.decision, init="self.probe_sum = 0.0", top=top)
    yield Cheat("cheat.memory", "64 GiB in a decision", local, ("memory",))


def _remembering(base: Base) -> Iterator[Cheat]:
    decision = base.decision
    tries = {
        "an array of the module": base.with_code(
            "PROBE[0] += 1.0", decision, top="import numpy as probe_np\nPROBE = probe_np.zeros(4)"
        ),
        "a list of the module": base.with_code("PROBE[0] += 1", decision, top="PROBE = [0]"),
        "a global": base.with_code("global PROBE\nPROBE = 1", decision, top="PROBE = 0"),
        "an attribute of the class": base.with_code("Policy.probe = 1", decision),
        "a member of the class": base.with_code("self.probe[0] += 1", decision, members="probe = [0]"),
        "a constant of an import": base.with_code(
            "probe_math.pi = 3.0", decision, top="import math as probe_math"
        ),
        "uninitialised memory": base.with_code(
            init="self.probe = probe_np.empty(4096)", top="import numpy as probe_np"
        ),
        "a function's default": base.with_code(
            "probe_add()", decision, top="def probe_add(memory=[0]):\n    memory[0] += 1"
        ),
    }
    for label, source in tries.items():
        yield Cheat("cheat.remember", label, source, ("contract",))


def _reaching(base: Base) -> Iterator[Cheat]:
    def imports(group: str, statements: Sequence[str]) -> Iterator[Cheat]:
        for statement in statements:
            yield Cheat(group, statement, base.with_code(top=statement), ("contract",))

    def calls(group: str, expressions: Sequence[str], top: str = "") -> Iterator[Cheat]:
        for expression in expressions:
            source = base.with_code(f"probe_value = {expression}", base.decision, top=top)
            yield Cheat(group, expression, source, ("contract",))

    numpy = "import numpy as probe_np"
    yield from imports("cheat.clock", _CLOCK)
    yield from imports("cheat.chance", _CHANCE)
    yield from calls("cheat.chance", ("probe_np.random.rand()", "probe_np.random.default_rng()"), numpy)
    yield from calls("cheat.chance", ("id(self)", "hash(1.5)"))
    yield from imports("cheat.files", _FILES)
    yield from calls("cheat.files", ('open("/etc/hostname")', "print(1)", "input()"))
    yield from calls("cheat.files", ('probe_np.load("x.npy")', 'probe_np.fromfile("/dev/urandom")'), numpy)
    yield from imports("cheat.insides", _INSIDES)
    yield from calls(
        "cheat.insides",
        (
            *("self.__class__", "self.__dict__", "().__class__.__bases__", '__import__("os")', 'eval("1")'),
            *("globals()", "vars(self)", "type(self)", 'getattr(self, "x")', 'setattr(self, "x", 1)'),
        ),
    )
