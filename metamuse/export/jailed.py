"""What runs in the executor's jail for an export: two tasks, each in a process of its own.

In the first one, ``record``, the policy runs: it is compiled, and what it decides is recorded. Only data comes back, which the
hub checks. In the second, ``render``, the programs of the package are written, from the policy's text and these data. They
are run later on, outside of the jail: so nothing of the policy runs in that process, neither compiled nor interpreted. A
policy that has broken out of its language decides about the numbers of an export, never about a line of its programs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import problems.base
from evaluators.base import PolicyError
from metamuse.evaluation import Handler
from metamuse.export.base import Material, exporters, read_all, system_of
from metamuse.export.form import form_of, told
from metamuse.export.golden import ENOUGH, ForgedError, pack, unpack
from metamuse.export.kinds import UntranslatableError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load


def setup(config: Mapping[str, Any]) -> Handler:
    """Load the workloads on which decisions are recorded; then serve tasks.

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
        return record(problem, workloads, task) if task["do"] == "record" else render(problem, task)

    return handle


def warm_up(problem: problems.base.Problem) -> None:
    """Compile the simulator, or read it from its cache, which a task cannot: by the reference's decisions on a probe."""
    program = load(problem.baselines[problem.reference], problem.contract)
    system_of(problem).golden(CompiledPolicy(program, problem.init_example()), problem.probes()[:1])


def record(problem: problems.base.Problem, workloads: list[Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """Compile a policy and record what it decides.

    Args:
        problem: What it is a policy for.
        workloads: Where to record.
        task: ``source`` and ``target``.

    Returns:
        ``golden`` (the file, in base64), ``form`` (see :func:`metamuse.export.form.told`) and ``refused`` (see
        :class:`metamuse.export.base.Material`).

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
    return {
        "golden": base64.b64encode(pack([*golden, *more])).decode(),
        "form": told(compiled, _inits(problem, task["target"])),
        "refused": refused,
    }


def render(problem: problems.base.Problem, task: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files of an export; nothing of the policy runs for that.

    Args:
        problem: What it is a policy for.
        task: ``source``, ``target``, ``package``, ``title``, perhaps ``provenance`` and ``scores``; and ``golden``, ``form``
            and ``refused``, as :func:`record` returned them.

    Returns:
        ``files`` (texts by path) and ``doc`` (the policy's idea); or a sentence: ``untranslatable``, or ``forged`` if the
        data are not of this policy.
    """
    program = load(task["source"], problem.contract)
    try:
        form = form_of(program, task["form"], _inits(problem, task["target"]))
        material = Material(
            task["package"],
            task["title"],
            problem.name,
            program,
            form,
            problem.init_example(),
            system_of(problem).facts(form),
            unpack(base64.b64decode(task["golden"])),
            task["refused"],
            task.get("provenance", ()),
            task.get("scores", ()),
        )
        files = exporters()[task["target"]].files(material)
    except UntranslatableError as error:
        return {"untranslatable": str(error)}
    except ForgedError as error:
        return {"forged": str(error)}
    return {"files": files, "doc": program.doc}


def _inits(problem: problems.base.Problem, target: str) -> list[tuple[Any, ...]]:
    """Arguments of ``__init__`` for which an exporter may ask how large a state is."""
    return [problem.init_example(), *getattr(exporters()[target], "inits", ())]


def make(problem: problems.base.Problem, workloads: list[Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """Both tasks in one process, for policies that are trusted: what both return.

    Args:
        problem: What it is a policy for.
        workloads: Where to record.
        task: As for :func:`render`, without what :func:`record` returns.

    Raises:
        PolicyError: The policy fails.
    """
    recorded = record(problem, workloads, task)
    return recorded | render(problem, {**task, **recorded})
