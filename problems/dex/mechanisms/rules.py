"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles and how many rules of each a policy takes: ``leaf`` (which missing leaves are admitted), ``bend`` (what else counts
then), ``offload`` (which inner nodes are handed over), ``victim`` (what is cooled) and ``share`` (what a server's threads
tell one another).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.dex.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

#: How many rules of a role a policy takes at most.
PLACES = {"leaf": 2, "bend": 2, "offload": 1, "victim": 2, "share": 1}


# -- leaf: which missing leaves are admitted


def leaf_few(d: Draft) -> None:
    """A coin that seldom shows heads."""
    few = d.number("FEW", 0.002, 0.3, log=True)
    d.leaf.append(f"chance = {few}")
    d.say("leaf", f"A leaf is admitted with a chance of {few}.")


def leaf_bar(d: Draft) -> None:
    """Hotter than what is cooled for it."""
    margin = d.number("MARGIN", 0.0, 3.0)
    slow = d.number("SLOW", 0.005, 0.3, log=True)
    d.attribute("bar", "0.0")
    d.leaf.append(f"chance = 1.0 if heat > self.bar + {margin} else 0.0")
    d.after.append(f"self.bar += {slow} * (heat - self.bar)")
    if not d.worth:
        d.worth.append("worth += heat")
        d.looks = "3"
    d.say("leaf", f"A leaf is admitted if it is hotter than frames looked at lately, by {margin}.")


def leaf_again(d: Draft) -> None:
    """On the second touch."""
    enough = d.number("ENOUGH", 1.0, 8.0, log=True)
    strangers = d.number("STRANGERS", 0.001, 0.2, log=True)
    d.leaf.append(f"chance = 1.0 if heat > {enough} else {strangers}")
    d.say(
        "leaf",
        f"A leaf that is remembered with a heat above {enough} is admitted, a stranger with a chance of {strangers}.",
    )


def leaf_power(d: Draft) -> None:
    """The chance grows with the heat."""
    power = d.number("POWER", 0.3, 3.0, log=True)
    d.leaf.append(f"chance = min(1.0, chance * (1.0 + heat) ** {power})")
    d.say("leaf", f"The chance of a leaf grows with the power {power} of its heat.")


def leaf_hunger(d: Draft) -> None:
    """More when hits fall: the hot set moves."""
    drop = d.number("DROP", 0.02, 0.3, log=True)
    hungry = d.number("HUNGRY", 2.0, 20.0, log=True)
    d.attribute("usual", "0.0")
    d.leaf += [
        "self.usual += 0.002 * (seen[3] - self.usual)",
        f"if seen[3] < self.usual - {drop}:",
        f"    chance = min(1.0, chance * {hungry})",
    ]
    d.say(
        "leaf",
        f"When this thread's hits fall {drop} below their usual share, {hungry} times as many leaves are admitted.",
    )


# -- bend: what else counts for a leaf


def bend_write(d: Draft) -> None:
    """A rejected write is two verbs, a cached one a write-back later."""
    ink = d.number("INK", 0.3, 8.0, log=True)
    d.bend += ["if op == 1 or op == 2:", f"    chance = min(1.0, chance * {ink})"]
    d.say("leaf", f"For writes the chance is {ink} times as large.")


def bend_scan(d: Draft) -> None:
    """Scans come once."""
    sweep = d.number("SWEEP", 0.0, 1.0)
    d.bend += ["if op == 3:", f"    chance *= {sweep}"]
    d.say("leaf", f"For scans the chance is {sweep} times as large.")


def bend_family(d: Draft) -> None:
    """Leaves whose siblings are cached."""
    kin = d.number("KIN", 0.1, 4.0, log=True)
    d.bend.append(f"chance = min(1.0, chance * (0.2 + {kin} * seen[7] / seen[12]))")
    d.say("leaf", f"The chance grows with the share of cached siblings, by {kin}.")


def bend_parent(d: Draft) -> None:
    """Leaves under a parent that is used much for others."""
    climb = d.number("CLIMB", 0.05, 1.0, log=True)
    d.bend.append(f"chance = min(1.0, chance / (1.0 + {climb} * self.heat(int(seen[8]), now)))")
    d.say("leaf", f"A parent that is busy with many missing leaves lowers their chance, by {climb}.")


# -- offload: which missing inner nodes are handed over


def offload_cost(d: Draft) -> None:
    """DEX's rule with moving averages of all calls and reads."""
    weight = d.number("WEIGHT", 0.5, 1.6)
    tries = d.number("TRIES", 0.003, 0.05, log=True)
    d.call = [
        f"call = seen[2] < {weight} * (level + 1) * seen[1]",
        f"if {d.rng()}.uniform() < {tries}:",
        "    call = not call",
    ]
    d.say(
        "offload",
        f"If a call takes less than {weight} times the reads that it saves; {tries} of the time the other way.",
    )


