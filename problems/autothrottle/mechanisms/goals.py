"""Rules of the global law: the target of a minute, and what part of it every service is given."""

from __future__ import annotations

from problems.autothrottle.mechanisms.draft import Draft
from problems.composing.draft import indented

_LEAST, _MOST = 0.002, 0.6


def _first(d: Draft) -> None:
    d.first_goal = d.number("FIRST", 0.02, 0.3, log=True)


def _aim(d: Draft) -> str:
    return d.number("AIM", 0.75, 1.0)


def _clipped(expression: str) -> str:
    return f"self.goal = min({_MOST}, max({_LEAST}, {expression}))"


# -- goal: the target of a minute


def goal_level(d: Draft) -> None:
    """The same all the time."""
    d.first_goal = d.number("FIRST", 0.01, 0.4, log=True)
    d.goal = [f"self.goal = {d.first_goal}"]
    d.say("global", f"The target is always {d.first_goal}.")


def goal_integral(d: Draft) -> None:
    """The logarithm sums the distance of the P99 from its aim."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    d.goal = [_clipped(f"self.goal * math.exp({pull} * max(-2.0, {aim} - app[4] / self.slo_ms))")]
    d.say(
        "global",
        f"The target grows while the P99 is below {aim} of the objective and shrinks above, by {pull}.",
    )


def goal_bang(d: Draft) -> None:
    """Down by a factor, up by a step (Chiu and Jain, 1989)."""
    _first(d)
    aim, drop = _aim(d), d.number("DROP", 0.3, 0.9)
    inch = d.number("INCH", 0.002, 0.05, log=True)
    d.goal = [
        f"if app[4] > {aim} * self.slo_ms:",
        f"    {_clipped(f'{drop} * self.goal')}",
        "else:",
        f"    {_clipped(f'self.goal + {inch}')}",
    ]
    d.say(
        "global",
        f"Above {aim} of the objective the target falls to {drop} of itself, below it grows by {inch}.",
    )


def goal_load(d: Draft) -> None:
    """As the integral, and at once by the change of the load."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    bend = d.number("BEND", 0.3, 4.0, log=True)
    d.attribute("load", "0.0")
    d.goal = [
        "growth = 1.0",
        "if self.load > 0.0 and app[0] > 0.0:",
        "    growth = min(2.0, max(0.5, app[0] / self.load))",
        "self.load = app[0]",
        _clipped(f"self.goal * growth**-{bend} * math.exp({pull} * max(-2.0, {aim} - app[4] / self.slo_ms))"),
    ]
    d.say("state", "The load of the minute before.")
    d.say(
        "global", f"The target follows the P99 and falls at once as the load grows, to the power of {bend}."
    )


def goal_slope(d: Draft) -> None:
    """The P99 drawn on by a minute."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    ahead = d.number("FORESIGHT", 0.2, 1.5)
    d.attribute("last", "-1.0")
    d.goal = [
        "last = self.last if self.last >= 0.0 else app[4]",
        "self.last = app[4]",
        f"foretold = app[4] + {ahead} * (app[4] - last)",
        _clipped(f"self.goal * math.exp({pull} * max(-2.0, {aim} - foretold / self.slo_ms))"),
    ]
    d.say("state", "The P99 of the minute before.")
    d.say("global", f"The target follows the P99 as it would be {ahead} minutes on if it went on like that.")


def goal_body(d: Draft) -> None:
    """The P95 as well, which is less noisy."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    body = d.number("BODY", 0.2, 0.8)
    tail = d.number("TAIL", 1.1, 2.0)
    d.goal = [
        f"felt = {body} * {tail} * app[3] + (1.0 - {body}) * app[4]",
        _clipped(f"self.goal * math.exp({pull} * max(-2.0, {aim} - felt / self.slo_ms))"),
    ]
    d.say(
        "global", f"The target follows a blend of the P99 and {tail} times the P95, the latter with {body}."
    )


def goal_climb(d: Draft) -> None:
    """Hill climbing on allocated cores while the P99 holds."""
    _first(d)
    aim, stride = _aim(d), d.number("LEAP", 1.05, 1.6)
    d.attribute("per_request", "1e18")
    d.attribute("way", "1.0")
    d.goal = [
        "price = app[6] / max(1.0, app[5])",
        f"if app[4] > {aim} * self.slo_ms:",
        "    self.way = -1.0",
        "elif self.way < 0.0 or price > 1.02 * self.per_request:",
        "    self.way = 1.0 if self.way < 0.0 else -0.5",
        "self.per_request = price",
        _clipped(f"self.goal * {stride}**self.way"),
    ]
    d.say("state", "The cores that a request cost in the minute before, and the way taken.")
    d.say(
        "global", f"The target is moved by the factor {stride}, on while that saves cores, back above {aim}."
    )


