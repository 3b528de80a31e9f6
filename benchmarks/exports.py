"""Exports all baselines of the problems that have a system, and says which targets express them and at what cost.

python -m benchmarks.exports [target or problem ...]
python -m benchmarks.exports corpus      # answers of a model: how many are translated
python -m benchmarks.exports agent       # what the agent of target=kubernetes costs
"""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from metamuse import config
from metamuse.build import make_problem
from metamuse.export.base import Material, exporters, fits, read_all, system_of, systems_known
from metamuse.export.c_module import c_files
from metamuse.export.jailed import make
from metamuse.export.kinds import UntranslatableError
from metamuse.export.package import ExportFailedError, run_test
from metamuse.export.python_module import python_module
from metamuse.export.runtime.node_agent import Agent, Settings
from metamuse.export.runtime.target_client import TargetClient
from metamuse.llm.parse import extract_code
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load


def tried(problem, workloads, name: str, target: str) -> tuple[int, str]:  # type: ignore[no-untyped-def]
    """Golden decisions that were equal, and microseconds each or why there are none."""
    task = {
        "source": problem.baselines[name],
        "target": target,
        "package": f"{problem.name}_{name}",
        "title": name,
    }
    made = make(problem, workloads, task)
    if "untranslatable" in made:
        return 0, made["untranslatable"]
    with tempfile.TemporaryDirectory() as folder:
        for path, text in made["files"].items():
            file = Path(folder) / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        (Path(folder) / "golden.gz").write_bytes(base64.b64decode(made["golden"]))
        try:
            decisions, seconds = run_test(Path(folder))
        except ExportFailedError as error:
            return 0, f"FAILS: {error}"
    return decisions, f"{1e6 * seconds / decisions:.2f} us"


def corpus() -> int:
    """How many of the answers in tests/corpus are translated to C, and to Python without numpy."""
    made = {"python without numpy": 0, "c": 0}
    answers = sorted(Path("tests/corpus").glob("[bc]*-[0-9][0-9].md"))
    for answer in answers:
        name = answer.name.partition("-")[0]
        problem = make_problem(config.compose([f"problem={name}"]))
        program = load(extract_code(answer.read_text()), problem.contract)
        policy = CompiledPolicy(program, problem.init_example())
        for target, write in (("python without numpy", python), ("c", c_files)):
            facts = system_of(problem).facts(policy)
            try:
                write(
                    Material(
                        "tried", answer.name, name, program, policy, problem.init_example(), facts, [], ""
                    )
                )
                made[target] += 1
            except UntranslatableError as error:
                print(f"{answer.name} {target}: {error}", flush=True)
    print(f"{len(answers)} answers, translated: {made}")
    return 0


def agent() -> int:
    """CPU time of the agent for a tick of 100 ms, on files like those of cgroup v2, policy captain."""
    problem = make_problem(config.compose(["problem=autothrottle"]))
    program = load(problem.baselines["captain"], problem.contract)
    policy = CompiledPolicy(program, problem.init_example())
    material = Material("tried", "captain", problem.name, program, policy, problem.init_example(), {}, [], "")
    space: dict[str, Any] = {"__name__": "captain"}
    exec(python(material), space)
    for pods in (10, 100):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            services = {f"{i:032x}": f"s{i}" for i in range(pods)}
            for uid in services:
                group = root / "kubepods" / f"pod{uid}"
                group.mkdir(parents=True)
                (group / "cpu.max").write_text("max 100000")
                (group / "cpu.stat").write_text(_COUNTERS)
            settings = Settings(root, root / "state.json", 32.0, 200.0, pods)
            node = Agent(space["Policy"], settings, partial(dict, services), TargetClient("", ""))
            node.look_around()
            node.arrange()
            node.tick()
            began, ticks = time.process_time(), 300
            for _ in range(ticks):
                node.tick()
            spent = (time.process_time() - began) / ticks
        print(f"{pods} pods: {1e3 * spent:.2f} ms of CPU a tick, {1e3 * spent:.2f} % of a core", flush=True)
    return 0


_COUNTERS = "usage_usec 1\nnr_periods 1\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n"


def python(material: Material) -> str:
    """The policy as Python without numpy."""
    return python_module(material.program, material.inference, material.bounds, material.title)


def main(words: list[str]) -> int:
    """Print one line an export; 1 if one is not equivalent."""
    read_all()
    if words == ["corpus"]:
        return corpus()
    if words == ["agent"]:
        return agent()
    targets = [word for word in words if word not in systems_known()]
    failed = False
    for name in [word for word in words if word in systems_known()] or systems_known():
        problem = make_problem(config.compose([f"problem={name}"]))
        workloads = [w for which in ("holdout", "validation", "feedback") for w in problem.workloads(which)]
        for target in targets or list(exporters()):
            if not fits(exporters()[target], name):
                continue
            for baseline in problem.baselines:
                decisions, said = tried(problem, workloads, baseline, target)
                failed = failed or said.startswith("FAILS")
                print(f"{name:12} {target:12} {baseline:20} {decisions:8,} {said}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