def offload_window(d: Draft) -> None:
    """DEX's rule with windows of timed decisions."""
    weight = d.number("WEIGHT", 0.5, 1.6)
    tries = d.number("TRIES", 0.003, 0.05, log=True)
    d.attribute("times", "np.full((2, 50), 4.4)")
    d.attribute("means", "np.full(2, 4.4)")
    d.attribute("counts", "np.zeros(2, dtype=np.int64)")
    d.attribute("timed", "False")
    d.call = [
        f"call = self.means[1] < {weight} * (level + 1) * (self.means[0] + 0.04)",
        f"draw = {d.rng()}.uniform()",
        f"self.timed = draw < {tries} + 0.02",
        f"if draw < {tries}:",
        "    call = not call",
    ]
    d.done += [
        "if level > 0 and self.timed:",
        "    kind = 1 if action == 2 else 0",
        "    place = self.counts[kind] % 50",
        "    self.means[kind] += (us - self.times[kind, place]) / 50.0",
        "    self.times[kind, place] = us",
        "    self.counts[kind] += 1",
        "    self.timed = False",
    ]
    d.say("offload", f"If the mean of the last fifty timed calls is below {weight} times the reads saved.")


def offload_cold(d: Draft) -> None:
    """Cold nodes only: hot ones are worth a frame."""
    weight = d.number("WEIGHT", 0.5, 1.6)
    chill = d.number("CHILL", 0.5, 12.0, log=True)
    d.call = [
        f"call = heat < {chill} and seen[2] < {weight} * (level + 1) * seen[1]",
        f"if heat < {chill} and {d.rng()}.uniform() < 0.02:",
        "    call = True",
    ]
    d.say(
        "offload",
        f"Nodes with a heat below {chill}, if a call takes less than {weight} times the reads saved.",
    )


def offload_mix(d: Draft) -> None:
    """A share that follows the difference smoothly, so that all threads do not turn at once."""
    bend = d.number("GENTLE", 0.3, 6.0, log=True)
    d.call = [
        "edge = (level + 1) * seen[1] / max(0.1, seen[2])",
        f"call = {d.rng()}.uniform() < edge**{bend} / (1.0 + edge**{bend})",
    ]
    d.say("offload", f"With a chance that grows with reads saved over the time of a call, steepness {bend}.")


# -- victim: what is cooled


def victim_heat(d: Draft) -> None:
    """The coldest of several."""
    d.looks = d.number("LOOKS", 3, 6)
    d.worth.append("worth += heat")
    d.say("victim", f"The two coldest of {d.looks} frames.")


def victim_level(d: Draft) -> None:
    """Inner nodes are spared."""
    rank = d.number("RANK", 0.5, 12.0, log=True)
    d.worth.append(f"worth += {rank} * level")
    if d.looks == "2":
        d.looks = "3"
    d.say("victim", f"A level counts {rank}.")


def victim_clean(d: Draft) -> None:
    """Clean pages go first: a dirty one costs a write."""
    stain = d.number("STAIN", 0.2, 4.0, log=True)
    d.worth += ["if dirty:", f"    worth += {stain}"]
    if d.looks == "2":
        d.looks = "3"
    d.say("victim", f"A dirty page counts {stain} more.")


# -- share: what threads tell one another


def share_calls(d: Draft) -> None:
    """One number a server: how long calls take; who learns of a jam tells the others."""
    news = d.number("NEWS", 0.1, 1.0, log=True)
    d.attribute("calls", "4.0")
    d.attribute("known", "4.0")
    d.done.insert(0, "if action == 2:")
    d.done.insert(1, "    self.calls += 0.05 * (us - self.calls)")
    d.publish = [
        "if slot > 0:",
        "    return central[slot]",
        "self.known = central[0]",
        f"if abs(self.calls - self.known) > {news} * (1.0 + self.known):",
        "    self.known = self.calls",
        "return self.known",
    ]
    if d.call:
        d.call += ["if self.known > 3.0 * (level + 1) * seen[1]:", "    call = False"]
    d.say(
        "state", f"A central number of the server says how long calls take, renewed when it is off by {news}."
    )


RULES: dict[str, Rule] = {
    f.__name__: f
    for f in (
        leaf_few,
        leaf_bar,
        leaf_again,
        leaf_power,
        leaf_hunger,
        bend_write,
        bend_scan,
        bend_family,
        bend_parent,
        offload_cost,
        offload_window,
        offload_cold,
        offload_mix,
        victim_heat,
        victim_level,
        victim_clean,
        share_calls,
    )
}
