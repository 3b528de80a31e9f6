"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles and how many rules of each a policy takes: ``cost`` (what is for or against a bin), ``stock`` (costs by how many
bins have the same free space), ``pace`` (how the weight of stocks depends on the time), ``open`` (when a new bin is
weighed against open ones) and ``memory`` (how item sizes are remembered).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.binpacking.mechanisms import costs, knowledge
from problems.binpacking.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

#: How many rules of a role a policy takes at most.
PLACES = {"cost": 4, "stock": 1, "pace": 1, "open": 2, "memory": 1}


# -- stock: how many bins have as much free space


def stock_squares(d: Draft) -> None:
    """Sum of squares (Csirik, Johnson, Kenyon, Orlin, Shor and Weber, JACM 53, 2006), weighted."""
    crowd = d.number("CROWD", 0.003, 0.3, log=True)
    d.stock += [
        "if left > 0:",
        f"    crowd += {crowd} * (2 * {d.count('left')} + 1)",
        "if free < self.capacity:",
        f"    crowd -= {crowd} * (2 * {d.count('free')} - 1)",
    ]
    d.say(
        "choose", f"Growth of the sum of the squares of the numbers of bins by free space costs {crowd} each."
    )


def stock_power(d: Draft) -> None:
    """As sum of squares with another exponent."""
    crowd = d.number("CROWD", 0.003, 0.3, log=True)
    slope = d.number("SLOPE", 0.5, 2.5)
    d.stock += [
        "if left > 0:",
        f"    crowd += {crowd} * ({d.count('left')} + 1) ** {slope}",
        "if free < self.capacity:",
        f"    crowd -= {crowd} * {d.count('free')} ** {slope}",
    ]
    d.say(
        "choose",
        f"It costs {crowd} times the number of bins with the same free space, to the power of {slope}.",
    )


def stock_supply(d: Draft) -> None:
    """As sum of squares, but a size that is in demand may have a larger stock."""
    supply = d.number("SUPPLY", 0.001, 0.5, log=True)
    wanted = d.number("WANTED", 0.2, 20.0, log=True)
    d.sizes()
    d.method(
        "plenty",
        "free, count",
        [f"return count / (1.0 + {wanted} * self.capacity * self.seen[free] / max(1.0, self.total))"],
    )
    d.stock += [
        "if left > 0:",
        f"    crowd += {supply} * self.plenty(left, {d.count('left')} + 1)",
        "if free < self.capacity:",
        f"    crowd -= {supply} * self.plenty(free, {d.count('free')})",
    ]
    d.say("state", "How often each size came.")
    d.say(
        "choose",
        f"Bins alike in free space cost {supply} each, less by {wanted} if their space is a size in demand.",
    )


def stock_spread(d: Draft) -> None:
    """Shares of the open bins by free space are kept alike."""
    even = d.number("EVEN", 0.05, 2.0, log=True)
    waiting = d.waiting()
    d.stock += [
        "if left > 0:",
        f"    crowd += {even} * ({d.count('left')} + 1) / (1.0 + {waiting})",
        "if free < self.capacity:",
        f"    crowd -= {even} * {d.count('free')} / (1.0 + {waiting})",
    ]
    d.say("choose", f"It costs {even} times the share of the waiting bins that have the same free space.")


def stock_scarce(d: Draft) -> None:
    """Exponential prices (after Gupta and Radovanovic, arXiv 1211.2687): a free space that is scarce is dear."""
    scarce = d.number("SCARCE", 0.02, 1.0, log=True)
    ease = d.number("EASE", 0.05, 2.0, log=True)
    d.stock += [
        "if left > 0:",
        f"    crowd -= {scarce} * math.exp(-{ease} * {d.count('left')})",
        "if free < self.capacity:",
        f"    crowd += {scarce} * math.exp(-{ease} * ({d.count('free')} - 1))",
        "else:",
        f"    crowd += {scarce}",
    ]
    d.say(
        "choose",
        f"A free space has a price of {scarce}, lower by a factor e for each 1 / {ease} bins that have it; a new bin costs the full price.",
    )


# -- pace: the weight of stocks over time


