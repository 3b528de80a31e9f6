"""Kills runs with SIGKILL at journal lengths drawn at random, resumes them, and compares them with an undisturbed one.

    python -m benchmarks.kill_resume [kills=200] [seed=0] [most=4] [mode=quick|real] [mlflow=0.1] [folder=DIR]

After every run: the same leaderboard and solutions byte for byte, no event lost or recorded twice, no completion on
record requested again (counted at a real HTTP server), no scoring process left behind. A run is killed up to ``most``
times, some of the kills after the last event, while tables, report and tracking are written; after some the last
lines of journal and completions are torn. A share ``mlflow`` of the runs has tracking on.

``mode=quick`` replaces the simulator and litellm (:mod:`tests.support.quick_hub`) so that a kill costs two seconds of
CPU; ``mode=real`` is the product as it is (about ten times that). Exit code 1 and a sentence if a promise is broken.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.support import quick_hub, scripted
from tests.support.endurance import Broken, Counts, Endurance
from tests.support.openai_server import Behaviour, OpenAIServer

SMALL = ["solutions=6", "search.lag=3", "stimuli.warmup=2", "search.finalists=2", "search.tune_trials=3"]
_SETS = ("feedback", "validation", "holdout")


def real_settings(folder: Path) -> list[str]:
    """Settings of a small run of the product as it is; writes its traces."""
    for seed, which in enumerate(_SETS):
        for i in range(2):
            rng = np.random.default_rng([seed, i])
            keys = np.minimum(rng.pareto(0.7 + 0.2 * i, 400), 90).astype(int)
            (folder / f"{which}-{i}.txt").write_text("\n".join(map(str, keys)) + "\n")
    model = ["llm.model=openai/test-model", "llm.price_in=1", "llm.price_out=2"]
    traces = [f"problem.workloads.{which}={folder / which}-*.txt" for which in _SETS]
    return ["problem=cache", "problem.baselines=lru", *model, *traces]


def endure(folder: Path, options: dict[str, str]) -> list[Counts]:
    """Kill and resume until there are enough kills; prints as it goes.

    Raises:
        Broken: A promise was not kept.
    """
    rng = np.random.default_rng(int(options["seed"]))
    quick = options["mode"] == "quick"
    answer = quick_hub.answer if quick else scripted.answer
    module = "tests.support.quick_hub" if quick else "metamuse"
    settings = [*(quick_hub.SETTINGS if quick else real_settings(folder)), *SMALL]
    with OpenAIServer(default=Behaviour("ok", delay_s=0.03), answer=answer) as server:
        arms = [
            (share, Endurance(folder / name, server, module, [*settings, f"tracking={name}"], rng))
            for share, name in ((float(options["mlflow"]), "mlflow"), (1.0, "none"))
            if share > 0
        ]
        kills, began = 0, time.monotonic()
        while kills < int(options["kills"]):
            arm = next(a for share, a in arms if share == 1.0 or rng.random() < share)
            most = min(int(options["most"]), int(options["kills"]) - kills)
            kills += arm.torture(int(rng.integers(1, most + 1)))
            print(f"{kills} kills, {time.monotonic() - began:.0f} s", flush=True)
    return [arm.counts for _, arm in arms]


def main() -> int:
    """Read the arguments, kill, print."""
    options = {"kills": "200", "seed": "0", "most": "4", "mode": "quick", "mlflow": "0.1", "folder": ""}
    options |= dict(argument.split("=", 1) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options["folder"] or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            counts = endure(folder, options)
        except Broken as broken:
            print(f"broken: {broken}")
            return 1
    for name in ("runs", "kills", "starts", "requests", "repeated", "torn"):
        print(f"{name:<9} {sum(getattr(c, name) for c in counts)}")
    by_event = sum((c.by_event for c in counts[1:]), counts[0].by_event)
    print("killed after", ", ".join(f"{event} {n}" for event, n in by_event.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
