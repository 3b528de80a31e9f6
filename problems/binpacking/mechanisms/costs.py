"""Rules on what an offer costs: the space left, the bin itself, and chance."""

from __future__ import annotations

from problems.binpacking.mechanisms.draft import Draft


def cost_fit(d: Draft) -> None:
    """Best fit."""
    fit = d.number("FIT", 0.01, 1.0, log=True)
    d.cost.append(f"value += {fit} * left / self.capacity")
    d.say("choose", f"Space left costs {fit} times its share of a bin.")


def cost_loose(d: Draft) -> None:
    """Worst fit."""
    loose = d.number("LOOSE", 0.002, 0.1, log=True)
    d.cost.append(f"value -= {loose} * left / self.capacity")
    d.say("choose", f"Space left is worth {loose} times its share of a bin.")


def cost_exact(d: Draft) -> None:
    """A bonus for a full bin."""
    exact = d.number("EXACT", 0.005, 0.5, log=True)
    d.cost += ["if left == 0:", f"    value -= {exact}"]
    d.say("choose", f"To fill a bin exactly is worth {exact}.")


def cost_bend(d: Draft) -> None:
    """A power of the space left."""
    bend = d.number("BEND", 0.01, 0.5, log=True)
    power = d.number("POWER", 0.2, 4.0, log=True)
    d.cost.append(f"value += {bend} * (left / self.capacity) ** {power}")
    d.say("choose", f"Space left costs {bend} times its share of a bin to the power of {power}.")


def cost_glow(d: Draft) -> None:
    """An exponential of the space left."""
    glow = d.number("GLOW", 0.01, 0.5, log=True)
    reach = d.number("REACH", 0.01, 0.2, log=True)
    d.cost.append(f"value -= {glow} * math.exp(-left / ({reach} * self.capacity))")
    d.say("choose", f"Closeness is worth {glow}, fading exponentially with each {reach} of a bin left.")


def cost_valley(d: Draft) -> None:
    """Leftovers of a middling size are avoided, as in the rule that FunSearch found for OR-Library."""
    valley = d.number("VALLEY", 0.01, 0.4, log=True)
    low = d.number("LOW", 0.01, 0.08, log=True)
    high = d.number("HIGH", 0.1, 0.35)
    d.cost += [f"if {low} * self.capacity < left < {high} * self.capacity:", f"    value += {valley}"]
    d.say("choose", f"A leftover between {low} and {high} of a bin costs {valley}.")


def cost_twin(d: Draft) -> None:
    """Room for the same item again."""
    twin = d.number("TWIN", 0.003, 0.2, log=True)
    d.cost += ["if left > 0 and left % item == 0:", f"    value -= {twin}"]
    d.say("choose", f"Space left into which the same size fits without rest is worth {twin}.")


def cost_grid(d: Draft) -> None:
    """Room for a whole number of mean items."""
    grid = d.number("GRID", 0.01, 0.4, log=True)
    mean = d.mean()
    d.cost += [f"parts = left / {mean}", f"value += {grid} * abs(parts - round(parts))"]
    d.say("choose", f"Space left costs {grid} times its distance from a whole number of mean items.")


def cost_reserve(d: Draft) -> None:
    """Roomy bins are kept for large items."""
    keep = d.number("KEEP", 0.01, 0.4, log=True)
    roomy = d.number("ROOMY", 0.3, 0.7)
    d.cost += [f"if free > {roomy} * self.capacity and item < {d.mean()}:", f"    value += {keep}"]
    d.say("choose", f"Bins with more than {roomy} free cost {keep} for an item below the mean size.")


def cost_elder(d: Draft) -> None:
    """Old bins first."""
    _age(d, d.number("ELDER", 0.003, 0.2, log=True), "-")
    d.say("choose", "Bins opened long ago are cheaper by ELDER times their age.")


def cost_youth(d: Draft) -> None:
    """Young bins first."""
    _age(d, d.number("YOUTH", 0.003, 0.2, log=True), "+")
    d.say("choose", "Bins opened lately are cheaper: YOUTH times the age is added.")


def cost_company(d: Draft) -> None:
    """Bins with many items first."""
    company = d.number("COMPANY", 0.005, 0.1, log=True)
    d.kit("Vector")
    d.attribute("members", "Vector()")
    d.packed.append("self.members.set(bin, self.members.get(bin) + 1)")
    d.cost.append(f"value -= {company} * self.members.get(bin)")
    d.say("state", "The number of items in each bin.")
    d.say("choose", f"Each item that a bin holds makes it cheaper by {company}.")


def cost_last(d: Draft) -> None:
    """The bin packed last first."""
    last = d.number("LAST", 0.003, 0.2, log=True)
    d.attribute("last", "-1")
    d.packed.append("self.last = bin")
    d.cost += ["if bin == self.last:", f"    value -= {last}"]
    d.say("choose", f"The bin that was packed last is cheaper by {last}.")


def cost_jitter(d: Draft) -> None:
    """Fixed likings between sizes and free spaces."""
    jitter = d.number("JITTER", 0.001, 0.1, log=True)
    d.kit("hash64")
    d.cost.append(f"value += {jitter} * 0.001 * (hash64(item, free) % 1000)")
    d.say("choose", f"Each size has fixed likings among the free spaces, up to {jitter}, by a hash of both.")


def _age(d: Draft, weight: str, sign: str) -> None:
    d.attribute("newest", "1")
    d.packed.append("self.newest = max(self.newest, bin)")
    d.cost.append(f"value {sign}= {weight} * (self.newest - bin) / self.newest")
