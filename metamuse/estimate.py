"""What a run would cost, said before the first call (``dry_run=true``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metamuse.config import workers
from metamuse.llm import INBOX_MODEL, LLMConfigError, Price, preflight, price_of
from metamuse.llm.prices import thinks
from metamuse.rehearsal import Calls, rehearse
from metamuse.run import Run

#: Tokens of an answer by waypoint, low and high. The paper's averages (its cost table) are 142-234 for
#: extraction and mapping, 230-426 for the formulation and 1,190-1,980 for code. Models that think before they
#: answer may use all that ``llm.max_tokens`` allows.
ANSWER_TOKENS = {
    "observation": (80, 400),
    "formulation": (150, 800),
    "code": (500, 3000),
    "repair": (500, 3000),
}
#: Bytes of a prompt that one token stands for, high and low: 3.5 to 4.7 for English prose and Python.
BYTES_PER_TOKEN = (4.8, 3.0)
#: Tokens that chat formats add to a message.
MESSAGE_TOKENS = (3, 8)
#: Share of candidates that need a repair turn, and of calls that are made again for a better answer; low and high.
REPAIRED = (0.0, 0.3)
ASKED_AGAIN = (0.0, 0.05)
#: Seconds one candidate takes of one core, low and high, without long traces.
CANDIDATE_SECONDS = (0.6, 2.0)
#: Seconds of one core to score, tune and open the hold-out set for a baseline or finalist, on workloads of usual size.
STUDY_SECONDS = (3.0, 10.0)
#: Seconds one call takes, low and high, by provider; of a hosted model otherwise.
CALL_SECONDS = {"offline": (0.003, 0.02), "replay": (0.0, 0.001)}
HOSTED_SECONDS = (2.0, 15.0)
#: Seconds a person takes for a prompt (``llm=inbox``): many pasted at once, each by itself.
PERSON_SECONDS = (5.0, 60.0)
#: Seconds until the first candidate is scored: imports, workloads, the compiler.
START_SECONDS = 25


@dataclass(frozen=True)
class _Row:
    """Ranges (low, high) of one waypoint's calls together."""

    purpose: str
    model: str
    calls: tuple[int, int]
    tokens_in: tuple[int, int]
    tokens_out: tuple[int, int]
    usd: tuple[float, float] | None


def estimate(run: Run) -> dict[str, Any]:
    """Candidates, calls, tokens, dollars and minutes as ranges, from the prompts of a rehearsed search."""
    rehearsed = rehearse(run.problem, run.settings, lambda state, waypoints: run.proposer(state)(waypoints))
    rows = [_row(run, rehearsed, purpose) for purpose in ANSWER_TOKENS if rehearsed.number[purpose]]
    calls = _sum(row.calls for row in rows)
    usd = [row.usd for row in rows]
    return {
        "problem": run.problem.name,
        "candidates": run.settings.solutions,
        "model": run.llm.model_for("formulation") or "recorded answers",
        "calls": calls,
        "tokens_in": _sum(row.tokens_in for row in rows),
        "tokens_out": _sum(row.tokens_out for row in rows),
        "tokens": _sum(pair for row in rows for pair in (row.tokens_in, row.tokens_out)),
        "usd": None if None in usd else [round(d, 4) for d in _sum(pair for pair in usd if pair is not None)],
        "minutes": _minutes(run, calls),
        "prices": _prices(run),
        "budget": {
            k: v for k, v in run.config["budget"].items() if k in ("usd", "tokens", "minutes", "calls") and v
        },
        "by_waypoint": {row.purpose: vars(row) for row in rows},
    }


def dry_run(run: Run) -> dict[str, Any]:
    """The estimate, and as ``obstacle`` what would keep the run from starting: a missing key, a dead endpoint; or None."""
    try:
        preflight(run.llm)
        obstacle = None
    except LLMConfigError as error:
        obstacle = str(error)
    return {**estimate(run), "obstacle": obstacle}


def _row(run: Run, rehearsed: Calls, purpose: str) -> _Row:
    config = run.llm
    model = config.model_for(purpose)
    price = Price(0.0, 0.0, 0.0, "replay") if config.provider == "replay" else price_of(model, config)
    asked = rehearsed.number[purpose]
    answers = ANSWER_TOKENS[purpose]
    if thinks(model):
        answers = (answers[0], max(answers[1], config.max_tokens_for(purpose)))
    calls, tokens_in, tokens_out, usd = [], [], [], []
    for side in (0, 1):
        share = 1 + ASKED_AGAIN[side]
        if purpose == "repair":  # one a candidate was rehearsed
            share *= REPAIRED[side] * run.settings.repairs
        prompt = rehearsed.prompt_bytes[purpose] / asked / BYTES_PER_TOKEN[side]
        prompt += MESSAGE_TOKENS[side] * rehearsed.messages[purpose] / asked
        calls.append(round(share * asked))
        tokens_in.append(round(calls[side] * prompt))
        tokens_out.append(calls[side] * min(answers[side], config.max_tokens_for(purpose)))
        if price is not None:
            usd.append(price.cost(tokens_in[side], tokens_out[side]))
    return _Row(
        purpose, model, _pair(calls), _pair(tokens_in), _pair(tokens_out), _pair(usd) if usd else None
    )


