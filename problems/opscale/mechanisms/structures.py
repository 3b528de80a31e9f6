"""Structures: which groups get replicas. How many, rules decide."""

from __future__ import annotations

from collections.abc import Callable

from problems.opscale.mechanisms.draft import Draft

Structure = Callable[[Draft], None]

_WHOLE = "self.plan(first, rate, 1.0, glob, obs, prof)"


def whole(d: Draft) -> None:
    """Whole-model replicas."""
    d.scheme = [_WHOLE]
    d.say("state", "Targets of the whole-model replicas of each phase.")
    d.say("replicas", "Whole models only, which share their GPUs among all operators.")


def pools(d: Draft) -> None:
    """Operator pools in prefill, whole models in decode."""
    d.scheme = [
        "if decode:",
        f"    {_WHOLE}",
        "else:",
        "    for g in range(first + 1, first + 5):",
        "        self.plan(g, rate, 1.0, glob, obs, prof)",
    ]
    d.say("state", "Targets of each operator of prefill and of the whole models of decode.")
    d.say(
        "replicas",
        "In prefill each operator has a pool of its own, sized by its own load; decode keeps whole models.",
    )


def _base(d: Draft, how: str) -> list[str]:
    """Whole replicas for the slow part of the load; sets ``lack``, the GPUs of whole replicas that are not there."""
    base = d.number("BASE", 0.3, 1.2)
    slow = d.number("SLOW", 20.0, 600.0, log=True)
    average = d.array("average")
    d.say("state", f"A slow average of the rate (over {slow} s) for the base of whole models.")
    d.say("replicas", f"Whole models carry {base} times the slow part of the load; {how}")
    return [
        f"if {average}[first] == 0.0:",
        f"    {average}[first] = glob[2]",
        f"{average}[first] += self.interval / {slow} * (rate - {average}[first])",
        f"part = {base} * {average}[first] / rate if rate > {average}[first] else {base}",
        "self.plan(first, rate, part if not decode else 1.0, glob, obs, prof)",
        "load = self.load(first, rate, 0.0, glob, prof)",
        "lack = load - obs[12 * first + 6]",
        "queued = max(obs[12 * first + 2], obs[12 * first + 14])",
        "lack += queued * prof[12 * first] / self.ttft_slo",
    ]


def hot(d: Draft) -> None:
    """Base replicas, and more of the FFN while they are too few (OpScale's hybrid)."""
    d.scheme = [
        *_base(d, "what they lack is made up by replicas of the FFN, the largest part of the work."),
        "extra = 0.0",
        "if not decode and lack > 0:",
        "    extra = lack * prof[12 * first + 8] / prof[12 * first + 56]",
        "self.ease(first + 4, extra)",
    ]
    _ease(d)


def relief(d: Draft) -> None:
    """Base replicas, and complete pools for the bursts beyond them."""
    d.scheme = [
        *_base(d, "bursts beyond them go to complete operator pools."),
        "for g in range(first + 1, first + 5):",
        "    extra = 0.0",
        "    if not decode and lack > 0:",
        "        extra = lack * self.load(g, rate, 0.0, glob, prof) / max(1e-9, load)",
        "    self.ease(g, extra)",
    ]
    _ease(d)


def _ease(d: Draft) -> None:
    linger = d.number("LINGER", 2.0, 120.0, log=True)
    d.method(
        "ease",
        "g, want",
        [
            f"self.target[g] = max(want, self.target[g] * math.exp(-self.interval / {linger}))",
            "if self.target[g] < 0.5 and want <= 0.0:",
            "    self.target[g] = 0.0",
        ],
    )
    d.say("scale_down", f"Extra operator replicas fade within {linger} s once they are not needed.")


STRUCTURES: dict[str, Structure] = {f.__name__: f for f in (whole, pools, hot, relief)}
