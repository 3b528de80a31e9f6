"""Rules that learn from the sizes seen: what a leftover is good for, and for how long a size is remembered."""

from __future__ import annotations

from problems.binpacking.mechanisms.draft import Draft


def cost_outlook(d: Draft) -> None:
    """What a placement adds to the waste to be expected, see :func:`_outlook`."""
    patience = _outlook(d)
    d.cost += ["value += self.waste[left]", "if free < self.capacity:", "    value -= self.waste[free]"]
    d.say("state", "How often each size came; from it the waste to be expected of each free space.")
    d.say(
        "choose",
        f"A bin costs by how much the waste to be expected grows, if {patience} items may pass by before one must be"
        " taken.",
    )


def stock_future(d: Draft) -> None:
    """Sum of squares over free spaces with a future: each counts by the part of it that is not expected to be wasted.

    Bins that wait for the same items stand in each other's way; a space that nothing will fill is lost however many
    bins have it (the authors of sum of squares, see ``stock_squares``, treat such dead ends apart, too).
    """
    crowd = d.number("CROWD", 0.001, 0.1, log=True)
    patience = _outlook(d)
    d.method("future", "free", ["return 1.0 - self.waste[free] * self.capacity / free"])
    d.stock += [
        "if left > 0:",
        f"    crowd += {crowd} * self.future(left) * (2 * {d.count('left')} + 1)",
        "if free < self.capacity:",
        f"    crowd -= {crowd} * self.future(free) * (2 * {d.count('free')} - 1)",
    ]
    d.say("state", "How often each size came; from it the part of each free space that will be of use.")
    d.say(
        "choose",
        f"Growth of the sum of the squares of the numbers of bins by free space costs {crowd} each, less for a space"
        f" that will mostly be wasted although {patience} items may pass by.",
    )


def _outlook(d: Draft) -> str:
    """Keep ``self.waste``: expected waste of a free space if, each time, the best of several items to come is put in.

    Returns the constant of how many items pass by (their number is Poisson distributed) before one must be taken.
    Levels are kept in the order of their waste, so that the first that an item leads to is the best.
    """
    patience = d.number("PATIENCE", 8.0, 80.0, log=True)
    d.attribute("order", "np.zeros(capacity + 1, dtype=np.int64)")
    d.attribute("missed", "np.ones(capacity + 1)")
    d.table(
        "waste",
        "capacity + 1",
        [
            "for size in range(1, self.capacity + 1):",
            f"    self.missed[size] = math.exp(-{patience} * self.seen[size] / self.total)",
            "for gap in range(1, self.capacity + 1):",
            "    chance = 1.0",
            "    expected = 0.0",
            "    for i in range(gap):",
            "        level = self.order[i]",
            "        rest = chance * self.missed[gap - level]",
            "        expected += (chance - rest) * self.waste[level]",
            "        chance = rest",
            "        if chance < 0.001:",
            "            break",
            "    expected += chance * gap / self.capacity",
            "    self.waste[gap] = expected",
            "    i = gap",
            "    while i > 1 and self.waste[self.order[i - 1]] > expected:",
            "        self.order[i] = self.order[i - 1]",
            "        i -= 1",
            "    self.order[i] = gap",
        ],
    )
    return patience


def cost_demand(d: Draft) -> None:
    """Leftovers as large as a common item."""
    demand = d.number("DEMAND", 0.001, 0.1, log=True)
    d.sizes()
    d.cost.append(f"value -= {demand} * self.capacity * self.seen[left] / max(1.0, self.total)")
    d.say("state", "How often each size came.")
    d.say(
        "choose",
        f"A leftover is worth {demand} times how much more common its size is than the average size.",
    )


def cost_pairs(d: Draft) -> None:
    """Leftovers that one or several items fill exactly (renewal density of the sizes seen)."""
    pairs = d.number("PAIRS", 0.003, 0.2, log=True)
    d.table(
        "sums",
        "capacity + 1",
        [
            "mean = 0.0",
            "for size in range(1, self.capacity + 1):",
            "    mean += size * self.seen[size] / self.total",
            "self.sums[0] = 1.0",
            "for gap in range(1, self.capacity + 1):",
            "    hit = 0.0",
            "    for size in range(1, gap + 1):",
            "        hit += self.seen[size] * self.sums[gap - size]",
            "    self.sums[gap] = hit / self.total",
            "for gap in range(self.capacity + 1):",
            "    self.sums[gap] *= mean",
        ],
    )
    d.cost.append(f"value -= {pairs} * self.sums[left]")
    d.say("state", "How often each size came; from it the chance that coming items sum up to a given space.")
    d.say(
        "choose",
        f"A leftover is worth {pairs} times the chance that items fill it exactly, in units of the usual one.",
    )


