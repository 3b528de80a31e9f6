"""Where the tuned utilisation targets of the K8s baselines land, per application and kind of load.

    python -m benchmarks.autothrottle_calibration [application …] [--seconds 900] [--trace diurnal-2.txt]

For each application it runs K8s-CPU and K8s-CPU-Fast (the baselines of ``problem=autothrottle``) with every target
T in .3, .4 … .9 on one generated hour of each kind (the last ``--seconds`` of it) and on a trace if one is given, and
prints the largest T whose P99 meets the objective beside the authors' tuned T: the handle by which the constants of
``evaluators/autothrottle/calibration.py`` were chosen. The hours ``diurnal`` and ``noisy`` are not for this.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from evaluators.autothrottle import simulator
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import HOUR, KINDS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.suites import ramped
from evaluators.autothrottle.traces import read_trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

#: The authors' tuned targets, K8s-CPU and K8s-CPU-Fast (their released configuration), by application and kind.
AUTHORS = {
    "train": {"diurnal": (0.4, 0.6), "constant": (0.6, 0.6), "noisy": (0.5, 0.7), "bursty": (0.5, 0.6)},
    "social": {"diurnal": (0.5, 0.5), "constant": (0.5, 0.6), "noisy": (0.5, 0.4), "bursty": (0.5, 0.4)},
    "hotel": {"diurnal": (0.7, 0.7), "constant": (0.7, 0.8), "noisy": (0.6, 0.7), "bursty": (0.5, 0.7)},
}
#: Of the calibration's generated hours; no set of workloads uses it.
SEED = 990_001
TARGETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_BASELINES = Path(__file__).parent.parent / "problems" / "autothrottle" / "baselines"


def loads(name: str, seconds: int, trace: str | None) -> dict[str, Load]:
    """The loads of one application by kind, with the authors' ramp."""
    app = APPLICATIONS[name]
    found = {}
    for i, kind in enumerate(KINDS):
        hour = np.round(KINDS[kind](np.random.default_rng(SEED + i), name, HOUR))
        found[kind] = ramped(f"{name}-{kind}", app, hour[-seconds:], SEED + i)
    if trace:
        found[Path(trace).stem] = ramped(f"{name}-trace", app, read_trace(trace)[-seconds:], SEED)
    return found


def main() -> None:
    """Print one line a load."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("applications", nargs="*", default=list(APPLICATIONS))
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--trace")
    options = parser.parse_args()
    policies = {}
    for name in ("fixed", "k8s_cpu", "k8s_cpu_fast"):
        program = load((_BASELINES / f"{name}.py").read_text(encoding="utf-8"), simulator.CONTRACT)
        policy = CompiledPolicy(program, (32.0, 200.0, 4))
        policies[name] = policy, simulator.bind(policy)
    for name in options.applications:
        for kind, given in loads(name, options.seconds, options.trace).items():
            began = time.perf_counter()
            policy, loops = policies["fixed"]
            wide = simulator.simulate(policy.with_values({"SHARE": 1.0}), loops, given).details
            line = f"{name:7}{kind:10} use {wide['usage_cores']:6.1f}  unthrottled P99/SLO {wide['p99_ms'] / given.application.slo_ms:5.2f}"
            for column, baseline in enumerate(("k8s_cpu", "k8s_cpu_fast")):
                policy, loops = policies[baseline]
                best = "none"
                for target in reversed(TARGETS):
                    made = simulator.simulate(policy.with_values({"T": target}), loops, given).details
                    if not made["violated"]:
                        best = f"{target:.1f} ({made['cores']:6.1f} cores, P99 {made['p99_ms']:6.1f})"
                        break
                wanted = AUTHORS[name].get(kind)
                line += f"  {baseline} {best} authors {wanted[column] if wanted else '-'}"
            print(f"{line}  {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
