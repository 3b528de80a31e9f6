"""What one candidate costs: check, compile, probe and score on the feedback traces, one core, process warm.

    python -m benchmarks.candidate_cost [problem=cache]

Prints one line a baseline (CPU seconds by stage) and the medians.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from metamuse import config
from metamuse.evaluation import setup


def costs(overrides: list[str], only: list[str] | None = None) -> dict[str, Any]:
    """Seconds of setting up, and CPU seconds by baseline: in all, and wall seconds by stage."""
    settings = config.compose(overrides)
    began = time.perf_counter()
    handler: Any = setup({"problem": settings["problem"], "sets": {"feedback": None}, "warm": True})
    found: dict[str, Any] = {"set_up_s": time.perf_counter() - began, "baselines": {}}
    for id, source in handler.problem.baselines.items():
        if only is None or id in only:
            before = time.process_time()
            answer = handler({"op": "evaluate", "source": source, "sets": ["feedback"]})
            found["baselines"][id] = {"cpu_s": time.process_time() - before, **answer["seconds"]}
    return found


def main() -> None:
    found = costs(sys.argv[1:])
    print(f"set-up (workloads, compiling the structures and one baseline): {found['set_up_s']:.2f} s")
    print(f"{'baseline':12}{'check':>8}{'compile':>9}{'probe':>8}{'score':>8}{'CPU s':>8}")
    for id, s in found["baselines"].items():
        print(
            f"{id:12}{s['check']:8.3f}{s['compile']:9.3f}{s['probe']:8.3f}{s['score_feedback']:8.3f}{s['cpu_s']:8.3f}"
        )
    totals = [s["cpu_s"] for s in found["baselines"].values()]
    print(f"median {statistics.median(totals):.3f} CPU s, largest {max(totals):.3f}")


if __name__ == "__main__":
    main()
