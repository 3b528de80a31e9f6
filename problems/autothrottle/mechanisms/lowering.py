"""Rules of the local law that say how often it decides, and how carefully limits are lowered."""

from __future__ import annotations

from problems.autothrottle.mechanisms.draft import Draft
from problems.composing.draft import indented

# -- pace: ticks between decisions


def pace_quick(d: Draft) -> None:
    """Several decisions a second."""
    d.period = d.number("PERIOD", 1, 5, log=True)
    d.say("down", f"It decides every {d.period} ticks of 100 ms.")


def pace_slow(d: Draft) -> None:
    """A decision in several seconds; only raises are quicker."""
    d.period = d.number("PERIOD", 20, 100, log=True)
    d.say("down", f"It lowers the limit every {d.period} ticks of 100 ms only.")


# -- down: how carefully


def down_steps(d: Draft) -> None:
    """At most a share at a time."""
    keep = d.number("KEEP", 0.6, 0.97)
    d.least = f"{keep} * limit"
    d.say("down", f"A cut leaves at least {keep} of the limit.")


def down_part(d: Draft) -> None:
    """A share of the way."""
    way = d.number("WAY", 0.1, 0.8)
    d.least = f"limit + {way} * (wanted - limit)"
    d.say("down", f"A cut goes {way} of the way to what is wanted.")


def down_cool(d: Draft) -> None:
    """Not soon after a raise."""
    cool = d.number("COOL", 10, 300, log=True)
    d.raised()
    d.gates.append(f"tick - self.raised >= {cool}")
    d.say("down", f"After a raise the limit is not lowered for {cool} ticks.")


def down_clean(d: Draft) -> None:
    """Only if the last seconds were clean."""
    clean = d.number("CLEAN", 0.0, 2.0)
    d.gates.append(f"np.mean(throttled) <= {clean} * target")
    d.say("down", f"It is lowered only if throttling stayed below {clean} times the target for 5 s.")


def down_sure(d: Draft) -> None:
    """Only if it was wanted several times."""
    times = d.number("TIMES", 2, 8)
    d.attribute("low", "0")
    d.floors += ["self.low = self.low + 1 if wanted < limit else 0"]
    d.gates.append(f"self.low >= {times}")
    d.say("down", f"It is lowered only when less was wanted {times} times in a row.")


def down_probe(d: Draft) -> None:
    """Small steps down for as long as nothing is throttled."""
    probe = d.number("PROBE", 0.9, 0.995)
    patience = d.number("PATIENCE", 20, 300, log=True)
    d.attribute("quiet", "0")
    d.sense += ["self.quiet = self.quiet + 1 if obs[1] == 0.0 else 0"]
    d.idle += [
        f"if self.quiet >= {patience} and limit > 1.05 * np.mean(usage) and target > 0.0:",
        *indented(["self.quiet = 0", *d.cut, f"return {probe} * limit"]),
    ]
    d.say("down", f"After {patience} ticks without throttling it is lowered to {probe} of itself, to see.")


RULES = (
    pace_quick,
    pace_slow,
    down_steps,
    down_part,
    down_cool,
    down_clean,
    down_sure,
    down_probe,
)