def cost_dead(d: Draft) -> None:
    """Leftovers below almost all sizes."""
    dead = d.number("DEAD", 0.01, 0.5, log=True)
    rare = d.number("RARE", 0.005, 0.2, log=True)
    d.table(
        "useful",
        "1",
        [
            "below = 0.0",
            "smallest = 0",
            f"while smallest < self.capacity and below <= {rare} * self.total:",
            "    smallest += 1",
            "    below += self.seen[smallest]",
            "self.useful[0] = smallest",
        ],
    )
    d.cost += ["if 0 < left < self.useful[0]:", f"    value += {dead}"]
    d.say("state", "How often each size came.")
    d.say("choose", f"A leftover below all sizes but the smallest {rare} of the items costs {dead}.")


def cost_echo(d: Draft) -> None:
    """Leftovers as large as one of the last items."""
    echo = d.number("ECHO", 0.003, 0.2, log=True)
    span = d.number("SPAN", 4, 64, log=True)
    d.kit("Ring")
    d.attribute("latest", f"Ring({span})")
    d.attribute("recent", "np.zeros(capacity + 1, dtype=np.int64)")
    d.packed += [
        "if self.latest.full():",
        "    self.recent[self.latest.pop()] -= 1",
        "self.latest.push(item)",
        "self.recent[item] += 1",
    ]
    d.cost += ["if self.recent[left] > 0:", f"    value -= {echo}"]
    d.say("state", f"The last {span} sizes.")
    d.say("choose", f"A leftover equal to one of them is worth {echo}.")


# -- memory: how sizes are remembered


def memory_fade(d: Draft) -> None:
    """Old counts fade."""
    season = d.number("SEASON", 50, 2000, log=True)
    d.sizes()
    d.learn = [
        "self.seen[item] += 1.0",
        "self.total += 1.0",
        f"if self.items % {season} == 0:",
        "    self.total *= 0.5",
        "    for size in range(self.seen.size):",
        "        self.seen[size] *= 0.5",
    ]
    d.say("on_packed", f"Every {season} items all counts of sizes are halved.")


def memory_blur(d: Draft) -> None:
    """A size also counts as its neighbours."""
    blur = d.number("BLUR", 0.05, 0.9)
    width = d.number("WIDTH", 1, 4)
    d.sizes()
    d.learn = [
        f"for near in range(max(1, item - {width}), min(self.capacity, item + {width}) + 1):",
        f"    count = {blur} ** abs(near - item)",
        "    self.seen[near] += count",
        "    self.total += count",
    ]
    d.say("on_packed", f"A size counts as its neighbours up to {width} away, too, less by {blur} a step.")


def memory_school(d: Draft) -> None:
    """Only the first items teach."""
    school = d.number("SCHOOL", 100, 5000, log=True)
    d.sizes()
    d.learn = [f"if self.items <= {school}:", "    self.seen[item] += 1.0", "    self.total += 1.0"]
    d.say("on_packed", f"Sizes are counted for the first {school} items only.")


def memory_prior(d: Draft) -> None:
    """Prejudice: any size up to a share of a bin is thought possible beforehand."""
    prior = d.number("PRIOR", 1.0, 100.0, log=True)
    widest = d.number("WIDEST", 0.3, 1.0)
    d.sizes()
    d.learn = [
        "if self.items == 1:",
        f"    self.total = {prior}",
        f"    widest = max(1, int({widest} * self.capacity))",
        "    for size in range(1, widest + 1):",
        f"        self.seen[size] += {prior} / widest",
        "self.seen[item] += 1.0",
        "self.total += 1.0",
    ]
    d.say(
        "on_packed",
        f"The count of sizes begins with {prior} imagined items of all sizes up to {widest} of a bin.",
    )
