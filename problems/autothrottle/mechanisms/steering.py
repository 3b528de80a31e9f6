"""Rules of the local law that look at throttling: how it is measured, how margins follow it, when limits are raised."""

from __future__ import annotations

from problems.autothrottle.mechanisms.draft import Draft

# -- seen: what counts as throttled lately


def seen_window(d: Draft) -> None:
    """All of the last 5 s."""
    d.held = "np.mean(throttled)"
    d.say("local", "Throttling is the share of throttled periods of the last 5 s.")


def seen_time(d: Draft) -> None:
    """Time instead of periods."""
    memory = d.number("MEMORY", 5.0, 60.0, log=True)
    weight = d.number("WEIGHT", 1.0, 5.0)
    d.attribute("lost", "0.0")
    d.sense.append(f"self.lost += (min(1.0, {weight} * obs[3] / 100.0) - self.lost) / {memory}")
    d.held = "self.lost"
    d.say("state", f"The time that the service stood still, forgotten over {memory} ticks.")
    d.say("local", f"Throttling is the share of time lost, times {weight}.")


def seen_long(d: Draft) -> None:
    """A long memory."""
    memory = d.number("MEMORY", 30.0, 300.0, log=True)
    d.attribute("held", "0.0")
    d.sense.append(f"self.held += (obs[1] - self.held) / {memory}")
    d.held = "self.held"
    d.say("state", f"The share of throttled periods, forgotten over {memory} ticks.")


def seen_active(d: Draft) -> None:
    """Of the periods with work only, as the kernel's own counters."""
    memory = d.number("MEMORY", 5.0, 100.0, log=True)
    d.attribute("held", "0.0")
    d.attribute("active", "0.1")
    d.sense += [
        f"self.held += (obs[1] - self.held) / {memory}",
        f"self.active += (min(1.0, obs[2]) - self.active) / {memory}",
    ]
    d.held = "self.held / max(0.05, self.active)"
    d.say("state", "How many periods had work, and how many of those were throttled, both smoothed.")


# -- margin: how it follows the throttle error, in its sum over seconds

#: The error of one decision times the seconds it stands for, so that gains mean the same at every pace.
_ERROR = "0.1 * PERIOD * (held - target)"


def margin_integral(d: Draft) -> None:
    """Sum of the errors, as Captain."""
    gain = d.number("GAIN", 0.05, 2.0, log=True)
    d.margin = [f"self.margin = max(0.0, self.margin + {gain} * {_ERROR})"]
    d.say("local", f"The margin sums {gain} times the excess of throttling over the target.")


def margin_lopsided(d: Draft) -> None:
    """Up faster than down."""
    gain = d.number("GAIN", 0.1, 3.0, log=True)
    ease = d.number("EASE", 0.02, 1.0, log=True)
    d.margin = [
        "if held > target:",
        f"    self.margin += {gain} * {_ERROR}",
        "else:",
        f"    self.margin = max(0.0, self.margin + {ease} * {_ERROR})",
    ]
    d.say("local", f"The margin grows by {gain} times the excess and shrinks by {ease} times the lack.")


def margin_fold(d: Draft) -> None:
    """By a factor, so that it is as quick where it is small."""
    gain = d.number("GAIN", 0.05, 2.0, log=True)
    d.start = max(d.start, 0.5)
    d.margin = [
        f"self.margin = min(50.0, max(0.01, self.margin * math.exp({gain} * {_ERROR})))",
    ]
    d.say("local", f"The margin grows and shrinks by factors, {gain} times the excess in its logarithm.")


def margin_target(d: Draft) -> None:
    """From the target itself, without feedback."""
    most = d.number("MOST", 0.5, 6.0, log=True)
    steep = d.number("STEEP", 2.0, 12.0)
    most = f"{most} * {d.start or 1.0}"
    d.margin = [f"self.margin = {most} * math.exp(-{steep} * target)"]
    d.say("local", f"The margin is {most} and falls with the target, by {steep} in the exponent.")


def margin_both(d: Draft) -> None:
    """Proportional and integral."""
    gain = d.number("GAIN", 0.05, 1.0, log=True)
    prompt = d.number("PROMPT", 0.5, 5.0, log=True)
    d.attribute("sum", str(d.start))
    d.margin = [
        f"self.sum = max(0.0, self.sum + {gain} * {_ERROR})",
        f"self.margin = max(0.0, self.sum + {prompt} * (held - target))",
    ]
    d.say(
        "local",
        f"The margin sums {gain} times the excess of throttling and adds {prompt} times the present one.",
    )


# -- up: raises at once


def _alpha(d: Draft) -> str:
    return d.number("ALPHA", 1.0, 4.0)


def up_excess(d: Draft) -> None:
    """In proportion to the excess, as Captain."""
    rise = d.number("RISE", 0.3, 2.0)
    alpha = _alpha(d)
    d.urgently(f"held > {alpha} * target", f"limit *= 1.0 + {rise} * (held - {alpha} * target)")
    d.say("up", f"Throttled above {alpha} times the target, it is raised by {rise} times the excess.")


def up_streak(d: Draft) -> None:
    """A factor after throttled periods in a row."""
    run = d.number("RUN", 2, 5)
    factor = d.number("FACTOR", 1.05, 1.8)
    d.attribute("streak", "0")
    d.sense += ["self.streak = self.streak + 1 if obs[1] > 0.0 else 0"]
    d.urgently(f"self.streak >= {run}", f"limit *= {factor}")
    d.say("up", f"After {run} throttled periods in a row the limit is raised by the factor {factor}.")


