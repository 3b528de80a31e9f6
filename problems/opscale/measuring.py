"""How claims about savings are measured: tuned policies on the same requests, at equal budgets.

Constants are drawn from their marked ranges, the same number for every policy (its defaults are the first setting), and
of the settings that attain 99 % on a case the one with the fewest GPU-hours counts. It is chosen on the case itself, as in
an earlier prototype: both sides of a comparison are favoured alike, and neither number is a forecast.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluators.base import Score
from evaluators.opscale.bounds import run_fixed
from evaluators.opscale.generators import CHAT, CODE, Lengths
from evaluators.opscale.models import FFN, OPERATORS, WHOLE
from evaluators.opscale.scenario import Scenario, System
from evaluators.opscale.simulator import ATTAINMENT, score
from evaluators.opscale.suites import made
from evaluators.opscale.world import profile
from problems.claims import Bench, Run

_MARK = re.compile(r"^(\w+) = ([-+.\de]+)  # tune: ([-+.\de]+)\.\.([-+.\de]+)( log)?$", re.M)


@dataclass(frozen=True)
class Case:
    """A system under a kind of traffic."""

    id: str
    system: System
    shape: str
    lengths: Lengths
    rate: float

    def scenario(self, arm: Arm) -> Scenario:
        """The case's requests on the system that an arm runs on."""
        system = replace(
            self.system, whole=arm.whole, model_delay=arm.model_delay, operator_delay=arm.operator_delay
        )
        rng = np.random.default_rng([20251102, sum(self.id.encode())])
        return made(rng, f"claims/{self.id}/{arm.id}", system, self.shape, self.lengths, self.rate)


@dataclass(frozen=True)
class Arm:
    """A baseline, what a whole replica is, load delays of whole and operator replicas in seconds, batches of one."""

    id: str
    baseline: str
    whole: str = "time_shared"
    model_delay: float = 40.0
    operator_delay: float = 1.0
    single: bool = False

    def source(self, baselines: Mapping[str, str]) -> str:
        """The baseline's text; with ``single`` every prefill batch is one request."""
        text = baselines[self.baseline]
        return text + "\n    def batch(self, group):\n        return 1\n" if self.single else text


ARMS = {
    arm.id: arm
    for arm in (
        Arm("model-40", "model_erlang"),
        Arm("model-10", "model_erlang", model_delay=10.0),
        Arm("model-1", "model_erlang", model_delay=1.0),
        Arm("model-1-single", "model_erlang", model_delay=1.0, single=True),
        Arm("operator-1-single", "operator_erlang", single=True),
        Arm("tandem-40", "model_erlang", whole="uniform_tandem"),
        Arm("tandem-1", "model_erlang", whole="uniform_tandem", model_delay=1.0),
        Arm("operator-40", "operator_erlang", operator_delay=40.0),
        Arm("operator-1", "operator_erlang"),
        Arm("hybrid-40-1", "hybrid"),
        Arm("hybrid-1-1", "hybrid", model_delay=1.0),
    )
}

_LLAMA = System(gpus=160)
_LARGE = System(model="llama3-70b", tp=4, ttft=4.0, tbt=0.06, gpus=320)
_MIXTRAL = System(model="mixtral-8x7b", tp=2, ttft=3.0, tbt=0.06, gpus=320)
CASES = {
    case.id: case
    for case in (
        Case("8b-prefill-bursty", _LLAMA, "bursty", CODE, 30.0),
        Case("8b-decode-bursty", replace(_LLAMA, phases="decode"), "bursty", CHAT, 40.0),
        Case("70b-prefill-bursty", _LARGE, "bursty", CODE, 6.0),
        Case("mixtral-prefill-bursty", _MIXTRAL, "bursty", CODE, 12.0),
        Case("8b-prefill-smooth", _LLAMA, "smooth", CHAT, 50.0),
        Case("8b-decode-smooth", replace(_LLAMA, phases="decode"), "smooth", CHAT, 40.0),
        Case("70b-decode-bursty", replace(_LARGE, phases="decode"), "bursty", CHAT, 20.0),
        Case("mixtral-prefill-diurnal", _MIXTRAL, "diurnal", CODE, 12.0),
    )
}
QUICK_CASES = 4
#: For fixed GPUs alone: decode of experts, where weights that are not duplicated and batches of all sequences should pay.
FIXED_CASES = {
    case.id: case
    for case in (
        Case("mixtral-decode", replace(_MIXTRAL, phases="decode"), "smooth", CHAT, 40.0),
        Case(
            "qwenmoe-decode",
            replace(_MIXTRAL, model="qwen2-57b-a14b", phases="decode"),
            "smooth",
            CHAT,
            40.0,
        ),
    )
}


