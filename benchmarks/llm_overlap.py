"""Does scoring hide behind waiting? A run against a real local HTTP model with a fixed delay.

    python -m benchmarks.llm_overlap [--solutions 100] [--delay 5] [--concurrency 32]

The LLM-bound is the sum of all latencies over the concurrency, the CPU-bound the sum of all scoring seconds
(candidates; scoring, tuning and hold-out of the baselines and finalists) over the workers, both from the run's own
records; the wall time is that of the whole run.
Answers come from tests/support/scripted.py (code of tests/corpus).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metamuse.config import compose, workers
from metamuse.journal import read
from tests.support.openai_server import Behaviour, OpenAIServer
from tests.support.scripted import answer

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--solutions", type=int, default=100)
    parser.add_argument("--delay", type=float, default=5.0)
    parser.add_argument("--concurrency", type=int, default=32)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        OpenAIServer(default=Behaviour("ok", delay_s=chosen.delay), answer=answer) as server,
    ):
        command = [
            sys.executable, "-m", "metamuse", "problem=cache", f"solutions={chosen.solutions}", "--quiet",
            "llm.model=openai/test-model", f"llm.api_base={server.base_url}", f"llm.concurrency={chosen.concurrency}",
        ]  # fmt: skip
        began = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        whole = time.monotonic() - began
        (run,) = Path(folder).glob("runs/cache/r*")
        summary = json.loads((run / "summary.json").read_text())
        events = list(read(run / "journal.jsonl"))
        solutions = [e for e in events if e["event"] == "solution"]
        calls = [e for e in events if e["event"] == "call"]
        first = min(e["at"] - e["latency_s"] for e in calls)
        searching = max(e["at"] for e in solutions) - first
        most = server.seen.max_in_flight
    llm = sum(c["latency_s"] for c in calls) / chosen.concurrency
    cores = workers(compose([]))
    candidates = sum(e.get("seconds_scoring", 0.0) for e in solutions) / cores
    cpu = sum(e.get("seconds_scoring", 0.0) for e in events) / cores
    bound = max(llm, cpu)
    print(f"{summary['solutions']}")
    print(
        f"calls {len(calls)}, at most {most} at once; LLM-bound {llm:.1f} s, "
        f"CPU-bound {cpu:.1f} s (candidates alone {candidates:.1f} s)"
    )
    print(f"search {searching:.1f} s = {searching / bound:.2f} x bound")
    print(
        f"run {summary['timing']['seconds']:.1f} s = {summary['timing']['seconds'] / bound:.2f} x bound; whole process {whole:.1f} s"
    )


if __name__ == "__main__":
    main()
