"""What runs in the executor's jail for an export: the policy is compiled, recorded and translated there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import problems.base
from evaluators.base import PolicyError
from metamuse.evaluation import Handler
from metamuse.export.base import Material, exporters, read_all, system_of
from metamuse.export.golden import ENOUGH, pack
from metamuse.export.kinds import UntranslatableError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load


def setup(config: Mapping[str, Any]) -> Handler:
    """Load the workloads on which decisions are recorded; then serve one task.

    Args:
        config: ``problem`` (its configuration) and ``sets`` (names of its sets of workloads, in order of preference).
    """
    problem = problems.base.make(config["problem"])
    read_all()  # the jail of a task cannot read files
    exporters()
    warm_up(problem)
    workloads: list[Any] = []
    for name in config["sets"]:
        workloads += problem.workloads(name)
    synthetic = dict(config["problem"]) | {"workloads": dict.fromkeys(problems.base.SETS, "synthetic")}
    if not any(problem.is_synthetic(name) for name in config["sets"]):
        generated = problems.base.make(synthetic)  # for users whose own are few
        workloads += [w for which in ("validation", "feedback") for w in generated.workloads(which)]

    def handle(task: dict[str, Any]) -> dict[str, Any]:
        return make(problem, workloads, task)

    return handle


def warm_up(problem: problems.base.Problem) -> None:
    """Compile the simulator, or read it from its cache, which a task cannot: by the reference's decisions on a probe."""
    program = load(problem.baselines[problem.reference], problem.contract)
    system_of(problem).golden(CompiledPolicy(program, problem.init_example()), problem.probes()[:1])


def make(problem: problems.base.Problem, workloads: list[Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """Compile a policy, record what it decides and translate it.

    Args:
        problem: What it is a policy for.
        workloads: Where to record.
        task: ``source``, ``target``, ``package``, ``title``, and perhaps ``provenance`` and ``scores``.

    Returns:
        ``files`` (texts by path), ``golden`` (the file, in base64), ``decisions``, ``cases`` (names of workloads) and
        ``refused`` (see :class:`metamuse.export.base.Material`); or ``untranslatable``, a sentence.

    Raises:
        PolicyError: The policy fails.
    """
    program = load(task["source"], problem.contract)
    compiled = CompiledPolicy(program, problem.init_example())
    system = system_of(problem)
    golden = system.golden(compiled, workloads)
    if sum(case.decisions for case in golden) < ENOUGH:
        raise PolicyError("infrastructure", "the workloads are too small to compare an export on")
    more, refused = system.other(compiled)
    golden = [*golden, *more]
    try:
        material = Material(
            task["package"],
            task["title"],
            problem.name,
            program,
            compiled,
            problem.init_example(),
            system.facts(compiled),
            golden,
            refused,
            task.get("provenance", ()),
            task.get("scores", ()),
        )
        files = exporters()[task["target"]].files(material)
    except UntranslatableError as error:
        return {"untranslatable": str(error)}
    return {
        "files": files,
        "golden": base64.b64encode(pack(golden)).decode(),
        "decisions": sum(case.decisions for case in golden),
        "cases": [case.fields["name"] for case in golden],
        "refused": refused,
        "doc": program.doc,
    }
