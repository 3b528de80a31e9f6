"""What the offline composer can make, without a search: executable, distinct, diverse, how evenly words reach it.

Usage: ``python -m benchmarks.composer_space [--solutions 100] [--seed 1] [--problem cache] [--validation] [--list]``.
Each solution goes through the waypoints of the hub, four random words each, with the composer as the model; then it
is checked, compiled, probed and scored on the feedback set (``--validation``: on that set, too) in this process (no
jail). A solution takes about 1.5 seconds of one core. ``--list`` prints what each is made of, by nearest baseline.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
from omegaconf import OmegaConf

from evaluators.base import PolicyError
from metamuse.evaluation import Candidates
from metamuse.llm import ComposerCall, LLMReply, LLMRequest
from metamuse.llm.composer import _composer, answer
from metamuse.waypoints import Waypoints, brief, observed
from problems import base
from stimuli import Lexicon

TOLERANCE = 1e-3
WORDS = 4


class Model:
    """The composer without litellm around it."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    async def complete(self, request: LLMRequest) -> LLMReply:
        began = time.perf_counter()
        text = answer(request.messages, ComposerCall(request.purpose, request.key, request.seed, 1.0, None))
        took = time.perf_counter() - began
        self.seconds.setdefault(request.purpose, []).append(took)
        return LLMReply(text, 0, 0, 0.0, took, "composer/offline", False, "stop")


def compose(problem: base.Problem, model: Model, solutions: int, seed: int) -> list[tuple[str, str]]:
    """Returns (parts of the plan, source) of each solution."""
    library = _composer(problem.name).library
    ways = Waypoints(problem, model, seed, lambda request, reply: None)
    words = Lexicon().words()

    async def all_of_them() -> list[tuple[str, str]]:
        made = []
        for i in range(solutions):
            rng = np.random.default_rng([seed, i])
            drawn = [words[k] for k in rng.choice(len(words), WORDS, replace=False)]
            observations = [await ways.observe(word) for word in drawn]
            design = await ways.formulate(observed(o.text for o in observations), f"s{i}/formulation")
            plan = library.read(design["state"])
            parts = " + ".join(part.name for part in (plan.structure, *plan.rules))
            made.append((parts, await ways.write(brief(design), f"s{i}/code")))
        return made

    return asyncio.run(all_of_them())


def score(candidates: Candidates, source: str) -> tuple[dict[str, np.ndarray], dict[str, float], str]:
    result = candidates({"op": "evaluate", "source": source, "sets": list(candidates.sets)})
    values = {s: np.array([row["value"] for row in result["scores"][s]]) for s in candidates.sets}
    return values, result["seconds"], result["structure"]


def classes(vectors: Sequence[np.ndarray]) -> int:
    """Number of vectors that differ from all kept before by more than the tolerance somewhere."""
    kept: list[np.ndarray] = []
    for vector in vectors:
        if all(np.abs(vector - other).max() > TOLERANCE for other in kept):
            kept.append(vector)
    return len(kept)