def pace_ripe(d: Draft) -> None:
    """Stocks matter once the stream has proved long."""
    ripe = d.number("RIPE", 30, 5000, log=True)
    items = d.items()
    d.pace = f"({items} / ({items} + {ripe}))"
    d.say("on_packed", f"The weight of stocks grows with the items so far, to a half at {ripe}.")


def pace_root(d: Draft) -> None:
    """The weight of stocks grows without end."""
    growth = d.number("GROWTH", 0.1, 0.8)
    d.pace = f"(0.001 * (1.0 + {d.items()})) ** {growth}"
    d.say("on_packed", f"The weight of stocks grows with the items so far to the power of {growth}.")


def pace_wane(d: Draft) -> None:
    """Stocks matter less the more of them there are."""
    wane = d.number("WANE", 0.5, 6.0, log=True)
    d.pace = f"(1.0 / (1.0 + {wane} * {d.waiting()} / (1.0 + {d.items()})))"
    d.say("on_packed", f"The weight of stocks falls by {wane} times the waiting bins per item.")


# -- open: when a new bin is weighed against open ones


def open_free(d: Draft) -> None:
    """A new bin is one offer more."""
    price = d.number("PRICE", 0.001, 0.2, log=True)
    d.opens = True
    d.price.append(price)
    d.say("new_bin", f"A new bin is weighed like an open one, and costs {price} more.")


def open_target(d: Draft) -> None:
    """A stock of waiting bins is kept."""
    target = d.number("TARGET", 0.03, 1.0, log=True)
    firm = d.number("FIRM", 0.002, 0.05, log=True)
    d.opens = True
    d.price.append(f"{firm} * ({d.waiting()} / (1.0 + {target} * {d.items()} ** 0.5) - 1.0)")
    d.say(
        "new_bin",
        f"A stock of {target} times the root of the items so far is wanted; a new bin is dearer above it, cheaper below.",
    )


def open_thaw(d: Draft) -> None:
    """New bins become cheaper with time."""
    frost = d.number("FROST", 0.05, 2.0, log=True)
    thaw = d.number("THAW", 0.2, 1.0)
    d.opens = True
    d.price.append(f"{frost} * (1.0 + {d.items()}) ** -{thaw}")
    d.say("new_bin", f"A new bin costs {frost} more, falling with the items so far to the power of {thaw}.")


def open_gap(d: Draft) -> None:
    """Only to avoid a useless gap."""
    hole = d.number("HOLE", 0.05, 0.5)
    d.opens = True
    d.gates += ["gap > 0", f"gap < {hole} * self.capacity"]
    d.say(
        "new_bin",
        f"A new bin is weighed if the best open one would be left with less than {hole}, but not full.",
    )


def open_limit(d: Draft) -> None:
    """Only while few bins wait."""
    limit = d.number("LIMIT", 0.1, 2.0, log=True)
    d.opens = True
    d.gates.append(f"{d.waiting()} < {limit} * {d.items()} ** 0.5")
    d.say(
        "new_bin",
        f"A new bin is weighed while fewer than {limit} times the root of the items so far are waiting.",
    )


def open_large(d: Draft) -> None:
    """Only for large items."""
    large = d.number("LARGE", 0.5, 1.5)
    d.opens = True
    d.gates.append(f"item > {large} * {d.mean()}")
    d.say("new_bin", f"A new bin is weighed for items above {large} times the mean size.")


def open_beat(d: Draft) -> None:
    """Only for every so many-th item."""
    every = d.number("EVERY", 2, 8)
    d.opens = True
    d.gates.append(f"{d.items()} % {every} == 0")
    d.say("new_bin", f"A new bin is weighed for one item in {every}.")


def open_luck(d: Draft) -> None:
    """Only by chance."""
    luck = d.number("LUCK", 0.1, 0.9)
    d.opens = True
    d.gates.append(f"{d.rng()}.uniform() < {luck}")
    d.say("new_bin", f"A new bin is weighed by lot, with probability {luck}.")


RULES: dict[str, Rule] = {
    name: function
    for name, function in [*globals().items(), *vars(costs).items(), *vars(knowledge).items()]
    if name.partition("_")[0] in PLACES and callable(function)
}