def goal_hour(d: Draft) -> None:
    """The share of late requests of the whole run is a budget: one in a hundred may be late."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    spend = d.number("SPEND", 0.3, 0.95)
    d.attribute("late", "0.0")
    d.attribute("served", "0.0")
    d.goal = [
        # Beyond the objective, from the percentiles of a minute: the share falls in its logarithm along the tail.
        "share = 0.0",
        "if app[4] > 0.0:",
        "    steep = math.log(5.0) / max(1e-3, math.log(max(1.0001, app[4] / max(1.0, app[3]))))",
        "    share = min(1.0, 0.01 * (app[4] / self.slo_ms) ** min(30.0, steep))",
        "if minute > 3:",
        *indented(["self.late += share * app[5]", "self.served += app[5]"]),
        f"room = {spend} * 0.01 * (self.served + 10.0 * app[5]) - self.late",
        "allowed = room / max(1.0, 0.1 * app[5])",
        f"aim = {aim} + 0.2 * min(1.0, max(-1.0, allowed - 0.5))",
        _clipped(f"self.goal * math.exp({pull} * max(-2.0, aim - app[4] / self.slo_ms))"),
    ]
    d.say("state", "How many requests were late so far, by the percentiles of the minutes.")
    d.say(
        "global",
        f"What is left of the one in a hundred that may be late, {spend} of it, raises the aim {aim}.",
    )


def goal_table(d: Draft) -> None:
    """A target for each level of the load, learned."""
    _first(d)
    aim, pull = _aim(d), d.number("PULL", 0.2, 4.0, log=True)
    d.attribute("levels", "np.zeros(12)")
    d.attribute("place", "0")
    d.attribute("largest", "1.0")
    d.goal = [
        "self.largest = max(self.largest, app[0])",
        "for i in range(12):",
        "    near = 1.0 / (1.0 + (i - self.place) ** 2)",
        f"    self.levels[i] += near * {pull} * max(-2.0, min(1.0, {aim} - app[4] / self.slo_ms))",
        "    self.levels[i] = min(2.0, max(-4.0, self.levels[i]))",
        "self.place = min(11, int(12.0 * app[0] / (1.0001 * self.largest)))",
        _clipped(f"{d.first_goal} * math.exp(self.levels[self.place])"),
    ]
    d.say("state", "A target for each of twelve levels of the load.")
    d.say(
        "global",
        "The target is that of the load's level; the P99 of the minute corrects it and its neighbours.",
    )


# -- share: what a service gets of it


def share_hot(d: Draft) -> None:
    """Another target for the services with most of the usage."""
    hot = d.number("HOT", 0.2, 5.0, log=True)
    d.portion += ["if cluster[service] == 1:", f"    goal *= {hot}"]
    d.say("global", f"The services with most of the usage get {hot} times the target.")


def share_slack(d: Draft) -> None:
    """More throttling for those whose limit is far above their usage."""
    slack = d.number("SLACK", 0.2, 1.5)
    d.portion += [
        "used = services[7 * service]",
        "if used > 0.0:",
        f"    goal *= min(5.0, max(0.2, (services[7 * service + 4] / used / 2.0) ** {slack}))",
    ]
    d.say("global", f"A service gets more by how far its limit is above its usage, to the power of {slack}.")


def share_size(d: Draft) -> None:
    """By the share of all usage."""
    size = d.number("SIZE", 0.1, 0.7)
    d.portion += [
        "used = services[7 * service]",
        "if app[7] > 0.0:",
        f"    goal *= min(5.0, max(0.2, (used * len(cluster) / app[7]) ** {size}))",
    ]
    d.say("global", f"A service gets more if it uses more than others, to the power of {size}.")


def share_wild(d: Draft) -> None:
    """By burstiness."""
    wild = d.number("WILD", 0.2, 1.5)
    d.portion += [
        "used = services[7 * service]",
        "if used > 0.0:",
        f"    goal *= min(5.0, max(0.2, (services[7 * service + 1] / used) ** {wild}))",
    ]
    d.say("global", f"A service gets more the more bursty it is, to the power of {wild}.")


RULES = (
    goal_level,
    goal_integral,
    goal_bang,
    goal_load,
    goal_slope,
    goal_body,
    goal_climb,
    goal_hour,
    goal_table,
    share_hot,
    share_slack,
    share_size,
    share_wild,
)
