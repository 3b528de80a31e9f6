"""Checks of what a problem says: names, prompts, contract, metric, baselines, mechanisms. Nothing is run."""

from __future__ import annotations

import importlib
import importlib.util
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from evaluators.base import PolicyError
from metamuse.checking.finding import Finding, found, not_applicable
from metamuse.policy.program import load
from problems.base import Problem, workload_name

_VERSION = re.compile(r"[a-z][a-z_]*-v[1-9]\d*")
#: A signature in a prompt, as in ``def choose(self, size): ...``; methods with a body are an example's.
_SIGNATURE = re.compile(r"def (\w+)\(self,? ?([^)]*)\): \.\.\.")
_FENCED = re.compile(r"^```(?:python)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n|^\n(?= {4}|\n+ {4}))+", re.MULTILINE)
_KINDS = ("int", "float", "bool", "int[]", "float[]")
_RETURNS = ("int", "float", "bool", "none")
#: Designs that the mechanisms are asked for, and how many of them go into one.
_DESIGNS, _MIXED = 6, 3


def check_texts(problem: Problem) -> Iterator[Finding]:
    """All checks of this module, in order."""
    yield _version(problem)
    yield _prompts(problem)
    yield _contract(problem)
    yield _signatures(problem)
    yield _examples(problem)
    yield _design_keys(problem)
    yield _metric(problem)
    yield _baselines(problem)
    yield _cuts(problem)
    yield _mechanisms(problem)


def _version(problem: Problem) -> Finding:
    faults = []
    if problem.name != problem.config["name"]:
        faults.append(f"the problem calls itself {problem.name}, its configuration {problem.config['name']}")
    if not _VERSION.fullmatch(problem.version) or not problem.version.startswith(f"{problem.name}-v"):
        faults.append(f"the version {problem.version} is not {problem.name}-v and a number")
    return found("version", "The version is the problem's name, -v and a number.", faults)


def _prompts(problem: Problem) -> Finding:
    faults = []
    for name in ("task", "situation", "contract"):
        try:
            if not problem.prompt(name):
                faults.append(f"prompts/{name}.md is empty")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"prompts/{name}.md cannot be read: {error}")
    return found("prompts", "The prompts task, situation and contract exist and are not empty.", faults)


def _contract(problem: Problem) -> Finding:
    faults = []
    methods = problem.contract.methods
    if not any(m.required for m in methods) and not problem.contract.alternatives:
        faults.append("no method is required, so there is nothing to decide")
    for m in methods:
        if len(m.params) != len(m.types):
            faults.append(f"{m.name} has {len(m.params)} parameters but {len(m.types)} types")
        faults += [f"{m.name}: there is no type {t}" for t in m.types if t not in _KINDS]
        if m.returns not in _RETURNS:
            faults.append(f"{m.name}: it cannot return {m.returns}")
    example = problem.init_example()
    if len(example) != len(problem.contract.init):
        faults.append(
            f"init_example() has {len(example)} values, __init__ {len(problem.contract.init)} parameters"
        )
    return found("contract", "Every method of the contract has known types, and one is required.", faults)


def _signatures(problem: Problem) -> Finding:
    told = {n: _words(params) for n, params in _SIGNATURE.findall(_prompt(problem, "contract"))}
    real = {m.name: list(m.params) for m in problem.contract.methods} | {
        "__init__": list(problem.contract.init)
    }
    required = {m.name for m in problem.contract.methods if m.required} | {"__init__"}
    faults = [f"the prompt does not show def {n}(self, ...): ..." for n in sorted(required - set(told))]
    faults += [
        f"the prompt shows {n}, which the contract does not have" for n in sorted(set(told) - set(real))
    ]
    faults += [
        f"the prompt shows {n}({', '.join(told[n])}), the contract has {n}({', '.join(real[n])})"
        for n in sorted(set(told) & set(real))
        if told[n] != real[n]
    ]
    text = "The prompt contract.md shows the methods that the contract has, with their parameters."
    unsaid = sorted(set(real) - set(told))
    return found("prompt.methods", text, faults, **({"not_told": unsaid} if unsaid else {}))


def _examples(problem: Problem) -> Finding:
    text = "The examples in the prompt contract.md are policies that pass the static check."
    sources = examples(problem)
    if not sources:
        return found("prompt.example", text, ["there is no complete example of a class Policy"])
    faults = []
    for source in sources:
        try:
            load(source, problem.contract)
        except PolicyError as error:
            faults.append(f"{error.kind}: {error.message}")
    return found("prompt.example", text, faults)


def examples(problem: Problem) -> list[str]:
    """The complete policies in the prompt ``contract.md``: fenced or indented blocks with a class Policy."""
    prompt = _prompt(problem, "contract")
    blocks = [*_FENCED.findall(prompt)]
    blocks += [textwrap.dedent(block) for block in _INDENTED.findall(_FENCED.sub("", prompt) + "\n")]
    return [b.strip() + "\n" for b in blocks if "class Policy" in b and not _SIGNATURE.search(b)]