def _pair(values: list[Any]) -> tuple[Any, Any]:
    low, high = values
    return low, high


def _sum(pairs: Any) -> list[Any]:
    listed = list(pairs)
    return [sum(low for low, _ in listed), sum(high for _, high in listed)]


def _minutes(run: Run, calls: list[int]) -> list[float]:
    call_s, at_once = CALL_SECONDS.get(run.llm.provider, HOSTED_SECONDS), run.llm.concurrency
    if run.llm.provider == "inbox":
        call_s, at_once = PERSON_SECONDS, 1
    minutes = []
    for side in (0, 1):
        studied = len(run.problem.rivals) + run.finalists
        scoring = run.settings.solutions * CANDIDATE_SECONDS[side] + studied * STUDY_SECONDS[side]
        seconds = max(calls[side] * call_s[side] / at_once, scoring / workers(run.config)) + START_SECONDS
        minutes.append(round(seconds / 60, 1))
    return minutes


def _prices(run: Run) -> dict[str, Any]:
    table = {}
    for model in run.llm.models():
        price = price_of(model, run.llm)
        per_million = (
            None if price is None else [round(p * 1e6, 6) for p in (price.tokens_in, price.tokens_out)]
        )
        table[model] = {"usd_per_million": per_million, "source": price.source if price else "unknown"}
    return table


def sentences(figures: dict[str, Any]) -> str:
    """A dry run for a person: a few lines and a table."""
    lines = [f"{figures['candidates']:,} candidates for {figures['problem']} by {figures['model']}", ""]
    table: list[tuple[str, ...]] = [("", "calls", "prompt tokens", "answer tokens", "US$")]
    rows = figures["by_waypoint"].items()
    table += [(p, _n(r["calls"]), _n(r["tokens_in"]), _n(r["tokens_out"]), _usd(r["usd"])) for p, r in rows]
    total = figures["calls"], figures["tokens_in"], figures["tokens_out"]
    table.append(("together", *map(_n, total), _usd(figures["usd"])))
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    for name, *cells in table:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f"  {name.ljust(widths[0])}  " + "   ".join(padded))
    low, high = figures["minutes"]
    lines += ["", f"Time: {low:g} to {high:g} minutes on this machine."]
    lines += [_price_line(model, price) for model, price in figures["prices"].items()]
    lines += _budget_lines(figures)
    lines.append("No model was asked and nothing was written.")
    if figures["obstacle"]:
        lines += ["", f"It would not start yet: {figures['obstacle']}"]
    return "\n".join(lines)


def _price_line(model: str, price: dict[str, Any]) -> str:
    if model.startswith(INBOX_MODEL):
        return "Price: whatever the chat window costs; it is not metered."
    if price["usd_per_million"] is None:
        return (
            f"Price of {model}: unknown; set llm.price_in and llm.price_out (US dollars per million tokens)."
        )
    if price["usd_per_million"] == [0, 0]:
        return f"Price of {model}: nothing."
    given, taken = price["usd_per_million"]
    return f"Price of {model}: ${given:g} in, ${taken:g} out per million tokens ({price['source']})."


def _budget_lines(figures: dict[str, Any]) -> list[str]:
    lines = []
    for name, cap in figures["budget"].items():
        span = figures[name]
        if span is None:
            lines.append(f"budget.{name}={cap:,} cannot be kept: the price is unknown.")
        elif span[1] <= cap:
            lines.append(f"budget.{name}={cap:,} is enough.")
        elif span[0] <= cap:
            lines.append(f"budget.{name}={cap:,} may end the run early.")
        else:
            lines.append(
                f"budget.{name}={cap:,} ends the run early, after about {cap / span[1]:.0%} or more of it."
            )
    return lines


def _n(span: Any) -> str:
    low, high = span
    return f"{low:,}" if low == high else f"{low:,} - {high:,}"


def _usd(span: Any) -> str:
    if span is None:
        return "unknown"
    return "0" if span[1] == 0 else f"{span[0]:.2f} - {span[1]:.2f}"
