"""What a large search costs, by arithmetic on constants that are measured here first.

    python -m benchmarks.search_scale [solutions=10000] [traces=1000] [requests=1e8] [cores=2,64,4096] [lag=…]
        [models=gpt-4o,…] [call_s=5] [concurrency=…] [tokens_a_minute=2e6] [disk=2e9] [memory=6.4e10] [json=true]
    python -m benchmarks.search_scale record    # the defaults, into benchmarks/results/scale.json and docs/scale.md

Measured, on one core: CPU seconds of a candidate before its first request (check, compile, probe), requests a CPU second
of some baselines on a spooled trace whose objects do not fit into the processor's caches, CPU and bytes of a
workload's row in the journal, calls and prompt tokens of a solution (a rehearsed search whose prompts are tokenised).
Taken over, not measured here, and named: CPU of the hub (the largest window of ``benchmarks.soak`` with 10,000 solutions),
lengths of answers (:data:`metamuse.estimate.ANSWER_TOKENS`), prices (litellm's table). Assumed: seconds of a call, rate limit, disk.
"""

from __future__ import annotations

import datetime
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import machine
from benchmarks.cache_streaming import generate
from benchmarks.table import ROOT, put
from evaluators.cache.simulator import Job, simulate
from evaluators.cache.spool import spooled
from metamuse import config, rehearsal
from metamuse.estimate import ANSWER_TOKENS, ASKED_AGAIN, REPAIRED
from metamuse.evaluation import setup
from metamuse.llm import LLMRequest
from metamuse.llm.prices import price_of
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.run import Run

RECORD = ROOT / "benchmarks" / "results" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- scale: begin, made by python -m benchmarks.search_scale record -->", "<!-- scale: end -->"
POLICIES = ("fifo", "lru", "s3fifo", "arc", "wtinylfu", "gdsf", "lhd")
REQUESTS, OBJECTS = 4_000_000, 1_000_000
#: CPU seconds of hub, tracking and steering a solution, taken over from ``benchmarks.soak``: the largest window of 10,000
#: solutions of 60 workloads, on a busy machine (later runs: 20 to 38 ms, 29 at 9,000).
HUB_SECONDS, HUB_WORKLOADS = 0.031, 60
REHEARSED = 100
MODELS = ("gpt-4o", "gpt-4o-mini", "deepseek/deepseek-chat")
SAMPLES = (1.0, 0.01)


@dataclass(frozen=True)
class Constants:
    """What was measured.

    Attributes:
        fixed: CPU seconds of a candidate before its first request, median.
        rates: Requests a CPU second by policy.
        row_bytes: Bytes of one workload's scores in the journal.
        row_seconds: CPU seconds of writing and reading them once as JSON.
        calls: Calls of the model a solution, by waypoint.
        prompt_tokens: Tokens of a prompt, by waypoint.
    """

    fixed: float
    rates: dict[str, float]
    row_bytes: float
    row_seconds: float
    calls: dict[str, float]
    prompt_tokens: dict[str, float]

    @property
    def rate(self) -> float:
        """The median policy's requests a CPU second."""
        return statistics.median(self.rates.values())