def _prompt(problem: Problem, name: str) -> str:
    try:
        return problem.prompt(name)
    except (OSError, UnicodeDecodeError):
        return ""  # what is missing is the check `prompts`' to say


def _words(params: str) -> list[str]:
    return [part.strip() for part in params.split(",") if part.strip()]


def _design_keys(problem: Problem) -> Finding:
    keys = problem.design_keys
    faults = [f"there is no {key}" for key in ("name", "idea") if key not in keys]
    faults += [f"the key {key!r} is not one word" for key in keys if not re.fullmatch(r"\w+", key)]
    faults += [f"{key} is not explained" for key, text in keys.items() if not text.strip()]
    return found("design", "A design has a name, an idea and further keys, each explained.", faults)


def _metric(problem: Problem) -> Finding:
    metric = problem.metric
    faults = []
    if not metric.name or not metric.gain:
        faults.append("name and gain need a text")
    if not 0 <= metric.digits <= 9:
        faults.append(f"digits is {metric.digits}")
    if not np.isfinite(metric.ideal):
        faults.append(f"ideal is {metric.ideal}, which is no number to aim for")
    better, worse = (110.0, 90.0) if metric.maximise else (90.0, 110.0)
    gains = [problem.gain(value, 100.0) for value in (better, 100.0, worse)]
    if not gains[0] > gains[1] == 0.0 > gains[2]:
        faults.append(f"gain() of a better, an equal and a worse value is {gains}")
    return found(
        "metric", "The metric has a name, digits and an ideal, and gain() follows its direction.", faults
    )


def _baselines(problem: Problem) -> Finding:
    faults = []
    sources = problem.baselines
    if len(sources) < 2:
        faults.append(f"there are {len(sources)} files in baselines/; a comparison needs at least two")
    faults += [
        f"{role} names {name}, which is no baseline"
        for role, names in (("reference", (problem.reference,)), ("neighbours", problem.neighbours))
        for name in names
        if name not in sources
    ]
    faults += [f"{name} is a baseline and a bound" for name in problem.bounds if name in sources]
    for name, source in sources.items():
        try:
            if not load(source, problem.contract).doc:
                faults.append(f"{name} has no docstring that says its idea")
        except PolicyError as error:
            faults.append(f"{name}: {error.kind}: {error.message}")
    text = "The baselines pass the static check and say their idea; reference and neighbours are among them."
    return found("baselines", text, faults, baselines=len(sources))


def _cuts(problem: Problem) -> Finding:
    text = "Workloads can be cut to some of their events, and tiny ones told, for examples in repair turns."
    probe = problem.probes()[0]
    n = problem.events(probe)
    if not n:
        return not_applicable("cuts", text, "events() is 0, so a model is told of no tiny failing workload")
    whole, part = problem.cut(probe, range(n)), problem.cut(probe, range(0, n, max(1, n // 3)))
    kept = len(range(0, n, max(1, n // 3)))
    faults = []
    if problem.digest(whole) != problem.digest(probe):
        faults.append("cut() to all events is another workload")
    if problem.events(part) != kept:
        faults.append(f"cut() to {kept} events leaves {problem.events(part)}")
    if {workload_name(whole), workload_name(part)} != {workload_name(probe)}:
        faults.append("cut() changes the name")
    if any(problem.events(smaller) != kept for smaller in problem.smaller(part)):
        faults.append("smaller() changes the number of events")
    if not problem.tell(part).strip() or "\n" in problem.tell(part):
        faults.append("tell() does not say the workload in one line")
    return found("cuts", text, faults)


def _mechanisms(problem: Problem) -> Finding:
    text = "The offline composer's mechanisms make designs with the right keys and policies that pass the static check."
    name = f"{type(problem).__module__.rpartition('.')[0]}.mechanisms"
    if importlib.util.find_spec(name) is None:
        return not_applicable("mechanisms", text, "there are none, so discover needs a model (llm.model=...)")
    library = importlib.import_module(name).LIBRARY
    faults = []
    for seed in range(_DESIGNS):
        rng = np.random.default_rng(seed)
        try:
            faults += _composed(problem, library, rng)
        except PolicyError as error:
            faults.append(f"composed policy {seed}: {error.kind}: {error.message}")
    return found("mechanisms", text, faults, mechanisms=len(library.mechanisms))


def _composed(problem: Problem, library: Any, rng: np.random.Generator) -> list[str]:
    mechanisms = list(library.mechanisms)
    order = rng.permutation(len(mechanisms))[:_MIXED]
    observed = [(mechanisms[i], library.observation(mechanisms[i], rng)) for i in order]
    design = library.design(observed, list(problem.design_keys), rng)

    def recognise(text: str) -> Any:
        return mechanisms[int(order[0])]

    write: Callable[..., str] = library.code
    code = write(design, recognise, rng)
    load(code, problem.contract)
    load(library.repair(design, code, recognise, rng), problem.contract)
    if list(design) != list(problem.design_keys):
        return [f"a design has the keys {', '.join(design)}, not {', '.join(problem.design_keys)}"]
    return []
