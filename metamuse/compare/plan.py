"""What is compared: arms (files of ``conf/arm``), seeds, and what they have the same of."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from metamuse import config as settings_of
from metamuse import rundir
from metamuse.build import make_problem
from metamuse.errors import StorageError, UsageError
from metamuse.estimate import estimate
from metamuse.run import Run

#: What runs of a comparison have the same of. All but solutions are hard caps of each run.
EQUAL = ("solutions", "calls", "tokens", "usd")
#: Settings of a comparison that are not those of a single run: nothing is tuned, simplified, tracked or remembered from
#: other runs, the best by validation is opened on the hold-out set, and arms that learn from results see them soon.
DEFAULTS = {
    "search.finalists": "1",
    "search.tune_trials": "0",
    "search.simplify_trials": "0",
    "search.lag": "8",
    "stimuli.reuse": "false",
    "tracking": "none",
}
#: Parts of the configuration in which arms may differ.
ARMS_OWN = ("search", "stimuli")
_FILE = "config.yaml"


@dataclass(frozen=True)
class Plan:
    """A comparison before it is carried out.

    Attributes:
        equal: One of :data:`EQUAL`.
        arms: The configuration of each arm; the first arm is what the others are compared with.
        seeds: Every arm is run with each.
    """

    equal: str
    arms: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]

    @property
    def first(self) -> dict[str, Any]:
        """The configuration of the first arm."""
        return next(iter(self.arms.values()))

    def runs(self) -> list[tuple[str, int]]:
        """Arm and seed of every run, in the order they are made: all arms with a seed before the next."""
        return [(arm, seed) for seed in self.seeds for arm in self.arms]

    def config(self, arm: str, seed: int, folder: Path) -> dict[str, Any]:
        """The configuration of one run in the folder of a comparison."""
        return self.arms[arm] | {"seed": seed, "root": str(folder), "arm": arm}

    def save(self, folder: Path) -> None:
        """Write it into the folder of a comparison."""
        content = {
            "equal": self.equal,
            "seeds": list(self.seeds),
            "provenance": settings_of.provenance(),
            "arms": self.arms,
        }
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        rundir.write_atomically(folder / _FILE, text)

    @classmethod
    def load(cls, folder: Path) -> Plan:
        """Read it again.

        Raises:
            UsageError: The folder is not one of a comparison.
        """
        try:
            content = yaml.safe_load((folder / _FILE).read_text(encoding="utf-8"))
            return cls(content["equal"], content["arms"], tuple(content["seeds"]))
        except OSError as error:
            raise UsageError(f"{folder} is not the folder of a comparison: {error.strerror}.") from None
        except (yaml.YAMLError, KeyError, TypeError):
            raise UsageError(f"{folder / _FILE} is not the plan of a comparison.") from None


def make(overrides: Sequence[str]) -> Plan:
    """The plan that a command line asks for.

    Raises:
        UsageError: It makes no sense.
    """
    given = {override.partition("=")[0].lstrip("+~") for override in overrides}
    for key, instead in (("arm", "arms=…"), ("seed", "seeds=…")):
        if key in given:
            raise UsageError(f"compare takes {instead}, not {key}=.")
    settings = settings_of.compose(overrides)
    if settings["llm"]["provider"] == "replay":
        raise UsageError("compare asks a model and replays nothing; its runs are replayed one by one.")
    names, seeds = _names(settings["arms"]), _seeds(settings["seeds"])
    equal = settings["equal"]
    if equal not in EQUAL:
        raise UsageError(f"equal={equal} must be one of {', '.join(EQUAL)}.")
    if equal != "solutions" and settings["budget"][equal] is None:
        raise UsageError(f"equal={equal} needs budget.{equal}=…, which every run then gets.")
    if settings["search"]["race"]:
        raise UsageError("compare needs every solution on all workloads; leave search.race=false.")
    defaults = [f"{key}={value}" for key, value in DEFAULTS.items() if key not in given]
    arms = {}
    for name in names:
        arms[name] = settings_of.compose([*defaults, f"arm={name}", *overrides])
        if "problem.baselines" not in given:
            arms[name]["problem"]["baselines"] = ",".join(make_problem(arms[name]).neighbours)
    _check(arms)
    if equal != "solutions":
        arms = {name: _sized(config, equal) for name, config in arms.items()}
    return Plan(equal, arms, seeds)


def _names(value: Any) -> list[str]:
    names = [str(item) for item in _listed(value)]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"arms={value} must name different arms.")
    return names


def _seeds(value: Any) -> tuple[int, ...]:
    try:
        seeds = tuple(int(str(item)) for item in _listed(value))
    except ValueError:
        seeds = ()
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise UsageError(f"seeds={value} must be different whole numbers of at least 0.")
    return seeds


def _listed(value: Any) -> list[Any]:
    """A list, also of its text: ``a,b`` or ``[a, b]``."""
    if isinstance(value, list):
        return value
    return [part.strip() for part in str(value).strip("[] ").split(",") if part.strip()]


def _check(arms: dict[str, dict[str, Any]]) -> None:
    """Arms differ from each other, and in nothing but what an arm may set.

    Raises:
        UsageError: They do not.
    """
    names = list(arms)
    for place, name in enumerate(names):
        changed = [k for k, v in arms[name].items() if k not in ARMS_OWN and v != arms[names[0]][k]]
        if changed:
            raise UsageError(f"An arm sets {' and '.join(ARMS_OWN)} only; {name} changes {changed[0]}.")
        for other in names[:place]:
            if all(arms[name][key] == arms[other][key] for key in ARMS_OWN):
                raise UsageError(f"With these settings the arms {other} and {name} are the same.")


def _sized(config: dict[str, Any], equal: str) -> dict[str, Any]:
    """The configuration with as many solutions as a cap may allow at best.

    The cap ends most runs. What depends on the number of solutions beforehand, the warm-up, is a share of the number
    that is to be expected.
    """
    run = Run(config)

    def asked(solutions: int, sides: slice) -> float:
        other = copy.copy(run)
        other.config = config | {"solutions": solutions}
        other.settings = replace(run.settings, solutions=solutions)
        spans = estimate(other)[equal]
        if spans is None or not spans[1]:
            raise UsageError(f"equal=usd needs a model with a price; {config['llm']['provider']} has none.")
        chosen = spans[sides]
        return float(sum(chosen)) / len(chosen)

    cap = float(config["budget"][equal])
    most = _largest(lambda n: asked(n, slice(0, 1)) <= cap)
    expected = _largest(lambda n: asked(n, slice(0, 2)) <= cap)
    if not most:
        raise UsageError(f"budget.{equal}={cap:g} is not enough for one solution.")
    sized = config | {"solutions": most}
    if config["stimuli"].get("warmup", 0) is None:
        sized["stimuli"] = config["stimuli"] | {"warmup": expected // 3}
    return sized


def _largest(fits: Callable[[int], bool]) -> int:
    """The largest number that fits; what fits is monotone."""
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def create(root: Path, problem: str) -> Path:
    """Make the folder of a new comparison, ``<root>/<problem>/c<date>-<id>``.

    Raises:
        StorageError: It cannot be made.
    """
    folder = root / problem / rundir.new_name("c")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StorageError(f"Cannot make the folder {folder}: {error.strerror}.") from None
    return folder


def find(root: Path, name: str) -> Path:
    """The folder of a comparison that ``run=`` names: a path, the end of one, or ``latest``.

    Raises:
        UsageError: There is none.
    """
    if (Path(name) / _FILE).is_file():
        return Path(name)
    there = sorted((p.parent for p in root.glob(f"*/c*/{_FILE}")), key=lambda p: p.name)
    named = there[-1:] if name == "latest" else [p for p in there if p.name == name]
    if not named:
        raise UsageError(f"No comparison {name}: neither a folder of one nor the name of one under {root}.")
    return named[0]
