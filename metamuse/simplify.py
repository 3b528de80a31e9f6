"""Makes a policy shorter without changing a decision, and proves it (``docs/simplify.md``).

Greedy, largest pieces first: what is dead by its text, whole methods, statements, branches, operands. A piece goes if
all decisions on all workloads stay what they were, to the last one: the simulator folds them into a digest that a
policy cannot reach. Trials run on one compiled program whose pieces are switched off by bits of its state
(:mod:`metamuse.policy.switchboard`), first on few workloads, to which the first one that tells a difference is added; the
text that results is compiled by itself and compared on everything.

What comes out depends on the text, the workloads and the number of trials only, never on time.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.base import Decisions, PolicyError
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.constants import with_values
from metamuse.policy.observed import Observed
from metamuse.policy.program import Program, load
from metamuse.policy.reprint import reprint
from metamuse.policy.rules import is_text
from metamuse.policy.sweep import policy_of, sweep
from metamuse.policy.switchboard import Board, board
from metamuse.policy.switches import Switch, switches, without
from problems.base import Problem, workload_name

Values = Mapping[str, int | float]

#: Iterations a trial may take on a workload: so many times those of the whole program, and as many more.
_PATIENCE, _SPARE = 4, 10_000
_UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Length:
    """How long a policy is.

    Attributes:
        lines: Lines of code, without blank ones, comments and docstrings.
        statements: Statements, docstrings aside.
        constants: Numbers at the top of the module.
    """

    lines: int
    statements: int
    constants: int


def length(source: str) -> Length:
    """Measure a policy's text."""
    tree = ast.parse(source)
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and is_text(n)]
    docs = {line for n in texts for line in range(n.lineno, (n.end_lineno or n.lineno) + 1)}
    lines = [line.strip() for i, line in enumerate(source.splitlines(), 1) if i not in docs]
    return Length(
        sum(1 for line in lines if line and not line.startswith("#")),
        sum(1 for n in ast.walk(tree) if isinstance(n, ast.stmt)) - len(texts),
        sum(1 for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign)),
    )


@dataclass(frozen=True)
class Simplified:
    """A shorter policy with the proof that it decides the same.

    Attributes:
        source: Its text; the original's if nothing could be left out.
        before, after: How long both are.
        workloads: On how many workloads all decisions are equal.
        decisions: How many decisions that are.
        digest: Of all of them, in hexadecimal; the same for both texts.
        trials: Trials it took.
    """

    source: str
    before: Length
    after: Length
    workloads: int
    decisions: int
    digest: str
    trials: int


def simplify(
    problem: Problem,
    source: str,
    workloads: Sequence[Any],
    trials: int,
    variants: Mapping[str, Values] | None = None,
) -> dict[str, Simplified]:
    """Leave out of a policy what decides nothing on the workloads.

    Args:
        problem: What it is a policy for.
        source: Its text.
        workloads: On which it has to decide the same.
        trials: How many trials it may take.
        variants: Other values of its constants, by name: the same pieces are left out of the text with those values
            if that changes none of its decisions either (no further trials are made).

    Returns:
        What became of the policy under "", and of its variants as far as they decide as before; nothing if the
        simulator keeps no decisions (:attr:`evaluators.base.Score.decisions`).

    Raises:
        PolicyError: The policy itself fails.
    """
    try:
        search = _Search(problem, source, workloads, trials)
    except _UndecidedError:
        return {}
    text = search.run()
    found = {"": search.proved(source, text, search.original.decide(search.workloads))}
    for name, values in (variants or {}).items():
        known = {n: v for n, v in values.items() if n in search.last.constants}
        try:
            expected = search.original.decide(search.workloads, values)
            same = search.last.decide(search.workloads, known) == expected
        except PolicyError:
            continue
        if same:
            found[name] = search.proved(with_values(source, values), with_values(text, known), expected)
    return found