def entropy(counts: Sequence[int]) -> float:
    share = np.array([c for c in counts if c]) / max(1, sum(counts))
    return float(-(share * np.log(share)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solutions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--problem", default="cache")
    parser.add_argument(
        "--validation", action="store_true", help="score on the validation set, too, and rank by it"
    )
    parser.add_argument("--list", action="store_true", help="print every solution")
    options = parser.parse_args()
    ranking = "validation" if options.validation else "feedback"

    config = OmegaConf.to_container(OmegaConf.load(f"conf/problem/{options.problem}.yaml"))
    problem = base.make(config)  # type: ignore[arg-type]
    model = Model()
    coverage(options.problem)
    made = compose(problem, model, options.solutions, options.seed)
    for purpose, seconds in model.seconds.items():
        q = 1e3 * np.quantile(seconds, (0.5, 0.99))
        print(f"{purpose:12s} {q[0]:6.2f} ms median, {q[1]:6.2f} ms 99 % ({len(seconds)} calls)", flush=True)

    sets = {name: problem.workloads(name) for name in dict.fromkeys(("feedback", ranking))}
    candidates = Candidates(problem, sets, dict.fromkeys(sets, 0.0))
    candidates.warm()
    baselines = {name: score(candidates, source)[0] for name, source in problem.baselines.items()}
    scored: list[tuple[str, dict[str, np.ndarray]]] = []
    structures: set[str] = set()
    failures: Counter[str] = Counter()
    seconds_each = []
    for i, (parts, source) in enumerate(made):
        try:
            values, seconds, structure = score(candidates, source)
        except PolicyError as error:
            failures[error.kind] += 1
            print(f"{i:4d} {parts}: {error.kind}: {error.message}\n{source}")
            continue
        scored.append((parts, values))
        structures.add(structure)
        seconds_each.append(sum(seconds.values()) - seconds.get("score_validation", 0.0))

    sign = -1 if problem.metric.maximise else 1
    ranked = sorted(scored, key=lambda item: sign * item[1][ranking].mean())
    clusters: dict[str, list[str]] = {}
    for parts, values in ranked:
        nearest = nearest_baseline(values, baselines, problem.neighbours)
        clusters.setdefault(nearest, []).append(f"{values[ranking].mean():9.4f} {parts}")
    if options.list:
        for nearest, members in clusters.items():
            print(f"\n{nearest}:", *members, sep="\n")
    sizes = Counter({name: len(members) for name, members in clusters.items()})
    distinct = classes([v["feedback"] for _, v in scored])
    print(f"\nexecutable {len(scored)}/{len(made)} {dict(failures)}")
    print(
        f"distinct {distinct}/{len(scored)} = {distinct / max(1, len(scored)):.1%}; {len(structures)} program structures"
    )
    print(f"nearest baselines: entropy {entropy(list(sizes.values())):.3f} nats, {dict(sizes.most_common())}")
    q = np.quantile(seconds_each, (0.5, 0.9, 1.0))
    print(f"check + compile + probe + feedback: {q[0]:.2f} s median, {q[1]:.2f} s 90 %, {q[2]:.2f} s longest")
    print(f"by {ranking}:")
    for name, values in sorted(baselines.items(), key=lambda item: sign * item[1][ranking].mean()):
        better = sum(sign * (v[ranking].mean() - values[ranking].mean()) < 0 for _, v in scored)
        print(f"{name:10s} {values[ranking].mean():.4f}, {better} solutions are better")
    for parts, values in ranked[:5]:
        print(f"{values[ranking].mean():.4f} {parts}")


def nearest_baseline(
    values: dict[str, np.ndarray], baselines: dict[str, dict[str, np.ndarray]], neighbours: Sequence[str]
) -> str:
    known = [name for name in neighbours if name in baselines]
    return min(
        known, key=lambda name: float(np.linalg.norm(values["feedback"] - baselines[name]["feedback"]))
    )


def coverage(problem: str) -> None:
    """Prints how evenly the lexicon's words reach the mechanisms."""
    composer = _composer(problem)
    lexicon = composer.lexicon
    texts = [f"{word}, {prop}" for word in lexicon.words() for prop in lexicon.properties(word)[:3]]
    odds = composer.odds(texts)
    share = odds.mean(axis=0)
    first = np.bincount(odds.argmax(axis=1), minlength=odds.shape[1])
    print(
        f"{odds.shape[1]} mechanisms: entropy {entropy(list(share)):.2f} of {np.log(len(share)):.2f} nats,"
        f" least {share.min():.2%}, most {share.max():.2%}; {np.count_nonzero(first)} are some text's first choice;"
        f" a text's own choice has {np.exp(-(odds * np.log(odds + 1e-300)).sum(axis=1)).mean():.1f} effective options"
    )


if __name__ == "__main__":
    main()