def settings(source: str, n: int, seed: int = 7) -> list[dict[str, int | float]]:
    """The default and n - 1 other settings of a policy's marked constants, spread evenly over their ranges."""
    marks = _MARK.findall(source)
    rng = np.random.default_rng(seed)
    columns = [(rng.permutation(n - 1) + rng.random(n - 1)) / max(1, n - 1) for _ in marks]
    out: list[dict[str, int | float]] = [{}]
    for i in range(n - 1):
        setting: dict[str, int | float] = {}
        for (name, value, low, high, log), column in zip(marks, columns, strict=True):
            a, b, u = float(low), float(high), float(column[i])
            x = math.exp(math.log(a) + u * math.log(b / a)) if log else a + u * (b - a)
            setting[name] = x if re.search(r"[.e]", value) else round(x)
        out.append(setting)
    return out


@dataclass(frozen=True)
class Tuned:
    """The best setting of an arm on a case; ``attained`` is False if none reached 99 % (then the one nearest to it)."""

    score: Score
    attained: bool

    @property
    def gpu_hours(self) -> float:
        """GPU-hours without any penalty."""
        return self.score.details["gpu_hours"]

    @property
    def energy(self) -> float:
        """MJ, released GPUs off."""
        return self.score.details["energy_mj"]


def tuned(bench: Bench, cases: Sequence[str], arms: Sequence[str], n: int) -> dict[tuple[str, str], Tuned]:
    """The best of n settings for every case and arm."""
    runs, keys = [], []
    for case in cases:
        for arm in arms:
            source = ARMS[arm].source(bench.problem.baselines)
            scenario = CASES[case].scenario(ARMS[arm])
            for setting in settings(source, n):
                runs.append(Run(source, scenario, setting))
                keys.append((case, arm))
    found: dict[tuple[str, str], list[Score]] = {}
    for key, one in zip(keys, bench.scores(runs), strict=True):
        found.setdefault(key, []).append(one)
    return {key: _best(scores) for key, scores in found.items()}


def _best(scores: Sequence[Score]) -> Tuned:
    good = [one for one in scores if one.details["attainment"] >= ATTAINMENT]
    if good:
        return Tuned(min(good, key=lambda one: one.details["gpu_hours"]), True)
    return Tuned(max(scores, key=lambda one: one.details["attainment"]), False)


def saving(
    best: Mapping[tuple[str, str], Tuned], case: str, new: str, old: str, energy: bool = False
) -> float:
    """Percent that ``new`` saves of what ``old`` takes; not a number if one of them does not attain the SLO."""
    a, b = best[case, new], best[case, old]
    if not (a.attained and b.attained):
        return math.nan
    return 100 * (1 - (a.energy / b.energy if energy else a.gpu_hours / b.gpu_hours))


