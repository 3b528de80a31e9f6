"""What a problem is to the hub."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluators.base import Contract, Policy, Score
from problems.figures import Figure, Tradeoff

#: The three disjoint sets of workloads (``docs/honest-numbers.md``).
SETS = ("feedback", "validation", "holdout")

#: Stands for all sets of shifted workloads, see :meth:`Problem.shifts`; each is named with the prefix SHIFT.
SHIFTS = "shifts"
SHIFT = "shift: "


@dataclass(frozen=True)
class Metric:
    """The number a problem optimises.

    Attributes:
        name: What it is called.
        unit: Its unit, "" for a plain ratio.
        maximise: Whether more is better.
        ideal: The best conceivable value, the target when the search exploits.
        digits: Digits after the point when it is shown.
        gain: What the gain over the reference is called, in percent.
    """

    name: str
    unit: str
    maximise: bool
    ideal: float
    digits: int
    gain: str


@dataclass(frozen=True)
class Results:
    """What a policy did on one workload, for the people whose workload it is.

    Attributes:
        files: Contents by name; names are plain, without folders.
        lines: The same in short, for a terminal.
    """

    files: Mapping[str, bytes]
    lines: Sequence[str]


class Problem:
    """A decision inside a system: contract, texts for the model, baselines, workloads, simulator.

    A problem is one class in ``problems/<name>/problem.py`` named ``PROBLEM``; it receives its Hydra
    configuration (``conf/problem/<name>.yaml``). Subclasses set the attributes and define the methods below;
    workloads are opaque to the hub (they need a ``name``).

    Attributes:
        name: The name after ``problem=``.
        version: Name with a version; a changed simulator is a new version.
        metric: What is optimised.
        contract: Methods of a policy.
        reference: Baseline against which gains are given.
        neighbours: Baselines that name the clusters of solutions (nearest baseline).
        design_keys: Keys of a design and what each says.
        bounds: Ids of evaluator functions that need the future: the first one no policy can pass, others give
            scale.
        holds: What a policy's memory grows with, and the detail of a score that counts it
            (``("object", "capacity")``), so that bytes can be given for each; None if nothing does.
        tradeoff: Two details of scores whose front the report draws, if there are such.
    """

    name: str
    version: str
    metric: Metric
    contract: Contract
    reference: str
    neighbours: tuple[str, ...]
    design_keys: Mapping[str, str]
    bounds: tuple[str, ...] = ()
    holds: tuple[str, str] | None = None
    tradeoff: Tradeoff | None = None

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    @property
    def folder(self) -> Path:
        """The problem's own folder."""
        return Path(importlib.import_module(type(self).__module__).__file__ or "").parent

    def prompt(self, name: str) -> str:
        """A text for the model: ``task``, ``situation`` or ``contract``."""
        return (self.folder / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()

    @cached_property
    def words(self) -> tuple[str, ...] | None:
        """Terms of the problem's field, from ``prompts/words.txt``; None if it has no such file."""
        file = self.folder / "prompts" / "words.txt"
        if not file.is_file():
            return None
        return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())

    @cached_property
    def baselines(self) -> dict[str, str]:
        """Sources of all baseline policies by id."""
        files = sorted((self.folder / "baselines").glob("[a-z]*.py"))
        return {file.stem: file.read_text(encoding="utf-8") for file in files}

    @cached_property
    def rivals(self) -> dict[str, str]:
        """Sources of the baselines that a run is compared with: ``baselines`` of the configuration.

        Raises:
            ValueError: One of them does not exist.
        """
        wanted = self.config.get("baselines", "all")
        if wanted == "all":
            return self.baselines
        names = [n.strip() for n in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
        for name in names:
            if name not in self.baselines:
                raise ValueError(
                    f"problem.baselines: there is no {name}; there are {', '.join(self.baselines)}"
                )
        return {n: s for n, s in self.baselines.items() if n in names or n == self.reference}

    def init_example(self) -> tuple[Any, ...]:
        """Arguments for one small construction of a policy, from which kinds of attributes are read."""
        raise NotImplementedError

    def workloads(self, which: str) -> Sequence[Any]:
        """The workloads of one of :data:`SETS`.

        Raises:
            WorkloadError: A file cannot be read or used.
        """
        raise NotImplementedError

    def shifts(self, holdout: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
        """Workloads unlike those that are searched on (another size, another distribution), by what is unlike.

        Finalists and baselines are scored on them once: does the policy carry over?

        Args:
            holdout: The hold-out workloads, to derive them from.
        """
        return {}

    def load(self, patterns: str) -> Sequence[Any]:
        """The workloads that a path, glob or comma list names (``score workloads=…``)."""
        raise NotImplementedError

    def probes(self) -> Sequence[Any]:
        """A few tiny workloads on which both execution modes must agree before anything else is run."""
        raise NotImplementedError

    def bind(self, policy: Policy) -> Any:
        """The simulator's loop around a policy."""
        raise NotImplementedError

    def simulate(self, policy: Policy, loop: Any, workload: Any) -> Score:
        """Run a fresh policy on one workload.

        The score's ``decisions`` prove that a simplified policy decides the same (``docs/simplify.md``); without
        them nothing is simplified.

        Raises:
            PolicyError: The policy failed.
        """
        raise NotImplementedError

    def bound(self, bound: str, workload: Any) -> Score:
        """The value of a bound on one workload."""
        raise NotImplementedError

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        """Let a policy run once more, and show what it does; for the winner and the strongest baseline."""
        return ()

    def results(self, policy: Policy, loop: Any, workload: Any) -> Results | None:
        """Let a policy run once more, and say all that came of it (``score out=…``); None if there is nothing to say.

        Raises:
            PolicyError: The policy failed.
        """
        return None

    def remarks(self, rows: Sequence[Mapping[str, float]]) -> Sequence[str]:
        """What must be known beside the mean of a set's scores; each stands after a colon.

        Args:
            rows: Details of the scores by workload.
        """
        return ()

    def digest(self, workload: Any) -> str:
        """A short hash of a workload's content, for provenance."""
        raise NotImplementedError

    def is_synthetic(self, which: str) -> bool:
        """Whether a set is made up, so that a model may be shown pieces of it; a user's traces stay on the machine."""
        return str(self.config.get("workloads", {}).get(which)) == "synthetic"

    def seconds(self, workload: Any) -> float:
        """About how long one core simulates a workload: whether it is worth to compile a policy in several processes."""
        return 1.0

    def events(self, workload: Any) -> int:
        """How many events a workload has that :meth:`cut` can leave out; 0 if workloads cannot be cut."""
        return 0

    def cut(self, workload: Any, kept: Sequence[int]) -> Any:
        """A workload of the same name with only some of its events, given by number in ascending order."""
        raise NotImplementedError

    def smaller(self, workload: Any) -> Iterable[Any]:
        """The events of a workload in systems that are easier to follow, the smallest first."""
        return ()

    def tell(self, workload: Any) -> str:
        """A tiny workload in words that complete "It fails already …": "with capacity 2 on the requests A B A"."""
        raise NotImplementedError

    def gain(self, value: float, reference: float) -> float:
        """How many percent better than the reference a value is on one workload."""
        if reference == 0:
            return 0.0 if value == 0 else (100.0 if self.metric.maximise else -100.0)
        change = 100.0 * (value - reference) / abs(reference)
        return change if self.metric.maximise else -change


def workload_name(workload: Any) -> str:
    """Name of a workload of any problem."""
    return str(getattr(workload, "name", None) or workload.trace.name)


def names() -> list[str]:
    """The problems that exist."""
    root = Path(__file__).parent
    return sorted(p.parent.name for p in root.glob("*/problem.py"))


def make(config: Mapping[str, Any]) -> Problem:
    """Build the problem that a configuration names."""
    module = importlib.import_module(f"problems.{config['name']}.problem")
    problem: Problem = module.PROBLEM(config)
    return problem
