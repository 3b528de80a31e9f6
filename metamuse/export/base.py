"""What an exporter is, and which there are."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import metamuse.policykit
from metamuse.errors import UsageError
from metamuse.export import runtime, systems, targets
from metamuse.export.bounds import Bounds
from metamuse.export.form import Known
from metamuse.export.golden import Case
from metamuse.export.infer import Inference
from metamuse.export.python_module import arithmetic_sources, translate
from metamuse.export.python_whole import language_files
from metamuse.export.units import kit_unit
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import Program

#: Where the modules of :mod:`metamuse.export.runtime` import one another from.
_RUNTIME = runtime.__name__ + "."


class System(Protocol):
    """What exports need of a problem's system; one module in ``metamuse/export/systems`` a problem.

    Attributes:
        runtime: Modules of :mod:`metamuse.export.runtime` that stand around a Python policy.
    """

    runtime: tuple[str, ...]

    def facts(self, policy: Known) -> dict[str, Any]:
        """What the system has to be told of the policy, by name; from its text, it is not run for that."""

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """What the policy decides in the simulator, compiled: at least ``ENOUGH`` decisions if there are as many."""

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """Decisions in another mode of the system than the run's, or a sentence that says how the policy fails there."""


@dataclass(frozen=True)
class Material:
    """What an exporter makes a package of.

    Attributes:
        package: Name of the Python package (also a prefix for names in C).
        title: One line that says what is exported.
        problem: Name of the problem.
        program: The checked policy.
        compiled: The same, compiled; or what is known of it where nothing of it may run.
        init: Arguments that its ``__init__`` may be given.
        facts: What :meth:`System.facts` says.
        golden: The decisions it is compared on.
        refused: Why there are no decisions in the other mode of the system, "" if there are.
        provenance, scores: Of :class:`metamuse.export.subject.Subject`.
    """

    package: str
    title: str
    problem: str
    program: Program
    compiled: Known
    init: tuple[Any, ...]
    facts: Mapping[str, Any]
    golden: Sequence[Case]
    refused: str
    provenance: Sequence[str] = ()
    scores: Sequence[str] = ()

    @cached_property
    def _translated(self) -> tuple[Inference, Bounds]:
        return translate(self.program, self.compiled, self.init)

    @property
    def inference(self) -> Inference:
        """Its functions, and the kinds of their expressions.

        Raises:
            UntranslatableError: A construct is not known.
        """
        return self._translated[0]

    @property
    def bounds(self) -> Bounds:
        """How large its ints become.

        Raises:
            UntranslatableError: A construct is not known.
        """
        return self._translated[1]


class Exporter(Protocol):
    """One target. Adding one is one module in ``metamuse/export/targets`` with an instance named ``EXPORTER``.

    The command does the rest: README.md, LICENSE, ``golden.gz`` (the decisions of ``Material.golden``), running the test,
    and putting the folder in its place only if that passes. So an exporter has to

    - return files that import nothing of MetaMuse and need nothing but what ``requires`` names;
    - include ``test_equivalence.py``: run as a script in the package's folder it compares the exported form with
      ``golden.gz``, prints one JSON line ``{"decisions": n, "seconds": s}`` and ends with 0; at the first difference it
      prints one sentence that says where it is and ends with 1. Pytest can run it, too;
    - refuse what it cannot express exactly (:class:`metamuse.export.kinds.UntranslatableError`), never guess.

    ``files`` runs where candidates run, in the executor's jail: without network, and it may not touch files. But it runs in
    a process of its own, in which nothing of the policy has run or will: it asks for no more than
    :class:`metamuse.export.form.Known` and :func:`metamuse.export.form.array_bytes` say. For the latter an exporter names the
    arguments of ``__init__`` that it wants to know of, beside those of ``Material.init``, as ``inits`` (a tuple of tuples).

    Attributes:
        name: What ``target=`` names.
        summary: One line for lists of targets.
        problems: For which problems it is; () for every problem that has a system.
        requires: Distributions that the package needs, as in ``pyproject.toml``.
        usage: For the README: how to use it, in Markdown; ``{package}`` stands for the package's name.
        assumptions: For the README: what has to hold, one sentence each.
        fallback: For the README: what happens when the policy fails in production.
    """

    name: str
    summary: str
    problems: tuple[str, ...]
    requires: tuple[str, ...]

    def usage(self, problem: str) -> str:
        """How the package is used."""

    def assumptions(self, problem: str) -> list[str]:
        """What has to hold."""

    def fallback(self, problem: str) -> str:
        """What happens when the policy fails."""

    def files(self, material: Material) -> dict[str, str]:
        """The package's own files by path.

        Raises:
            UntranslatableError: The policy uses what the target cannot express.
        """


@functools.cache
def exporters() -> dict[str, Exporter]:
    """All targets by name."""
    names = sorted(m.name for m in pkgutil.iter_modules(targets.__path__))
    found = [importlib.import_module(f"{targets.__name__}.{n}").EXPORTER for n in names]
    return {exporter.name: exporter for exporter in found}


def exporter_for(target: str | None, problem: str) -> Exporter:
    """The exporter that ``target=`` names.

    Raises:
        UsageError: There is none, or it is not for this problem.
    """
    known = exporters()
    fitting = ", ".join(n for n, e in known.items() if fits(e, problem)) or "none yet"
    if target is None:
        raise UsageError(f"export needs target=; for problem={problem} there are: {fitting}.")
    if target not in known:
        raise UsageError(f"There is no target {target}; for problem={problem} there are: {fitting}.")
    if not fits(known[target], problem):
        raise UsageError(f"target={target} is not for problem={problem}; for it there are: {fitting}.")
    return known[target]


def fits(exporter: Exporter, problem: str) -> bool:
    """Whether a target is for a problem."""
    return problem in (exporter.problems or systems_known())


@functools.cache
def systems_known() -> list[str]:
    """The problems that have a system."""
    return sorted(m.name for m in pkgutil.iter_modules(systems.__path__))


def system_of(problem: Any) -> System:
    """The system of a problem."""
    system: System = _system_class(problem.name)(problem)
    return system


def runtime_of(problem: str) -> tuple[str, ...]:
    """Names of the modules that stand around a Python policy of a problem."""
    names: tuple[str, ...] = _system_class(problem).runtime
    return names


def _system_class(problem: str) -> Any:
    return importlib.import_module(f"{systems.__name__}.{problem}").SYSTEM


@functools.cache
def _texts() -> dict[str, str]:
    folder = Path(runtime.__file__).parent
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir() if p.is_file()}


def runtime_text(name: str) -> str:
    """A file of :mod:`metamuse.export.runtime` as it stands in a package."""
    return _texts()[name].replace(f"from {_RUNTIME}", "from .")


def read_all() -> None:
    """Read all sources that exports are made of; from then on no file is needed."""
    _texts()
    for kit in metamuse.policykit.__all__:
        if kit[0].isupper():
            kit_unit(kit)
    arithmetic_sources()
    language_files()
