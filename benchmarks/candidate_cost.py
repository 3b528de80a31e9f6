"""What one candidate costs: check, compile, probe and score on the feedback traces, one core, process warm.

    python -m benchmarks.candidate_cost [problem=cache]

Prints one line a baseline (CPU seconds by stage) and the medians.
"""

from __future__ import annotations

import statistics
import sys
import time

from metamuse import config
from metamuse.evaluation import setup


def main() -> None:
    settings = config.compose(sys.argv[1:])
    began = time.perf_counter()
    handler = setup({"problem": settings["problem"], "sets": {"feedback": None}, "warm": True})
    print(
        f"set-up (workloads, compiling the structures and one baseline): {time.perf_counter() - began:.2f} s"
    )
    baselines = handler.problem.baselines  # type: ignore[attr-defined]  # the handler is Candidates
    totals = []
    print(f"{'baseline':12}{'check':>8}{'compile':>9}{'probe':>8}{'score':>8}{'CPU s':>8}")
    for id, source in baselines.items():
        before = time.process_time()
        answer = handler({"op": "evaluate", "source": source, "sets": ["feedback"]})
        total = time.process_time() - before
        totals.append(total)
        s = answer["seconds"]
        print(
            f"{id:12}{s['check']:8.3f}{s['compile']:9.3f}{s['probe']:8.3f}{s['score_feedback']:8.3f}{total:8.3f}"
        )
    print(f"median {statistics.median(totals):.3f} CPU s, largest {max(totals):.3f}")


if __name__ == "__main__":
    main()
