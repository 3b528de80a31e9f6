"""A scenario: what is served on what, with which delays, for which requests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace

import numpy as np

from evaluators.base import WorkloadError, without_folders
from evaluators.opscale import layout as k
from evaluators.opscale.cost import OPTIONS, Costs, Tables, costs, tables
from evaluators.opscale.folder import content
from evaluators.opscale.hardware import GPUS
from evaluators.opscale.models import MODELS
from evaluators.opscale.trace import Trace

#: What ``phases`` may be: prefill alone, decode alone, or prefill and then decode on other GPUs.
PHASES = ("prefill", "decode", "serve")
#: What a model-level replica is: all operators on one GPU (or one TP group) in turns, or a device for each of them.
SEMANTICS = ("time_shared", "uniform_tandem")


@dataclass(frozen=True)
class System:
    """The serving system.

    Attributes:
        model: Id of the model.
        gpu: Id of the GPU.
        phases: One of :data:`PHASES`.
        whole: What a whole-model replica is, one of :data:`SEMANTICS`.
        tp: GPUs of a whole-model replica.
        model_delay: Seconds to load a whole-model replica.
        operator_delay: Seconds to load an operator replica.
        interval: Seconds between two control decisions.
        ttft: SLO of the time to the first token, seconds.
        tbt: SLO of the time between tokens, seconds.
        gpus: GPUs of the cluster.
        measured: Linear operators from measured tables where there are some, else from the roofline.
        hop: Seconds of latency of a transfer; None for the GPU's.
        link: Bytes/s between GPUs; None for the GPU's.
        mtbf: Mean seconds between failures of a GPU that a replica is on; 0 for none.
        failure_seed: Of the times at which replicas fail.
        profiles: Folder of measured operator times that take the place of the shipped ones, "" for none; see
            :mod:`evaluators.opscale.folder`.
    """

    model: str = "llama3-8b"
    gpu: str = "a100"
    phases: str = "prefill"
    whole: str = "time_shared"
    tp: int = 1
    model_delay: float = 40.0
    operator_delay: float = 1.0
    interval: float = 2.0
    ttft: float = 1.5
    tbt: float = 0.05
    gpus: int = 64
    measured: bool = True
    hop: float | None = None
    link: float | None = None
    mtbf: float = 0.0
    failure_seed: int = 0
    profiles: str = ""

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise WorkloadError(f"there is no model {self.model}; there are {', '.join(MODELS)}")
        if self.gpu not in GPUS:
            raise WorkloadError(f"there is no GPU {self.gpu}; there are {', '.join(GPUS)}")
        if self.phases not in PHASES:
            raise WorkloadError(f"phases is one of {', '.join(PHASES)}, not {self.phases}")
        if self.whole not in SEMANTICS:
            raise WorkloadError(f"whole is one of {', '.join(SEMANTICS)}, not {self.whole}")
        if self.tp not in (1, 2, 4, 8):
            raise WorkloadError(f"tp is 1, 2, 4 or 8, not {self.tp}")
        if not 1 <= self.gpus <= k.MAX_LIMIT:
            raise WorkloadError(f"gpus is 1..{k.MAX_LIMIT}, not {self.gpus}")
        positive = (self.interval, self.ttft, self.tbt)
        if min(positive) <= 0 or min(self.model_delay, self.operator_delay, self.mtbf, self.failure_seed) < 0:
            raise WorkloadError(
                "interval and SLOs are positive, delays are not negative, nor are mtbf and failure_seed"
            )
        if self.costs.kv_tokens(0, self.option) < 1:
            raise WorkloadError(f"{self.model} does not fit on {self.tp} x {self.gpu}; use a larger tp")

    @property
    def costs(self) -> Costs:
        """Costs of the model on the GPU."""
        return costs(self.model, self.gpu, self.measured, self.profiles)

    @property
    def tables(self) -> Tables:
        """The same as tables."""
        return tables(self.model, self.gpu, self.measured, self.profiles)

    @property
    def option(self) -> int:
        """Size of a whole-model replica."""
        return OPTIONS.index((1.0, self.tp))

    @property
    def kinds(self) -> tuple[int, ...]:
        """The phases in order."""
        return {"prefill": (k.PREFILL,), "decode": (k.DECODE,), "serve": (k.PREFILL, k.DECODE)}[self.phases]


@dataclass(frozen=True)
class Past:
    """What was known of the traffic before a run: what a static plan is made from, and where averages start.

    Attributes:
        p95: 95th percentile of the rate over minutes, requests/s.
        peak: Highest rate over 10 s.
        rate: Mean rate.
        prompt: Mean prompt, tokens.
        square: Mean square of the prompts.
        output: Mean output, tokens.
    """

    p95: float
    peak: float
    rate: float
    prompt: float
    square: float
    output: float


@dataclass(frozen=True)
class Scenario:
    """A system and the requests that come to it.

    Attributes:
        name: Its name.
        system: The system.
        arrivals: float64[n], seconds, ascending.
        prompts: int64[n], tokens.
        outputs: int64[n], tokens.
        past: What was seen before.
    """

    name: str
    system: System
    arrivals: np.ndarray = field(repr=False)
    prompts: np.ndarray = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    past: Past

    def __post_init__(self) -> None:
        short = without_folders(self.name)
        if not len(self.arrivals) == len(self.prompts) == len(self.outputs) > 0:
            raise WorkloadError(f"{short}: no requests, or columns of different lengths")
        if self.arrivals[0] < 0 or np.any(np.diff(self.arrivals) < 0):
            raise WorkloadError(f"{short}: arrivals must ascend from 0")
        if (
            self.prompts.min() < 1
            or self.outputs.min() < 1
            or max(self.prompts.max(), self.outputs.max()) > 1 << 20
        ):
            raise WorkloadError(f"{short}: prompts and outputs must have 1 to {1 << 20} tokens")

    @property
    def span(self) -> float:
        """Seconds that are simulated: to the last arrival, and time for what is then under way."""
        tail = 10.0 * self.system.ttft + 10.0
        if k.DECODE in self.system.kinds:
            tail += min(60.0, 2.0 * self.system.tbt * float(self.outputs.max()))
        return float(self.arrivals[-1]) + tail

    def on(self, name: str | None = None, **changes: object) -> Scenario:
        """The same requests on another system."""
        return replace(self, name=name or self.name, system=replace(self.system, **changes))  # type: ignore[arg-type]

    def digest(self) -> str:
        """A hash of everything that decides the result."""
        system = {f.name: getattr(self.system, f.name) for f in fields(System)}
        system["profiles"] = content(self.system.profiles)
        sha = hashlib.sha256(f"opscale-1|{system}|{self.past}|".encode())
        sha.update(np.asarray(self.arrivals, dtype="<f8").tobytes())
        sha.update(np.asarray(self.prompts, dtype="<i8").tobytes())
        sha.update(np.asarray(self.outputs, dtype="<i8").tobytes())
        return sha.hexdigest()[:16]


def rates(arrivals: np.ndarray, window: float, span: float | None = None) -> np.ndarray:
    """Request rates by window, requests/s; the last, incomplete window is left out if there is another."""
    end = float(arrivals[-1]) if span is None else span
    n = max(1, int(end / window))
    counts = np.bincount(np.minimum(arrivals // window, n).astype(np.int64), minlength=n + 1)[:n]
    return np.asarray(counts / min(window, end) if end > 0 else counts / window)


def seen(trace: Trace) -> Past:
    """What a trace teaches about traffic like it."""
    arrivals = trace.arrivals
    prompts = trace.prompts.astype(np.float64)
    return Past(
        p95=float(np.quantile(rates(arrivals, 60.0), 0.95)),
        peak=float(rates(arrivals, 10.0).max()),
        rate=len(arrivals) / max(1.0, float(arrivals[-1])),
        prompt=float(prompts.mean()),
        square=float(np.square(prompts).mean()),
        output=float(trace.outputs.mean()),
    )
