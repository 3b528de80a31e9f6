"""Rules on what objects have earned: ``worth``, how it fades with ``age``, and ``memory`` of it over evictions."""

from __future__ import annotations

from problems.cache.mechanisms.draft import Draft

#: Worth that tells good from bad only together with another.
MINOR_WORTHS = ("worth_size", "worth_jitter", "worth_senior")


# -- worth: factors


def worth_count(d: Draft) -> None:
    """Frequency."""
    power = d.number("FREQUENCY", 0.3, 3.0, log=True)
    d.count_hits(wide=True)
    d.terms.append(f"(1.0 + self.credit[slot]) ** {power}")
    d.say("state", f"Worth grows with the count of hits to the power of {power}.")


def worth_fame(d: Draft) -> None:
    """Frequency of all requests, also of those before an object came in."""
    power = d.number("FAME", 0.3, 3.0, log=True)
    counts = d.requests()
    d.terms.append(f"(1.0 + {counts}.estimate(self.tag[slot])) ** {power}")
    d.say("state", f"Worth grows with the approximate count of all requests to the power of {power}.")


def worth_recent(d: Draft) -> None:
    """Recency."""
    power = d.number("RECENCY", 0.2, 2.0, log=True)
    d.field("seen")
    d.terms.append(f"(1.0 + now - self.seen[slot]) ** -{power}")
    d.say("state", f"Worth falls with the time since the last use to the power of {power}.")


def worth_rate(d: Draft) -> None:
    """Frequency over time in the cache (hyperbolic caching)."""
    grace = d.number("GRACE", 0.05, 2.0, log=True)
    d.count_hits(wide=True)
    d.field("born")
    d.terms.append(f"(1.0 + self.credit[slot]) / ({grace} * self.room + now - self.born[slot])")
    d.say("state", f"Worth is the rate of hits since arrival, with {grace} cache sizes of grace.")


def worth_rhythm(d: Draft) -> None:
    """Expected time of the next request."""
    d.field("gap")
    overdue = d.number("OVERDUE", 0.3, 3.0, log=True)
    d.terms.append(
        f"1.0 / (1.0 + self.gap[slot] + {overdue} * max(0.0, now - self.seen[slot] - self.gap[slot]))"
    )
    d.say("state", f"Worth falls with the usual gap between requests, and by {overdue} with being overdue.")


def worth_size(d: Draft) -> None:
    """Size; without effect where all sizes are 1."""
    d.attribute("weight", "np.ones(n_slots)")
    bulk = d.number("BULK", 0.2, 1.5)
    d.note += ["self.weight[slot] = max(1.0, float(size))"]
    d.terms.append(f"self.weight[slot] ** -{bulk}")
    d.say("state", f"Worth falls with the size to the power of {bulk}.")


def worth_jitter(d: Draft) -> None:
    """A fixed random factor."""
    noise = d.number("NOISE", 0.05, 1.0, log=True)
    d.field("tag")
    d.kit("hash64")
    d.terms.append(f"(0.001 * (1 + hash64(self.tag[slot], 2) % 1000)) ** {noise}")
    d.say("state", f"Each object has a character, a fixed random factor of its worth of strength {noise}.")


def worth_returns(d: Draft) -> None:
    """Returns after evictions."""
    d.field("returns")
    bonus = d.number("BONUS", 0.3, 4.0, log=True)
    d.terms.append(f"(1.0 + {bonus} * self.returns[slot])")
    d.say("state", f"Each return after an eviction adds {bonus} to the worth.")


def worth_senior(d: Draft) -> None:
    """Time in the cache."""
    weight = d.number("SENIORITY", 0.03, 0.6, log=True)
    d.field("born")
    d.terms.append(f"(1.0 + now - self.born[slot]) ** {weight}")
    d.say("state", f"Worth grows with the time in the cache to the power of {weight}.")


# -- age: fading merits


def age_halve(d: Draft) -> None:
    """All counts are halved from time to time."""
    season = d.number("SEASON", 1.0, 30.0, log=True)
    d.count_hits(spent=False)
    d.attribute("season", "0")
    d.after_insert += [
        f"if now > self.season + {season} * self.room:",
        "    self.season = now",
        "    for i in range(self.credit.size):",
        "        self.credit[i] //= 2",
    ]
    d.say("state", f"Every {season} cache sizes of requests all counts are halved.")


def age_sweep(d: Draft) -> None:
    """A pointer goes round and lowers counts one by one."""
    stride = d.number("STRIDE", 1, 4)
    d.count_hits(spent=False)
    d.attribute("sweep", "0")
    d.evict += [
        f"for _ in range({stride}):",
        "    self.sweep = (self.sweep + 1) % self.credit.size",
        "    self.credit[self.sweep] = max(0, self.credit[self.sweep] - 1)",
    ]
    d.say(
        "on_evict",
        f"A pointer goes round all slots, {stride} per eviction, and takes one from the count it finds.",
    )


def age_erode(d: Draft) -> None:
    """Counts of random slots shrink."""
    blows = d.number("BLOWS", 1, 4)
    d.count_hits(spent=False)
    d.evict += [
        f"for _ in range({blows}):",
        f"    worn = {d.rng()}.below(self.credit.size)",
        "    self.credit[worn] = max(0, self.credit[worn] - 1)",
    ]
    d.say("on_evict", f"{blows} slots drawn by lot lose one from their count.")


def age_lazy(d: Draft) -> None:
    """A count is halved at the first hit after a pause."""
    half = d.number("HALF", 0.3, 10.0, log=True)
    d.count_hits(spent=False)
    d.hit += [f"if idle > {half} * self.room:", "    self.credit[slot] //= 2"]
    d.say("on_hit", f"After a pause of more than {half} cache sizes its count is halved first.")


# -- memory: an object's past


def memory_boost(d: Draft) -> None:
    """A ghost earns a better place."""
    memory = d.number("MEMORY", 0.2, 2.0)
    d.field("left")
    d.ranks += [f"if {d.known} and self.gone - self.left[slot] <= {memory} * self.room:", "    rank = 2"]
    d.say("on_insert", "One that was evicted not long ago gets a favoured place.")
    d.say("on_evict", f"It is remembered for {memory} cache sizes of evictions.")


def memory_carry(d: Draft) -> None:
    """Counts outlive an eviction."""
    d.count_hits(spent=False)
    d.field("asked")
    d.carries = True
    d.say(
        "on_evict", "Its count of requests is kept; if it comes back within memory half of it is still valid."
    )


def memory_sour(d: Draft) -> None:
    """A long absence earns a worse place."""
    d.field("left")
    memory = d.number("SOUR", 0.1, 1.5)
    d.ranks += [f"if {d.known} and self.gone - self.left[slot] > {memory} * self.room:", "    rank = 0"]
    d.say(
        "on_insert",
        f"One that stayed away for more than {memory} cache sizes of evictions comes in as next to go.",
    )