def capacity(
    case: str, gpus: int, mode: str, minutes: float = 3.0, tp: int | None = None
) -> tuple[float, float]:
    """The rate that so many GPUs serve at 99 % attainment with the best fixed split, and joules for each request.

    Args:
        case: Id of the case; its traffic is made smooth.
        gpus: GPUs.
        mode: ``whole`` (time-shared replicas), ``tandem`` (uniform tandem), ``pools`` (the best split found).
        minutes: Simulated time.
        tp: GPUs of a whole replica if they are not the case's.
    """
    base = (CASES | FIXED_CASES)[case]
    tandem = mode == "tandem"
    arm = Arm("fixed", "model_erlang", whole="uniform_tandem" if tandem else "time_shared", model_delay=0.0)
    system = replace(base.scenario(arm).system, gpus=gpus, tp=tp or base.system.tp)
    best = (0.0, math.nan)
    rng = np.random.default_rng(20251102)
    scenario = made(rng, f"claims/{case}/{mode}-{gpus}", system, "smooth", base.lengths, 40.0, 60 * minutes)
    for split in _splits(scenario, gpus, mode):
        low, high = max(best[0], 1e-3), 320.0
        joules = 0.0
        if best[0] > 0 and _holds(scenario, low / 40.0 * 1.001, split) is None:
            continue  # no better than what another split serves
        while high / low > 1.02:
            middle = math.sqrt(low * high)
            energy = _holds(scenario, middle / 40.0, split)
            if energy is None:
                high = middle
            else:
                low, joules = middle, energy
        if low > best[0] and joules > 0:
            best = (low, joules)
    return best


#: Replicas by group, and their shares in eighths of a GPU (None: whole GPUs).
_Split = tuple[np.ndarray, np.ndarray | None]


def _splits(scenario: Scenario, gpus: int, mode: str) -> list[_Split]:
    if mode != "pools":
        targets = np.zeros(5, dtype=np.int64)
        targets[WHOLE] = gpus // (scenario.system.tp * (len(OPERATORS) if mode == "tandem" else 1))
        return [(targets, None)]
    if scenario.system.phases == "decode":
        return _decode_splits(scenario, gpus)
    # Splits near the one in proportion to the work.
    prof = profile(scenario).reshape(5, -1)
    mean, square = (
        float(scenario.prompts.mean()),
        float(np.square(scenario.prompts.astype(np.float64)).mean()),
    )
    sizes = prof[1:, 8]
    work = (prof[1:, 0] * mean + prof[1:, 2] * square) * sizes
    ideal = work / work.sum() * gpus / sizes
    out = []
    for code in range(3 ** (len(OPERATORS) - 1)):
        steps = [(code // 3**i) % 3 - 1 for i in range(len(OPERATORS) - 1)]
        first = [max(1, round(ideal[i]) + steps[i]) for i in range(len(OPERATORS) - 1)]
        left = gpus - sum(count * size for count, size in zip(first, sizes[:-1], strict=True))
        last = int(left / sizes[-1])
        if last >= 1:
            out.append(np.array([0, *first, last], dtype=np.int64))
    return [(np.array(one), None) for one in sorted({tuple(one.tolist()) for one in out})]


def _decode_splits(scenario: Scenario, gpus: int) -> list[_Split]:
    """All that give attention between a tenth and four fifths of the GPUs, FFN replicas of every size that fits."""
    least = int(profile(scenario).reshape(5, -1)[FFN, 8])
    out: list[_Split] = []
    for size, eighths, qkv, o_proj in itertools.product((1, 2, 4, 8), (4, 8), (1, 2), (1, 2)):
        left = gpus - math.ceil((qkv + o_proj) * eighths / 8)
        for ffn in range(1, left // size + 1):
            attention = left - ffn * size
            if size >= least and 0.1 * gpus <= attention <= 0.8 * gpus:
                shares = np.array([8, eighths, 8, eighths, 8 * size])
                out.append((np.array([0, qkv, attention, o_proj, ffn]), shares))
    return out


def _holds(scenario: Scenario, faster: float, split: _Split) -> float | None:
    """Joules a request if the attainment holds with arrivals that come so much faster, else None."""
    quick = replace(scenario, arrivals=scenario.arrivals / faster)
    found = score(quick, run_fixed(quick, *split), {}, None)
    if found.details["attainment"] < ATTAINMENT:
        return None
    return 1e6 * found.details["energy_mj"] / len(scenario.arrivals)
