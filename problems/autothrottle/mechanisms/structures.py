"""Structures: what a service is expected to need, as a level and a spread of its usage in cores.

Margins, steps and floors are up to the rules. ``built_in`` leaves the local law out.
"""

from __future__ import annotations

from collections.abc import Callable

from problems.autothrottle.mechanisms.draft import Draft

Structure = Callable[[Draft], None]

_DEVIATION = "spread = np.std(usage)"


def built_in(d: Draft) -> None:
    """Captain, as it is."""
    d.say("state", "Captain keeps for each service what he always does.")
    d.say("local", "Captain runs every service as it is.")


def peaks(d: Draft) -> None:
    """The largest usage and deviations, as Captain."""
    d.base = ["level = np.max(usage)", _DEVIATION]
    d.start = 2.0
    d.climbs = False
    d.say("state", "The usage of the last 5 s.")
    d.say("local", "Wanted is the largest usage of the last 5 s and a margin in standard deviations.")


def average(d: Draft) -> None:
    """Mean and deviations."""
    d.base = ["level = np.mean(usage)", _DEVIATION]
    d.start = 3.0
    d.say("state", "The usage of the last 5 s.")
    d.say("local", "Wanted is the mean usage of the last 5 s and a margin in standard deviations.")


def smooth(d: Draft) -> None:
    """Exponentially smoothed mean and deviation, as TCP estimates round trips (Jacobson, 1988)."""
    blend = d.number("BLEND", 0.01, 0.15, log=True)
    d.attribute("level", "0.0")
    d.attribute("spread", "0.0")
    d.sense += [
        f"self.spread += {blend} * (abs(obs[4] - self.level) - self.spread)",
        f"self.level += {blend} * (obs[4] - self.level)",
    ]
    d.base = ["level = self.level", "spread = self.spread"]
    d.start = 4.0
    d.say("state", f"Usage and its mean deviation, smoothed by {blend} each 100 ms.")
    d.say("local", "Wanted is the smoothed usage and a margin in mean deviations.")


def percentile(d: Draft) -> None:
    """A high percentile of 5 s."""
    rank = d.number("RANK", 30, 48)
    d.base = ["ordered = np.sort(usage)", f"level = ordered[{rank}]", _DEVIATION]
    d.start = 1.0
    d.say("state", "The usage of the last 5 s.")
    d.say("local", f"Wanted is usage number {rank} of the 50 of 5 s, counted from below, and a margin.")


def crawler(d: Draft) -> None:
    """A percentile followed in small steps, up faster than down (Robbins and Monro)."""
    share = d.number("SHARE", 0.7, 0.98)
    stride = d.number("STRIDE", 0.005, 0.1, log=True)
    d.attribute("mark", "0.0")
    d.sense += [
        f"stride = {stride} * max(0.01, obs[4], self.mark)",
        "if obs[4] > self.mark:",
        f"    self.mark += {share} * stride",
        "else:",
        f"    self.mark = max(0.0, self.mark - (1.0 - {share}) * stride)",
    ]
    d.base = ["level = self.mark", _DEVIATION]
    d.start = 1.0
    d.say("state", f"A mark that crawls to the usage which a share {share} of all usages stays below.")
    d.say("local", "Wanted is the mark and a margin in standard deviations.")


def utilisation(d: Draft) -> None:
    """A utilisation target with a window of maxima, as the autoscalers of Kubernetes."""
    kept = d.number("KEPT", 4, 40, log=True)
    d.attribute("means", f"np.zeros({kept})")
    d.attribute("used", "0.0")
    d.sense += [
        "self.used += obs[4]",
        "if tick % 10 == 9:",
        f"    self.means[tick // 10 % {kept}] = self.used / 10.0",
        "    self.used = 0.0",
    ]
    d.base = ["level = np.max(self.means)", "spread = level"]
    d.start = 0.8
    d.say("state", f"The mean usages of the last {kept} s.")
    d.say("local", "Wanted is the largest of the means and a share of it on top.")


def peak_hold(d: Draft) -> None:
    """The largest usage, held and fading, as a level meter."""
    fading = d.number("FADING", 0.97, 0.999)
    d.attribute("peak", "0.0")
    d.sense += [f"self.peak = max(obs[4], {fading} * self.peak)"]
    d.base = ["level = self.peak", _DEVIATION]
    d.start = 1.0
    d.climbs = False
    d.say("state", f"The peak of usage, which fades by the factor {fading} each 100 ms.")
    d.say("local", "Wanted is the fading peak and a margin in standard deviations.")


def bunches(d: Draft) -> None:
    """The busiest stretch of half a second or a second within 5 s."""
    span = d.number("SPAN", 2, 12)
    d.base = [
        "level = 0.0",
        f"for first in range(0, 51 - {span}):",
        "    total = 0.0",
        f"    for i in range({span}):",
        "        total += usage[(pos + 1 + first + i) % 50]",
        f"    level = max(level, total / {span})",
        _DEVIATION,
    ]
    d.start = 1.0
    d.say("state", "The usage of the last 5 s.")
    d.say("local", f"Wanted is the usage of the busiest {span} periods in a row of 5 s, and a margin.")


def pushed(d: Draft) -> None:
    """A level moved by the throttle error alone; usage only bounds it below."""
    push = d.number("PUSH", 0.02, 0.5, log=True)
    d.attribute("core", "-1.0")
    d.base = [
        "most = min(1.5 * limit, 2.0 * np.max(usage))",
        "if self.core < 0.0 or self.core > most:",
        "    self.core = most",
        f"self.core = max(np.mean(usage), self.core * (1.0 + {push} * (held - target)))",
        "level = self.core",
        "spread = 0.05 * level",
    ]
    d.start = 0.0
    d.say("state", "A level of its own, at most twice the largest usage of 5 s.")
    d.say("local", f"The level moves by {push} times the excess of throttling over the target.")


def trend(d: Draft) -> None:
    """A straight line through the last 5 s, drawn on."""
    ahead = d.number("AHEAD", 2.0, 40.0, log=True)
    d.base = [
        "slope = 0.0",
        "for i in range(50):",
        "    slope += (i - 24.5) * usage[(pos + 1 + i) % 50]",
        "slope /= 10412.5",  # the sum of the squares of i - 24.5
        f"level = np.mean(usage) + max(0.0, slope) * (24.5 + {ahead})",
        _DEVIATION,
    ]
    d.start = 2.5
    d.say("state", "The usage of the last 5 s.")
    d.say("local", f"Wanted is usage as a line through 5 s foretells it {ahead} ticks ahead, and a margin.")


def tides(d: Draft) -> None:
    """The larger of a short and a long mean."""
    short = d.number("SHORT", 0.05, 0.4, log=True)
    long = d.number("LONG", 0.002, 0.03, log=True)
    for name, blend in (("ebb", long), ("flood", short)):
        d.attribute(name, "0.0")
        d.sense += [f"self.{name} += {blend} * (obs[4] - self.{name})"]
    d.base = ["level = max(self.ebb, self.flood)", _DEVIATION]
    d.start = 2.5
    d.say("state", f"A slow and a quick mean of usage, smoothed by {long} and {short} each 100 ms.")
    d.say("local", "Wanted is the larger mean and a margin in standard deviations.")


STRUCTURES: dict[str, Structure] = {
    f.__name__: f
    for f in (
        built_in,
        peaks,
        average,
        smooth,
        percentile,
        crawler,
        utilisation,
        peak_hold,
        bunches,
        pushed,
        trend,
        tides,
    )
}
