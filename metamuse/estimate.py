"""What a run would cost, said before the first call (``dry_run=true``)."""

from __future__ import annotations

from typing import Any

from metamuse.llm import LLMRequest, estimate_prompt_tokens, price_of
from metamuse.run import Run
from metamuse.waypoints import Observation, Waypoints

#: Tokens of an answer by waypoint, low and high. The paper's averages (its cost table) are 142-234 for
#: extraction and mapping, 230-426 for the formulation and 1,190-1,980 for code; reasoning models write more.
ANSWER_TOKENS = {
    "observation": (100, 300),
    "formulation": (200, 700),
    "code": (700, 2500),
    "repair": (700, 2500),
}
#: Share of candidates that need a repair turn, low and high.
REPAIRED = (0.0, 0.3)
#: Seconds one candidate takes of one core, low and high, without long traces.
CANDIDATE_SECONDS = (0.6, 2.0)
#: Seconds of one core to score, tune and open the hold-out set for a baseline or finalist, on workloads of usual size.
STUDY_SECONDS = (3.0, 10.0)
#: Seconds one call of a hosted model takes, low and high.
CALL_SECONDS = {"offline": (0.003, 0.02), "replay": (0.0, 0.001)}


class _Recorder:
    """Takes the place of the model and keeps the prompts."""

    def __init__(self) -> None:
        self.requests: list[LLMRequest] = []

    async def complete(self, request: LLMRequest) -> Any:
        self.requests.append(request)
        raise _Enough


class _Enough(Exception):
    pass


def estimate(run: Run) -> dict[str, Any]:
    """Candidates, calls, tokens, dollars and minutes, as ranges, from the actual prompts."""
    prompts = _prompt_tokens(run)
    n = run.settings.solutions
    words, sets = run.config["stimuli"]["s"], 1
    warmup = n
    if run.config["stimuli"]["strategy"] == "rsdict_sf":
        sets = run.config["stimuli"]["k"]
        warmup = run.config["stimuli"]["warmup"]
        warmup = n // 3 if warmup is None else min(warmup, n)
    drawn = words * (warmup + sets * (n - warmup))
    dictionary = 3000
    observations = round(dictionary * (1 - (1 - 1 / dictionary) ** drawn))
    calls = {
        "observation": (observations, observations),
        "formulation": (n, n),
        "code": (n, n),
        "repair": (round(REPAIRED[0] * n), round(REPAIRED[1] * n * max(1, run.settings.repairs))),
    }
    tokens = [0, 0]
    dollars: list[float] | None = [0.0, 0.0]
    for purpose, counts in calls.items():
        model = run.llm.model_for(purpose)
        price = price_of(model, run.llm) if model else None
        for side in (0, 1):
            answer = ANSWER_TOKENS[purpose][side]
            tokens[side] += counts[side] * (prompts[purpose] + answer)
            if price is None:
                dollars = None
            elif dollars is not None:
                dollars[side] += counts[side] * price.cost(prompts[purpose], answer)
    if run.llm.provider == "replay":
        dollars = [0.0, 0.0]
    from metamuse.config import workers

    call_s = CALL_SECONDS.get(run.llm.provider, (2.0, 15.0))
    minutes = []
    for side in (0, 1):
        asking = sum(c[side] for c in calls.values()) * call_s[side] / run.llm.concurrency
        studied = len(run.problem.rivals) + run.finalists
        scoring = n * CANDIDATE_SECONDS[side] + studied * STUDY_SECONDS[side]
        scoring /= workers(run.config)
        minutes.append(round((max(asking, scoring) + 25) / 60, 1))
    return {
        "candidates": n,
        "calls": [sum(c[0] for c in calls.values()), sum(c[1] for c in calls.values())],
        "tokens": tokens,
        "usd": None if dollars is None else [round(d, 4) for d in dollars],
        "minutes": minutes,
        "model": run.llm.model_for("formulation") or "recorded answers",
    }


def _prompt_tokens(run: Run) -> dict[str, int]:
    """Tokens of one prompt of each waypoint, with texts of ordinary length filled in."""
    import asyncio

    recorder = _Recorder()
    waypoints = Waypoints(run.problem, recorder, run.settings.seed, lambda request, reply: None)
    text = (
        "A mechanism in one or two sentences, about as long as such sentences usually are when they are precise. "
        * 2
    )
    observations = [Observation("word", ("property",), "property", text)] * int(run.config["stimuli"]["s"])
    design = dict.fromkeys(run.problem.design_keys, text)
    code = "x" * 4000

    async def ask() -> None:
        for step in (
            waypoints.observe("word"),
            waypoints.formulate(observations, "formulation"),
            waypoints.write(design, "code"),
            waypoints.repair(design, code, ("compile", "x" * 200), "repair"),
        ):
            try:
                await step
            except _Enough:
                continue

    asyncio.run(ask())
    return {request.purpose: estimate_prompt_tokens(request.messages) for request in recorder.requests}


def sentence(figures: dict[str, Any]) -> str:
    """The estimate for a person."""
    usd = figures["usd"]
    cost = "at an unknown price" if usd is None else f"${usd[0]:.2f} to ${usd[1]:.2f}"
    low, high = figures["tokens"]
    return (
        f"{figures['candidates']} candidates by {figures['model']}: {figures['calls'][0]:,} to {figures['calls'][1]:,} calls, "
        f"{low:,} to {high:,} tokens, {cost}, {figures['minutes'][0]:g} to {figures['minutes'][1]:g} minutes on this machine. "
        "Nothing was asked and nothing was written."
    )