def up_time(d: Draft) -> None:
    """In proportion to the time lost."""
    shove = d.number("SHOVE", 0.2, 2.0, log=True)
    d.urgently("held > target and obs[3] > 10.0", f"limit *= 1.0 + {shove} * min(1.0, obs[3] / 100.0)")
    d.say("up", f"Throttled too much, it is raised by {shove} times the time lost in the period.")


def up_slope(d: Draft) -> None:
    """Feed-forward on the slope of usage."""
    lead = d.number("LEAD", 0.5, 4.0, log=True)
    d.sense += [
        "now = 0.0",
        "past = 0.0",
        "for i in range(5):",
        "    now += usage[(pos - i) % 50] / 5.0",
        "    past += usage[(pos - 5 - i) % 50] / 5.0",
    ]
    d.urgently(
        f"obs[1] + held > target and now + {lead} * (now - past) > limit",
        f"limit = now + {lead} * (now - past)",
    )
    d.say(
        "local", f"If usage rises so fast that it would pass the limit in {lead} half seconds, it is raised."
    )


def up_rollback(d: Draft) -> None:
    """A cut that throttles is taken back, and more."""
    over = d.number("OVER", 0.0, 1.5)
    alpha = _alpha(d)
    d.attribute("before", "0.0")
    d.attribute("cut_at", "-1000")
    d.attribute("since", "0.0")
    d.sense += ["self.since += obs[1]"]
    d.cut += ["self.before = limit", "self.cut_at = tick", "self.since = 0.0"]
    d.urgently(
        f"tick - self.cut_at <= 10 and 0.1 * self.since > {alpha} * target and self.before > limit",
        f"limit = self.before + {over} * (self.before - limit)",
        "self.cut_at = -1000",
    )
    d.say("up", f"A cut that throttles within a second is taken back, and {over} of it added.")


def up_pulse(d: Draft) -> None:
    """A short pulse at every throttled period while throttling is above the target."""
    pulse = d.number("PULSE", 1.05, 1.6)
    d.urgently("obs[1] > 0.0 and held > target", f"limit = max(limit, {pulse} * np.max(usage))")
    d.say("up", f"When it is throttled too often, the limit jumps to {pulse} times the largest usage.")


# -- memory: what past trouble says of the limit


def memory_burst(d: Draft) -> None:
    """The largest burst above the mean, fading."""
    fading = d.number("BURST_FADING", 0.95, 0.999)
    share = d.number("BURST_SHARE", 0.3, 1.2)
    d.attribute("burst", "0.0")
    d.floors += [
        f"self.burst = max(np.max(usage) - np.mean(usage), {fading} * self.burst)",
        f"wanted = max(wanted, np.mean(usage) + {share} * self.burst)",
    ]
    d.say("state", f"The largest burst above the mean, which fades by {fading} a decision.")
    d.say("down", f"The limit leaves room for {share} of that burst.")


def memory_scar(d: Draft) -> None:
    """A limit that was too low is remembered."""
    heal = d.number("HEAL", 0.95, 0.999)
    safe = d.number("SAFE", 1.0, 1.2)
    alpha = _alpha(d)
    d.attribute("scar", "0.0")
    d.floors += [
        f"self.scar *= {heal}",
        f"if held > {alpha} * target:",
        f"    self.scar = max(self.scar, {safe} * min(limit, 2.0 * np.max(usage)))",
        "wanted = max(wanted, self.scar)",
    ]
    d.say("state", "The limit at which it was throttled too much, a scar that heals.")
    d.say("down", f"It does not go below {safe} times the scar, which heals by {heal} a decision.")


def memory_habit(d: Draft) -> None:
    """The usual limit."""
    usual = d.number("USUAL", 0.01, 0.2, log=True)
    weight = d.number("HABIT", 0.1, 0.7)
    d.attribute("usual", "0.0")
    d.floors += [
        "if self.usual == 0.0 or self.usual > 3.0 * wanted:",
        "    self.usual = wanted",
        f"self.usual += {usual} * (wanted - self.usual)",
        f"wanted += {weight} * (self.usual - wanted)",
    ]
    d.say("state", "What was wanted usually.")
    d.say("down", f"What is wanted is drawn {weight} of the way to the usual.")


def memory_minute(d: Draft) -> None:
    """The busiest second of the last minute."""
    part = d.number("PART", 0.7, 1.1)
    d.attribute("seconds", "np.zeros(60)")
    d.attribute("second", "0.0")
    d.sense += [
        "self.second += obs[4] / 10.0",
        "if tick % 10 == 9:",
        "    self.seconds[tick // 10 % 60] = self.second",
        "    self.second = 0.0",
    ]
    d.floors += [f"wanted = max(wanted, {part} * np.max(self.seconds))"]
    d.say("state", "The mean usage of each of the last 60 s.")
    d.say("down", f"The limit is at least {part} times the busiest second of a minute.")


RULES = (
    seen_window,
    seen_time,
    seen_long,
    seen_active,
    margin_integral,
    margin_lopsided,
    margin_fold,
    margin_target,
    margin_both,
    up_excess,
    up_streak,
    up_time,
    up_slope,
    up_rollback,
    up_pulse,
    memory_burst,
    memory_scar,
    memory_habit,
    memory_minute,
)