def agreement(
    problem: Problem,
    source: str,
    simplified: str,
    workloads: Sequence[Any],
    variants: Mapping[str, Values] | None = None,
) -> dict[str, dict[str, Any]]:
    """Whether a simplified policy decides as the original does on workloads that it was not simplified on.

    Returns:
        For "" and every variant (other values of constants): ``workloads`` and ``decisions`` (counts), and ``differs``
        (names of the workloads on which a decision differs, or only one of the two fails).

    Raises:
        PolicyError: One of the texts cannot be compiled.
    """
    one, other = _Compiled(problem, source), _Compiled(problem, simplified)
    found = {}
    for name, values in {"": {}, **(variants or {})}.items():
        known = {n: v for n, v in values.items() if n in other.constants}
        pairs = [(one.decided(w, values), other.decided(w, known)) for w in workloads]
        found[name] = {
            "workloads": len(pairs),
            "decisions": sum(made.count for made, _ in pairs if isinstance(made, Decisions)),
            "differs": [workload_name(w) for w, (a, b) in zip(workloads, pairs, strict=True) if a != b],
        }
    return found


class _Compiled:
    """A compiled policy and what it decides."""

    def __init__(self, problem: Problem, source: str) -> None:
        self.problem = problem
        program = load(source, problem.contract)
        self.constants = program.constants
        self.policy = CompiledPolicy(program, problem.init_example(), shared=True)
        self.loop = problem.bind(self.policy)

    def decide(self, workloads: Sequence[Any], values: Values | None = None) -> list[Decisions]:
        """What it decides on each workload, perhaps with other values of its constants."""
        policy = self.policy.with_values(values) if values else self.policy
        return [_decided(self.problem, policy, self.loop, workload) for workload in workloads]

    def decided(self, workload: Any, values: Values) -> Decisions | str:
        """The same on one workload; the class of the failure if it fails."""
        try:
            return self.decide([workload], values)[0]
        except PolicyError as error:
            return error.kind


def _decided(problem: Problem, policy: Any, loop: Any, workload: Any) -> Decisions:
    made = problem.simulate(policy, loop, workload).decisions
    if made is None:
        raise _UndecidedError
    return made


class _UndecidedError(Exception):
    """The simulator keeps no decisions."""


class _Search:
    def __init__(self, problem: Problem, source: str, workloads: Sequence[Any], trials: int) -> None:
        self.problem = problem
        self.source = source
        self.probes = problem.probes()
        self.workloads = [*self.probes, *workloads]
        self.trials = trials
        self.spent = 0
        self.original = self.last = _Compiled(problem, source)
        self.expected = self.original.decide(self.workloads)

    def run(self) -> str:
        """The shortest text found; :attr:`last` is its compiled form."""
        text = self._accept(self.source, [self._swept(self.source)])
        text = self._without_methods(text)
        program = load(text, self.problem.contract)
        off = _Trials(self, program).off()
        if not off:
            return text
        # Where leaving out an operand changes a kind, the text may not compile or round otherwise: then without those.
        choices = [off, [s for s in off if s.exact], [s for s in off if s.is_statement]]
        return self._accept(text, (self._swept(text, choice) for choice in choices if choice))

    def proved(self, source: str, text: str, made: Sequence[Decisions]) -> Simplified:
        """The result for a text whose decisions were compared."""
        counted = made[len(self.probes) :]
        sha = hashlib.sha256(b"".join(d.digest.to_bytes(8, "little", signed=True) for d in counted))
        total = sum(d.count for d in counted)
        before, after = length(source), length(text)
        return Simplified(text, before, after, len(counted), total, sha.hexdigest()[:16], self.spent)

    def _swept(self, text: str, off: Sequence[Switch] = (), dropped: str = "") -> str:
        program = load(text, self.problem.contract)
        tree = without(program.tree, off)
        if dropped:
            policy = policy_of(tree)
            policy.body = [
                n for n in policy.body if not (isinstance(n, ast.FunctionDef) and n.name == dropped)
            ]
        return reprint(text, sweep(tree, program.names, self.problem.contract, program.constants))

    def _accept(self, text: str, shorter: Iterable[str]) -> str:
        """The first text that decides as the original does on all workloads."""
        refused = set()
        for candidate in shorter:
            if candidate == text or (candidate not in refused and self._same(candidate)):
                return candidate
            refused.add(candidate)
        return text

    def _same_interpreted(self, text: str) -> bool:
        """Whether a text decides the same on the probes: costs a twentieth of compiling it."""
        try:
            policy = InterpretedPolicy(load(text, self.problem.contract))
            loop = self.problem.bind(policy)
            made = [_decided(self.problem, policy, loop, probe) for probe in self.probes]
        except PolicyError:
            return False
        return made == self.expected[: len(made)]

    def _same(self, text: str) -> bool:
        try:
            compiled = _Compiled(self.problem, text)
            same = compiled.decide(self.workloads) == self.expected
        except PolicyError:
            return False
        if same:
            self.last = compiled
        return same

    def _without_methods(self, text: str) -> str:
        """Drop methods that decide what the simulator does without them."""
        for method in self.problem.contract.methods:
            defined = load(text, self.problem.contract).methods
            if method.required or method.returns == "none" or method.name not in defined:
                continue
            if self.spent < self.trials:
                self.spent += 1
                shorter = self._swept(text, dropped=method.name)
                if self._same_interpreted(shorter):
                    text = self._accept(text, [shorter])
        return text


