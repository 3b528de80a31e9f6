"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles and how many rules of each a policy takes: ``front`` (what newcomers have to pass), ``hit`` (which hits count), ``insert`` (where an object enters),
``admit`` (whether it enters at all), ``guard`` (who is spared at the last moment), ``worth`` (what an object is worth
keeping), ``age`` (how old merits fade) and ``memory`` (what is made of an object's past).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.cache.mechanisms import fronts, merits
from problems.cache.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

#: How many rules of a role a policy takes at most.
PLACES = {"front": 1, "hit": 1, "insert": 2, "admit": 1, "guard": 2, "worth": 3, "age": 1, "memory": 2}


# -- hit: conditions for a hit to have its effect


def hit_every(d: Draft) -> None:
    """Hits have an effect on a beat."""
    every = d.number("EVERY", 2, 4)
    d.attribute("beat", "0")
    d.hit.append("self.beat += 1")
    d.field("asked")
    d.gates.append(f"(self.asked[slot] == 1 or self.beat % {every} == 0)")
    d.say("on_hit", f"After an object's first hit, only one hit of the cache in {every} has this effect.")


def hit_rest(d: Draft) -> None:
    """A burst of hits counts once."""
    rest = d.number("REST", 0.02, 1.0, log=True)
    d.field("woke")
    d.gates.append(f"now - self.woke[slot] > {rest} * self.room")
    d.say(
        "on_hit",
        f"Hits that follow a counted one within {rest} of the cache's size in requests do not count.",
    )


def hit_luck(d: Draft) -> None:
    """Hits have an effect by chance."""
    luck = d.number("HIT_LUCK", 0.1, 0.9)
    d.field("asked")
    d.gates.append(f"(self.asked[slot] == 1 or {d.rng()}.uniform() < {luck})")
    d.say("on_hit", f"After the first hit this happens by lot, with probability {luck}.")


def hit_proven(d: Draft) -> None:
    """An effect only after several hits."""
    proven = d.number("PROVEN", 1, 3)
    d.field("asked")
    d.gates.append(f"self.asked[slot] > {proven}")
    d.say("on_hit", f"The first {proven} hits of its stay have no effect yet.")


def hit_mate(d: Draft) -> None:
    """A hit is shared with the object that came in just before."""
    d.count_hits(spent=False)
    d.attribute("mate", "np.full(n_slots, -1, dtype=np.int64)")
    d.attribute("latest", "-1")
    share = d.number("SHARE", 0.1, 1.0)
    d.hit += [
        f"if {d.rng()}.uniform() < {share} and self.mate[slot] >= 0:",
        "    self.credit[self.mate[slot]] += 1",
    ]
    d.after_insert += ["self.mate[slot] = self.latest", "self.latest = slot"]
    d.say("on_hit", f"The object that came just before it is credited too, with probability {share}.")


# -- insert: ranks


def insert_bimodal(d: Draft) -> None:
    """Bimodal insertion: most newcomers go next, against loops."""
    luck = d.number("IN_LUCK", 0.01, 0.5, log=True)
    d.ranks += [f"if not {d.known} and {d.rng()}.uniform() >= {luck}:", "    rank = 0"]
    d.say(
        "on_insert",
        f"A stranger comes in as the next to go; only with probability {luck} it gets an ordinary place.",
    )


def insert_cyclic(d: Draft) -> None:
    """As bimodal insertion, but counted off."""
    every = d.number("IN_EVERY", 2, 64, log=True)
    d.attribute("arrivals", "0")
    d.ranks += ["self.arrivals += 1", f"if not {d.known} and self.arrivals % {every} != 0:", "    rank = 0"]
    d.say(
        "on_insert", f"One arrival in {every} gets an ordinary place, other strangers come in as next to go."
    )


def insert_chosen(d: Draft) -> None:
    """Good places for a fixed part of all keys, which a loop cannot wash out."""
    share = d.number("CHOSEN", 0.03, 0.6, log=True)
    d.kit("hash64")
    d.ranks += [f"if not {d.known} and hash64(key, 3) % 1000 >= 1000.0 * {share}:", "    rank = 0"]
    d.say(
        "on_insert",
        f"A fixed share of {share} of all objects, by their hash, gets good places, other strangers bad ones.",
    )


def insert_wave(d: Draft) -> None:
    """A run of misses is a scan."""
    run = d.number("RUN", 3, 60, log=True)
    d.attribute("run", "0")
    d.hit.append("self.run = 0")
    d.ranks += ["self.run += 1", f"if self.run > {run}:", "    rank = 0"]
    d.say(
        "on_insert",
        f"After {run} misses without a hit between them a scan is assumed: who arrives is next to go.",
    )


def insert_jury(d: Draft) -> None:
    """Set duelling between two ways to insert."""
    leaders = d.number("LEADERS", 8, 64, log=True)
    d.kit("hash64")
    d.attribute("verdict", "0")
    d.ranks += [
        f"jury = hash64(key, 9) % {leaders}",
        "if jury == 0:",
        "    self.verdict = min(self.verdict + 1, 512)",
        "elif jury == 1:",
        "    self.verdict = max(self.verdict - 1, -512)",
        # Leaders of group 0 always enter in front, of group 1 behind; a miss speaks against its group.
        "if jury == 1 or (jury != 0 and self.verdict > 0):",
        f"    if {d.rng()}.uniform() >= 0.03:",
        "        rank = 0",
    ]
    d.say(
        "on_insert",
        f"Two groups of objects, one in {leaders} each, always enter in front or behind; their misses are compared and all"
        " others do as the better group.",
    )


def insert_drought(d: Draft) -> None:
    """With few hits newcomers go next, so that part of a loop stays."""
    dry = _wetness(d)
    d.ranks += [f"if self.water < {dry}:", "    rank = 0"]
    d.say("on_insert", f"While the recent share of hits is below {dry}, who arrives is next to go.")


def insert_familiar(d: Draft) -> None:
    """A table of fingerprints recognises who was here."""
    span = d.number("IN_SPAN", 1, 8)
    _door(d, span)
    d.ranks += [f"if self.door[{_CELL}] == key:", "    rank = 2", f"self.door[{_CELL}] = key"]
    d.say("on_insert", "One whose mark is still in a table of recent arrivals gets a favoured place.")


def insert_merit(d: Draft) -> None:
    """A newcomer that is requested less often than the one who would go is the next to go."""
    ahead = d.number("AHEAD", 0, 2)
    counts = d.requests()
    d.attribute("bar", "0")
    d.evict.append(f"self.bar = {counts}.estimate(key)")
    d.ranks += [f"if {d.full()} and {counts}.estimate(key) <= self.bar + {ahead}:", "    rank = 0"]
    d.say(
        "on_insert",
        f"One that was requested at most {ahead} times more than the object evicted for it comes in as next to go.",
    )


# -- admit


def admit_second(d: Draft) -> None:
    """Admission at the second request, while the slot remembers."""
    waive = d.number("WAIVE", 0.0, 0.3)
    met = _met(d)
    d.admit += [
        f"if {d.full()} and not ({met}) and {d.rng()}.uniform() >= {waive}:",
        "    self.met[slot] = key",
        "    return False",
        "return True",
    ]
    d.say(
        "admission",
        f"Once the cache is full, an object is let in at its second request within memory (or by lot, {waive}).",
    )


def admit_door(d: Draft) -> None:
    """Admission by a table of fingerprints with a longer memory than the slots."""
    span = d.number("SPAN", 1, 16, log=True)
    _door(d, span)
    full = d.full()
    d.admit += [
        f"known = self.door[{_CELL}] == key",
        f"self.door[{_CELL}] = key",
        f"return known or not {full}",
    ]
    d.say("admission", f"It must have left its mark before in a table of {span} marks per cached object.")


def admit_lottery(d: Draft) -> None:
    """Admission by chance."""
    luck = d.number("ADMIT_LUCK", 0.05, 0.9, log=True)
    d.field("tag")
    d.admit += [f"return not {d.full()} or self.tag[slot] == key or {d.rng()}.uniform() < {luck}"]
    d.say(
        "admission", f"Once the cache is full a lot decides which strangers get in, with probability {luck}."
    )


def admit_merit(d: Draft) -> None:
    """Admission by comparison of approximate counts."""
    margin = d.number("MARGIN", 0, 3)
    counts = d.requests()
    d.admit += [
        f"if not {d.full()}:",
        "    return True",
        "rival = self.tag[self.candidate(now)]",
        f"return {counts}.estimate(key) + {margin} > {counts}.estimate(rival)",
    ]
    d.say(
        "admission",
        f"Its approximate count of requests, with a head start of {margin}, must exceed that of the one who would go.",
    )


def admit_tide(d: Draft) -> None:
    """Admission in phases."""
    wave = d.number("WAVE", 0.2, 8.0, log=True)
    ebb = d.number("EBB", 0.2, 0.9)
    d.field("tag")
    full = d.full()
    d.admit += [
        f"period = {wave} * self.room + 2.0",
        f"return not {full} or self.tag[slot] == key or now % period >= {ebb} * period",
    ]
    d.say(
        "admission",
        f"Admission comes in waves of {wave} cache sizes; for a share of {ebb} of each no stranger gets in.",
    )


def admit_drought(d: Draft) -> None:
    """With few hits nobody is admitted."""
    dry = _wetness(d)
    luck = d.number("DRY_LUCK", 0.005, 0.2, log=True)
    d.admit += [f"return not {d.full()} or self.water >= {dry} or {d.rng()}.uniform() < {luck}"]
    d.say(
        "admission",
        f"While the recent share of hits is below {dry}, nobody is let in but by a lot of {luck}: what is here is as good.",
    )


def admit_regret(d: Draft) -> None:
    """A chance of admission that learns from its errors."""
    learn = d.number("LEARN", 0.01, 0.3, log=True)
    d.count_hits()
    met = _met(d)
    d.attribute("gate", "1.0")
    d.admit += [
        f"if not {d.full()}:",
        "    return True",
        f"if {met}:",
        f"    self.gate = min(1.0, self.gate + {learn})",
        f"if {d.rng()}.uniform() < max(0.02, self.gate):",
        "    return True",
        "self.met[slot] = key",
        "return False",
    ]
    d.evict += ["if self.credit[slot] == 0:", f"    self.gate = max(0.0, self.gate - {learn})"]
    d.say(
        "admission",
        f"A gate that learns: eviction without a hit closes it by {learn}, a return opens it again.",
    )


# -- guard: who is spared


def guard_credit(d: Draft) -> None:
    """Second chance."""
    d.count_hits()
    d.guards.append(("self.credit[loser] > 0", ["self.credit[loser] -= 1"]))
    d.say("victim", "Whoever has been hit since pays one hit and is spared.")


def guard_young(d: Draft) -> None:
    """Newcomers are spared."""
    young = d.number("YOUNG", 0.05, 1.5, log=True)
    d.field("born")
    d.guards.append((f"now - self.born[loser] < {young} * self.room", []))
    if d.gives(0):
        # Who comes in as next to go is no guest.
        d.after_insert += ["if rank == 0:", "    self.born[slot] = now - 2 * self.room"]
    d.say("victim", f"A newcomer is spared for {young} cache sizes of requests.")


def guard_pinned(d: Draft) -> None:
    """A fixed part of all keys is spared."""
    share = d.number("PINNED", 0.02, 0.4, log=True)
    d.field("tag")
    d.kit("hash64")
    d.guards.append((f"hash64(self.tag[loser], 7) % 1000 < 1000.0 * {share}", []))
    d.say(
        "victim", f"A fixed share of {share} of the objects, chosen by hash, is passed over while tries last."
    )


def guard_returned(d: Draft) -> None:
    """Who came back is spared."""
    d.field("returns")
    d.guards.append(("self.returns[loser] > 0", ["self.returns[loser] -= 1"]))
    d.say("victim", "One that has been evicted before and came back is spared once for each return.")


def guard_due(d: Draft) -> None:
    """Who is expected is spared."""
    slack = d.number("SLACK", 1.0, 4.0)
    d.field("gap")
    d.guards.append(
        (f"now - self.seen[loser] < {slack} * self.gap[loser] and self.gap[loser] < self.room", [])
    )
    d.say(
        "victim", f"One that usually comes back soon is spared until {slack} of its usual gaps have passed."
    )


def _met(d: Draft) -> str:
    """Condition that the incoming object's slot is about itself, from a stay or from having been turned away."""
    d.field("tag")
    d.attribute("met", "np.zeros(n_slots, dtype=np.int64)")
    return "self.tag[slot] == key or self.met[slot] == key"


def _wetness(d: Draft) -> str:
    """Keep the recent share of hits; returns the limit below which it is called a drought."""
    dry = d.number("DRY", 0.1, 0.6)
    pace = d.number("PACE", 0.002, 0.05, log=True)
    d.attribute("water", "0.5")
    d.hit.append(f"self.water += {pace} * (1.0 - self.water)")
    d.miss.append(f"self.water -= {pace} * self.water")
    return dry


_CELL = "hash64(key, 4) % self.door.size"


def _door(d: Draft, span: str) -> None:
    d.kit("hash64")
    d.attribute("door", f"np.zeros({span} * min(capacity, n_slots) + 16, dtype=np.int64)")


RULES: dict[str, Rule] = {
    name: function
    for name, function in [*globals().items(), *vars(fronts).items(), *vars(merits).items()]
    if name.partition("_")[0] in PLACES and callable(function)
}
