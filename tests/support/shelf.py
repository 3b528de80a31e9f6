"""The baselines of a problem, compiled once a test run, and what every one of them owes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluators.base import Score
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import Program, load


class Shelf:
    """Baselines by id.

    Args:
        package: The package that holds them.
        simulator: Module with ``CONTRACT``, ``bind`` and ``simulate``.
        init: Arguments for one small construction of a policy.
    """

    def __init__(self, package: ModuleType, simulator: ModuleType, init: tuple[Any, ...]) -> None:
        self.folder = Path(next(iter(package.__path__)))
        self.ids = sorted(path.stem for path in self.folder.glob("[a-z]*.py"))
        self._simulator = simulator
        self._init = init
        self.program = functools.cache(self._load)
        self.compiled = functools.cache(self._compile)

    def _load(self, policy_id: str) -> Program:
        return load((self.folder / f"{policy_id}.py").read_text(), self._simulator.CONTRACT)

    def _compile(self, policy_id: str, **values: float) -> tuple[CompiledPolicy, Any]:
        policy = CompiledPolicy(self.program(policy_id), self._init, values)
        return policy, self._simulator.bind(policy)

    def run(self, policy_id: str, workload: Any, **values: float) -> Score:
        """Score a baseline, compiled; ``values`` of its marked constants replace the defaults."""
        score: Score = self._simulator.simulate(*self.compiled(policy_id, **values), workload)
        return score

    def interpret(self, policy_id: str, workload: Any) -> Score:
        """Score a baseline, interpreted."""
        policy = InterpretedPolicy(self.program(policy_id), floats=self.compiled(policy_id)[0].floats)
        score: Score = self._simulator.simulate(policy, self._simulator.bind(policy), workload)
        return score

    def check_all_differ(self) -> None:
        """No two baselines are the same program up to constants."""
        assert len({self.program(policy_id).structure() for policy_id in self.ids}) == len(self.ids)

    def check_says_its_idea(self, policy_id: str) -> None:
        """The docstring explains the rule and where it comes from."""
        assert len(self.program(policy_id).doc.split()) >= 15

    def check_modes_agree(self, policy_id: str, workloads: Iterable[Any]) -> None:
        """Interpreted and compiled take the same decisions, and a second run takes them again."""
        for workload in workloads:
            compiled = self.run(policy_id, workload).details
            assert self.interpret(policy_id, workload).details == compiled, workload
            assert self.run(policy_id, workload).details == compiled, workload