class _Trials:
    """Trials with the switches of one program."""

    def __init__(self, search: _Search, program: Program) -> None:
        self.search = search
        self.problem = search.problem
        self.program = program
        self.found = switches(program.tree, self.problem.contract)

    def off(self) -> list[Switch]:
        """A set of switches that can be off together without changing a decision on any workload."""
        if not self._compile():
            return []
        try:
            self.fuel = [
                _PATIENCE * self._burnt(workload) + _SPARE for workload in range(len(self.search.workloads))
            ]
        except PolicyError:
            return []
        screen = list(range(len(self.search.probes) + 1))
        chosen = self._greedy([], self.found, screen)
        while chosen:
            telling = self._first_telling(chosen, range(len(self.search.workloads)))
            if telling is None:
                break
            screen = [telling, *screen]
            chosen = self._greedy([], chosen, screen)
        return chosen

    def _greedy(self, chosen: list[Switch], offered: Sequence[Switch], screen: Sequence[int]) -> list[Switch]:
        for switch in offered:
            if self.search.spent >= self.search.trials:
                break
            if any(other.bars(switch) for other in chosen):
                continue
            self.search.spent += 1
            if self._first_telling([*chosen, switch], screen) is None:
                chosen = [*chosen, switch]
        return chosen

    def _first_telling(self, off: Sequence[Switch], workloads: Sequence[int]) -> int | None:
        """The first workload on which a decision changes."""
        for i in workloads:
            try:
                made = self._run(i, off, self.fuel[i])
            except PolicyError:
                return i
            if made != self.search.expected[i]:
                return i
        return None

    def _run(self, i: int, off: Sequence[Switch], fuel: int) -> Decisions:
        policy = _Set(self.policy, self.board, off, fuel)
        return _decided(self.problem, policy, self.loop, self.search.workloads[i])

    def _burnt(self, i: int) -> int:
        observed = _Set(self.policy, self.board, (), _UNLIMITED)
        _decided(self.problem, observed, self.loop, self.search.workloads[i])
        return sum(_UNLIMITED - self.board.fuel_left(state) for state in observed.states)

    def _compile(self) -> bool:
        """Compile the program with its switches; those that the language or the compiler refuses are left out."""
        found = self.found
        if not self._loads(found):
            found = [switch for switch in found if self._loads([switch])]
        for choice in (
            found,
            [s for s in found if s.action != "operand"],
            [s for s in found if s.is_statement],
        ):
            if not choice:
                continue
            self.board = board(self.program.tree, choice)
            try:
                program = load(self.board.source, self.problem.contract)
                self.policy = CompiledPolicy(program, self.problem.init_example())
                self.loop = self.problem.bind(self.policy)
            except PolicyError:
                continue
            self.found = choice
            return True
        return False

    def _loads(self, found: Sequence[Switch]) -> bool:
        try:
            load(board(self.program.tree, found).source, self.problem.contract)
        except PolicyError:
            return False
        return True


class _Set(Observed):
    """A policy whose states have some switches off."""

    def __init__(self, policy: CompiledPolicy, board: Board, off: Sequence[Switch], fuel: int) -> None:
        super().__init__(policy)
        self._board = board
        self._off = off
        self._fuel = fuel

    def state(self, *init: Any) -> Any:
        """As the policy, with the switches set."""
        state = super().state(*init)
        self._board.set(state, self._off, self._fuel)
        return state
