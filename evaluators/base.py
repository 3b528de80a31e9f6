"""Protocols that the hub, the problems and the simulators share (the lowest layer; imports none of them)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

#: Failure classes of a candidate, the same everywhere: journal, leaderboard, summary, exit codes.
FAILURE_CLASSES = (
    "parse",
    "contract",
    "compile",
    "timeout",
    "memory",
    "crash",
    "illegal",
    "nondeterministic",
    "infrastructure",
)


class PolicyError(Exception):
    """A policy failed in a classified way.

    Args:
        kind: One of :data:`FAILURE_CLASSES`.
        message: One or a few sentences that say what to change.
        line: 1-based line of the policy's source, if one is to blame.
        event: 0-based number of the workload's event at which it failed, if a simulator says so.
    """

    def __init__(self, kind: str, message: str, line: int | None = None, event: int | None = None) -> None:
        assert kind in FAILURE_CLASSES, kind
        self.kind = kind
        self.line = line
        self.event = event
        self.message = message if line is None else f"line {line}: {message}"
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[PolicyError], tuple[str, str]]:
        return (PolicyError, (self.kind, self.message))


def without_folders(name: str) -> str:
    """A workload's name for a failure's message: messages go to the model, and a user's folders do not."""
    return name.replace("\\", "/").rpartition("/")[2]


class WorkloadError(ValueError):
    """A workload cannot be read or used; the message is one sentence that names the file and the position."""


@dataclass(frozen=True)
class Method:
    """One method of a problem's contract.

    Attributes:
        name: Name of the method of ``Policy``.
        params: Names of its parameters after ``self`` (a policy may name them otherwise).
        types: Their kinds, ``"int"``, ``"float"``, ``"bool"`` or a numpy array ``"int[]"``/``"float[]"``.
        returns: ``"int"``, ``"bool"``, ``"float"`` or ``"none"``.
        required: Whether a policy must define it.
    """

    name: str
    params: tuple[str, ...]
    types: tuple[str, ...]
    returns: str
    required: bool


@dataclass(frozen=True)
class Contract:
    """The methods a problem's simulator calls.

    Attributes:
        init: Parameter names of ``__init__`` after ``self`` (all ints or floats).
        methods: The methods of ``Policy``.
        alternatives: Names of optional methods of which a policy must define at least one.
    """

    init: tuple[str, ...]
    methods: tuple[Method, ...]
    alternatives: tuple[str, ...] = ()

    def method(self, name: str) -> Method | None:
        """The method of that name, if the contract has one."""
        return next((m for m in self.methods if m.name == name), None)


class Policy(Protocol):
    """An executable policy, compiled or interpreted; both take the same decisions.

    Attributes:
        compiled: Whether decisions run as machine code.
        methods: Methods of the contract that the policy defines.
    """

    compiled: bool
    methods: frozenset[str]

    def reads(self, method: str, parameter: str) -> bool:
        """Whether a method uses one of its parameters (False if the policy does not define the method)."""

    def state(self, *init: Any) -> Any:
        """A fresh policy for one workload: what the driver passes as first argument of every method."""

    def grow(self, state: Any, room: int) -> Any:
        """The same policy with room for the indices ``0..room-1`` in those of its structures that grow.

        For simulators whose number of things is not known beforehand. What is used afterwards is the result;
        called with twice the room each time, it costs O(1) an index.
        """

    def bank(self, states: Sequence[Any]) -> Any:
        """Several states as one argument of a driver; the driver's ``view`` of it is indexed by their number.

        For simulators with many instances of a policy. The caller keeps the states alive, and does not grow them.
        """

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """Build a simulator's driver around this policy.

        Args:
            factory: Called with one function a contract method, by name; each takes the state and the
                method's arguments. Two further arguments: ``view`` is a function that the driver
                applies to the state once at its start; ``show`` makes the read-only form of an array that
                a method is given. Returns the driver, which is compiled if the policy is.
            defaults: Functions for the optional methods that the policy does not define.
        """


@dataclass(frozen=True)
class Decisions:
    """What a policy decided on one workload, in a form that can be compared.

    Attributes:
        count: How many decisions there were.
        digest: All of them folded into 64 bits (:mod:`evaluators.digest`), in terms of the system (which object left
            when, which bin took an item) and not of what the policy was shown.
    """

    count: int
    digest: int


@dataclass(frozen=True)
class Score:
    """What one policy did on one workload.

    Attributes:
        workload: Name of the workload.
        value: The problem's primary metric, in its own unit.
        details: Further figures by name; only numbers that do not depend on the machine.
        timing: Figures that do (seconds, events a second).
        decisions: All decisions, so that two policies can be shown to decide the same; None if the simulator does
            not keep them.
    """

    workload: str
    value: float
    details: dict[str, float] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)
    decisions: Decisions | None = None
