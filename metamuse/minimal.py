"""A tiny workload on which a policy fails as it did on a large one: what a repair turn is shown.

The workload is cut to the events before the failure, its system made smaller, then events are left out while the
failure stays the same (ddmin: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
Every trial is interpreted, so that nothing is compiled and every step is counted; what is found depends on the policy
and the workload, never on time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from evaluators.base import Contract, PolicyError, Score
from metamuse.policy.compiled import InterpretedPolicy, line_of
from metamuse.policy.program import Program
from metamuse.policy.work import Counter, OutOfSteps
from problems.base import Problem, workload_name

#: Failures of which an example says more than the message.
KINDS = frozenset(["crash", "illegal", "nondeterministic"])
#: Events and steps (:mod:`metamuse.policy.meter`) of all trials together; about a quarter of a second.
BUDGET = 30_000
#: Most events of a workload that a search begins with, and of one that is worth telling.
FIRST, LAST = 2_000, 40
#: Most characters of what is told.
LENGTH = 1_000
#: Calls that are told: the last ones.
_CALLS = 12

#: Takes an interpreted run's workload and score; raises the failure that only compiling shows.
Check = Callable[[Any, Score], None]


@dataclass(frozen=True)
class _Failure:
    """How a policy failed on a workload.

    Attributes:
        like: Equal for failures that are the same but for numbers.
        line: Of the policy's text that raised, if one did.
        message: What the simulator says.
        event: The event it failed at, if it is known.
        calls: What the policy was asked before.
    """

    like: tuple[Any, ...]
    line: int | None
    message: str
    event: int | None
    calls: Sequence[str]


@dataclass(frozen=True)
class Example:
    """A tiny workload on which a policy fails.

    Attributes:
        text: What happens on it, for a model or a person.
        line: Of the policy's text that raised, if one did.
    """

    text: str
    line: int | None


def example(
    problem: Problem,
    program: Program,
    workload: Any,
    error: PolicyError,
    values: Mapping[str, float] | None = None,
    floats: frozenset[str] = frozenset(),
    check: Check | None = None,
) -> Example | None:
    """Find a tiny workload on which a policy fails as it did; None if there is none or it takes too long to find.

    Args:
        problem: What it is a policy for.
        program: The policy.
        workload: It failed on this.
        error: So it failed.
        values: Of its marked constants.
        floats: Attributes that start as ints and hold floats (see :class:`CompiledPolicy`).
        check: What else can fail after an interpreted run.
    """
    n = problem.events(workload)
    if error.kind not in KINDS or not n:
        return None
    search = _Search(problem, program, values, floats, check)
    try:
        found = search.first(workload, n, error)
        if found is not None:
            found = search.reduced(*found)
    except OutOfSteps:
        found = search.smallest
    if found is None or problem.events(found[0]) > LAST:
        return None
    return Example(_told(problem, *found), found[1].line)


class _Search:
    def __init__(
        self,
        problem: Problem,
        program: Program,
        values: Mapping[str, float] | None,
        floats: frozenset[str],
        check: Check | None,
    ) -> None:
        self.problem = problem
        self.check = check
        self.counter = Counter(BUDGET)
        self.policy = _Recorded(program, values, floats, self.counter)
        self.loop = problem.bind(self.policy)
        self.smallest: tuple[Any, _Failure] | None = None

    def first(self, workload: Any, n: int, error: PolicyError) -> tuple[Any, _Failure] | None:
        """A part of the workload on which the policy fails in this way."""
        for kept in _parts(n, error.event):
            part = self.problem.cut(workload, kept)
            failure = self.fail(part)
            if failure is not None and failure.like[0] == error.kind:
                return self._upto_failure(part, failure)
        return None

    def reduced(self, workload: Any, failure: _Failure) -> tuple[Any, _Failure]:
        """A smaller one on which it fails in the same way."""
        now = self._smaller(workload, failure)
        while True:
            fewer = self._smaller(*self._fewer(*now))
            if self.problem.events(fewer[0]) == self.problem.events(now[0]):
                return fewer
            now = fewer

    def _smaller(self, workload: Any, failure: _Failure) -> tuple[Any, _Failure]:
        """In the smallest system."""
        for smaller in self.problem.smaller(workload):
            found = self._same(smaller, failure)
            if found is not None:
                return found
        return workload, failure

    def _fewer(self, workload: Any, failure: _Failure) -> tuple[Any, _Failure]:
        """With events left out: halves, quarters, down to single ones."""
        pieces = 2
        while (n := self.problem.events(workload)) > 1:
            bounds = [n * k // pieces for k in range(pieces + 1)]
            for begin, end in pairwise(bounds):
                kept = [*range(begin), *range(end, n)]
                found = self._same(self.problem.cut(workload, kept), failure)
                if found is not None:
                    workload, failure = found
                    pieces = max(2, pieces - 1)
                    break
            else:
                if pieces == n:
                    break
                pieces = min(n, 2 * pieces)
            pieces = min(pieces, self.problem.events(workload))
        return workload, failure

    def _same(self, workload: Any, failure: _Failure) -> tuple[Any, _Failure] | None:
        other = self.fail(workload)
        if other is None or other.like != failure.like:
            return None
        return self._upto_failure(workload, other)

    def _upto_failure(self, workload: Any, failure: _Failure) -> tuple[Any, _Failure]:
        if failure.event is not None and failure.event + 1 < self.problem.events(workload):
            part = self.problem.cut(workload, range(failure.event + 1))
            again = self.fail(part)
            if again is not None and again.like == failure.like:
                workload, failure = part, again
        self.smallest = workload, failure
        return workload, failure

    def fail(self, workload: Any) -> _Failure | None:
        """Run the policy; how it fails, None if it does not.

        Raises:
            OutOfSteps: All trials together took too many.
        """
        self.counter.steps += self.problem.events(workload)
        self.policy.calls.clear()
        try:
            score = self.problem.simulate(self.policy, self.loop, workload)
            if self.check is not None:
                self.check(workload, score)
        except PolicyError as error:
            line = error.line or line_of(error.__cause__ or error)
            message = error.message
            if line is not None and error.line is None:
                message = f"line {line}: {message}"
            name = workload_name(workload)
            like = (error.kind, line, re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", message.replace(name, "")))
            said = message.replace(f" of {name}", "").replace(name, "it")
            return _Failure(like, line, said, error.event, tuple(self.policy.calls))
        return None


def _parts(n: int, event: int | None) -> list[range]:
    """Which events to begin with: those before the failure, the nearest if there are too many of them."""
    if event is None:
        return [range(min(n, 16 << k)) for k in range(7) if k == 0 or 8 << k < n]
    end = min(event + 1, n)
    if end <= FIRST:
        return [range(end)]
    return [range(end - (16 << 3 * k), end) for k in range(3)]


class _Recorded(InterpretedPolicy):
    """Notes how its methods are called, and what they answer."""

    def __init__(
        self, program: Program, values: Mapping[str, float] | None, floats: frozenset[str], counter: Counter
    ) -> None:
        super().__init__(program, values, floats, counter=counter)
        self.calls: list[str] = []

    def state(self, *init: Any) -> Any:
        """As the policy."""
        self.calls.append(_call("Policy", self.program.contract.init, init))
        return super().state(*init)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """As the policy."""

        def recorded(**functions: Any) -> Any:
            noted = {n: self._noting(n, f) for n, f in functions.items() if n in self.methods}
            return factory(**(functions | noted))

        return super().bind(recorded, defaults)

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        contract: Contract = self.program.contract
        method = contract.method(name)
        assert method is not None

        def call(state: Any, *args: Any) -> Any:
            self.calls.append(_call(name, method.params, args))
            result = function(state, *args)
            if method.returns != "none":
                self.calls[-1] += f" -> {_short(result)}"
            return result

        return call


def _call(name: str, params: Sequence[str], args: Sequence[Any]) -> str:
    return f"{name}({', '.join(f'{p}={_short(a)}' for p, a in zip(params, args, strict=True))})"


def _short(value: Any) -> str:
    """A value in a few characters; numbers that nobody compares digit by digit (hashes) are left out."""
    if isinstance(value, np.ndarray):
        last = int(np.flatnonzero(value)[-1]) + 1 if value.any() else 0
        shown = [_short(v) for v in value[: max(1, min(last, 8))].tolist()]
        return f"[{', '.join([*shown, '...'] if len(shown) < len(value) else shown)}]"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 12 else "..."


def _told(problem: Problem, workload: Any, failure: _Failure) -> str:
    head = f"It fails already {problem.tell(workload)}: {failure.message}"
    calls = list(failure.calls[-_CALLS:])
    if len(failure.calls) > len(calls):
        calls = [failure.calls[0], "...", *calls[1:]]
    text = f"{head}\nThe calls up to there: {'; '.join(calls)}"
    return text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."