def measure() -> Constants:
    """Measure the constants."""
    settings = config.compose(["problem=cache"])
    handler: Any = setup({"problem": settings["problem"], "sets": {"feedback": None}, "warm": True})
    problem = handler.problem
    fixed, rates = [], {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.npy"
        generate(path, REQUESTS, OBJECTS)
        trace = spooled(str(path), Path(folder) / "spool")
        job = Job(trace, trace.capacity("10%"))
        for id in POLICIES:
            source = problem.baselines[id]
            began = time.process_time()
            handler({"op": "evaluate", "source": source, "sets": []})
            fixed.append(time.process_time() - began)
            policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
            loop = problem.bind(policy)
            problem.simulate(policy, loop, problem.probes()[0])
            began = time.process_time()
            simulate(policy, loop, job)
            rates[id] = REQUESTS / (time.process_time() - began)
    answer = handler({"op": "evaluate", "source": problem.baselines["lru"], "sets": ["feedback"]})
    rows = answer["scores"]["feedback"]
    began = time.process_time()
    texts = [json.dumps(row) for row in rows]
    for text in texts:
        json.loads(text)
    row_seconds = (time.process_time() - began) / len(rows)
    calls, tokens = prompts()
    return Constants(
        statistics.median(fixed), rates, statistics.mean(map(len, texts)), row_seconds, calls, tokens
    )


def prompts() -> tuple[dict[str, float], dict[str, float]]:
    """Calls a solution and tokens of a prompt, by waypoint, of a rehearsed search (nothing is asked)."""
    import litellm

    run = Run(config.compose(["problem=cache", "llm=offline", f"solutions={REHEARSED}"]), quiet=True)
    counted: Counter[str] = Counter()
    texts: Counter[str] = Counter()

    def proposer(state: Any, waypoints: Any) -> Any:
        ask = waypoints.model.complete

        async def complete(request: LLMRequest) -> Any:
            text = "\n".join(message["content"] for message in request.messages)
            # Any current tokeniser will do; this one lies inside litellm.
            texts[request.purpose] += litellm.token_counter(model="gpt-4", text=text)
            counted[request.purpose] += 1
            return await ask(request)

        waypoints.model.complete = complete
        return run.proposer(state)(waypoints)

    rehearsal.rehearse(run.problem, run.settings, proposer)
    number = {purpose: counted[purpose] / REHEARSED for purpose in counted}
    return number, {purpose: texts[purpose] / counted[purpose] for purpose in counted}


@dataclass(frozen=True)
class Search:
    """A search to be paid for, and what it is run on.

    Attributes:
        solutions: Attempts.
        traces: Workloads that each is scored on, feedback and validation together.
        requests: Of a trace.
        sample: ``problem.sample``.
        cores: That score.
        lag: Solutions under way at once, at most (``search.lag``).
        call_s: Seconds of one call.
        concurrency: Calls at once (``llm.concurrency``).
        tokens_a_minute: The provider's limit.
        disk: Bytes a second that all cores together read spooled ids at.
        memory: Bytes that the system can keep of files; what fits is read once.
    """

    solutions: int
    traces: int
    requests: float
    sample: float
    cores: int
    lag: int
    call_s: float
    concurrency: int
    tokens_a_minute: float
    disk: float
    memory: float

    def candidate(self, constants: Constants) -> float:
        """CPU seconds of one candidate."""
        return constants.fixed + self.traces * self.requests * self.sample / constants.rate

    def hub(self, constants: Constants) -> float:
        """CPU seconds of the hub for one solution: what was measured with few workloads, and rows of the others."""
        return HUB_SECONDS + max(0, self.traces - HUB_WORKLOADS) * 2 * constants.row_seconds

    def limits(self, constants: Constants) -> dict[str, float]:
        """Seconds that each part alone would need; the search takes at least the largest."""
        calls = sum(sides[0] for sides in calls_of(constants).values())
        tokens = sum(tokens_of(constants, 1))
        spool = 4 * self.traces * self.requests * self.sample
        return {
            "scoring": self.solutions * self.candidate(constants) / min(self.cores, self.lag, self.solutions),
            "the model's answers": self.solutions * calls * self.call_s / self.concurrency,
            "the rate limit": self.solutions * tokens / self.tokens_a_minute * 60,
            "the hub": self.solutions * self.hub(constants),
            "the disk": (1 if spool <= self.memory else self.solutions) * spool / self.disk,
        }

    def saturation(self, constants: Constants) -> tuple[float, str]:
        """Cores above which something else than scoring is the slowest, and what that is."""
        others = self.limits(constants)
        del others["scoring"]
        slowest = max(others, key=others.__getitem__)
        return self.solutions * self.candidate(constants) / others[slowest], slowest


def calls_of(constants: Constants) -> dict[str, tuple[float, float]]:
    """Calls a solution by waypoint, low and high."""
    found = {}
    for purpose, calls in constants.calls.items():
        share = REPAIRED if purpose == "repair" else (1.0, 1.0)
        found[purpose] = (calls * share[0] * (1 + ASKED_AGAIN[0]), calls * share[1] * (1 + ASKED_AGAIN[1]))
    return found


def tokens_of(constants: Constants, side: int) -> tuple[float, float]:
    """Tokens in and out of a solution, low (0) or high (1)."""
    calls = calls_of(constants)
    given = sum(calls[p][side] * constants.prompt_tokens[p] for p in calls)
    taken = sum(calls[p][side] * ANSWER_TOKENS[p][side] for p in calls)
    return given, taken


def human(seconds: float) -> str:
    """A duration in a unit that suits it."""
    for unit, size in (("years", 365 * 86400.0), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {unit}"
    return f"{seconds:.3g} s"


def record(given: dict[str, str]) -> dict[str, Any]:
    """Constants and what the search is, as JSON."""
    models = given.get("models", ",".join(MODELS)).split(",")
    prices = {}
    for model in models:
        price = price_of(model)
        prices[model] = (
            None if price is None else [price.tokens_in * 1e6, price.tokens_out * 1e6, price.source]
        )
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "constants": asdict(measure()),
        "prices": prices,
        "search": {
            "solutions": int(float(given.get("solutions", 10_000))),
            "traces": int(float(given.get("traces", 1_000))),
            "requests": float(given.get("requests", 1e8)),
            "call_s": float(given.get("call_s", 5)),
            "concurrency": int(given.get("concurrency", 64)),
            "tokens_a_minute": float(given.get("tokens_a_minute", 2e6)),
            "disk": float(given.get("disk", 2e9)),
            "memory": float(given.get("memory", 6.4e10)),
        },
        "cores": [int(n) for n in given.get("cores", "2,64,4096").split(",")],
        "lag": int(given["lag"]) if "lag" in given else None,
    }


def markdown(found: dict[str, Any]) -> str:
    """The tables of a record; everything but the record's figures is arithmetic done here."""
    constants = Constants(**found["constants"])
    search, about = found["search"], found["machine"]
    slow = min(constants.rates, key=constants.rates.__getitem__)
    fast = max(constants.rates, key=constants.rates.__getitem__)
    low, high = tokens_of(constants, 0), tokens_of(constants, 1)
    n, traces = search["solutions"], search["traces"]
    lines = [
        f"Measured {found['date']} on one core of {about['cpu']}, Python {about['python']}, numba {about['numba']}; "
        f"load of the machine meanwhile {found['load']:.1f}.",
        "",
        "| constant | figure |",
        "|---|---|",
        f"| a candidate before its first request (check, compile, probe) | {constants.fixed:.2f} CPU s, median of "
        f"{len(constants.rates)} baselines |",
        f"| requests a CPU second, {REQUESTS / 1e6:.0f} M requests of {OBJECTS / 1e6:.0f} M objects from the spool, cache 10 % | "
        f"median {constants.rate / 1e6:.1f} M; {constants.rates[slow] / 1e6:.2f} M ({slow}) to "
        f"{constants.rates[fast] / 1e6:.0f} M ({fast}) |",
        f"| one workload's row in the journal | {constants.row_bytes:.0f} bytes, {1e6 * constants.row_seconds:.0f} CPU µs to "
        "write and read |",
        f"| calls a solution | {sum(c[0] for c in calls_of(constants).values()):.1f} to "
        f"{sum(c[1] for c in calls_of(constants).values()):.1f} |",
        f"| tokens a solution, in / out (lengths of answers taken over from `metamuse/estimate.py`) | {low[0]:,.0f} / {low[1]:,.0f} to {high[0]:,.0f} / {high[1]:,.0f} |",
        f"| the hub, tracking and steering, taken over from `python -m benchmarks.soak` ({HUB_WORKLOADS} workloads, largest window) | "
        f"{1e3 * HUB_SECONDS:.0f} CPU ms a solution |",
        "",
        f"{n:,} solutions on {traces:,} traces of {search['requests']:.0e} requests; `search.lag` "
        f"{'as many as cores' if found['lag'] is None else found['lag']}, at least 32; calls take {search['call_s']:g} s, "
        f"{search['concurrency']} at once, {search['tokens_a_minute']:,.0f} tokens a minute; the disks together read "
        f"{search['disk'] / 1e9:g} GB/s and the system keeps {search['memory'] / 1e9:g} GB of files:",
        "",
        "| `problem.sample` | cores | one candidate | scoring | model's answers | rate limit | hub | disk | saturated by |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for sample in SAMPLES:
        for cores in found["cores"]:
            lag = max(32, cores) if found["lag"] is None else found["lag"]
            case = Search(sample=sample, cores=cores, lag=lag, **search)
            limits = case.limits(constants)
            cells = " | ".join(human(seconds) for seconds in limits.values())
            most = max(limits, key=limits.__getitem__)
            lines.append(
                f"| {sample:g} | {cores:,} | {human(case.candidate(constants))} | {cells} | {most} |"
            )
    lines.append("")
    for sample in SAMPLES:
        cores, other = Search(sample=sample, cores=n, lag=n, **search).saturation(constants)
        lines.append(
            f"With `problem.sample={sample:g}` more than {cores:,.0f} cores do not help; what limits then: {other}."
        )
    lines += [
        "",
        "| model | $ a million tokens, in / out | price from | the whole search |",
        "|---|---|---|---|",
    ]
    for model, price in found["prices"].items():
        if price is None:
            lines.append(f"| {model} | unknown | | unknown |")
            continue
        dollars = [n * (i * price[0] + o * price[1]) / 1e6 for i, o in (low, high)]
        lines.append(
            f"| {model} | {price[0]:g} / {price[1]:g} | {price[2]} | ${dollars[0]:,.0f} to ${dollars[1]:,.0f} |"
        )
    journal = n * traces * constants.row_bytes
    lines += [
        "",
        f"The journal takes {journal / 1e9:,.1f} GB for the rows of {traces:,} workloads alone; the spool "
        f"{4 * traces * search['requests'] / 1e9:,.0f} GB, a sample of 0.01 {0.04 * traces * search['requests'] / 1e9:,.0f} GB.",
    ]
    return "\n".join(lines) + "\n"


def block(found: dict[str, Any]) -> str:
    """What stands in the page, with its marks."""
    return f"{BEGIN}\n\n{markdown(found)}\n{END}"


def main(arguments: list[str]) -> None:
    recording = arguments == ["record"]
    given = {} if recording else dict(argument.split("=", 1) for argument in arguments)
    found = record(given)
    if recording:
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), block(found), BEGIN, END), encoding="utf-8")
    print(json.dumps(found) if given.get("json") == "true" else markdown(found))


if __name__ == "__main__":
    main(sys.argv[1:])
