"""Fronts: a window in front of any structure, in which newcomers stay until they are let through or evicted.

The structure behind does not know of it: a front takes the structure's handles (how an object enters, leaves, moves
and is found) and puts its own around them. Each is a rule of the role ``front``, see :class:`Front`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from problems.cache.mechanisms.draft import Draft
from problems.composing.draft import indented

#: A line of a front's code that stands for letting an object through.
LET_THROUGH = "let through"
_CACHED = "(len(self.window) + self.inside)"


@dataclass(frozen=True)
class Front:
    """What tells one front from another, as lines of code.

    Attributes:
        share: Expression of the window's share of the cached objects.
        verdict: What happens to ``newcomer``, the last of a window that is too long; the lines return it, or let it
            through (``LET_THROUGH``).
        hit: What a hit in the window moves; ``LET_THROUGH`` is understood here, too.
    """

    share: str
    verdict: Sequence[str]
    hit: Sequence[str] = ()

    def put_before(self, d: Draft) -> None:
        """Wrap the structure that a draft has."""
        d.kit("List")
        d.attribute("window", "List(n_slots)")
        d.attribute("inside", "0")
        enter = _Call(d.enter)
        if "key" in enter.names:
            d.field("tag")
        d.method("let_in", enter.parameters, ["self.inside += 1", *d.enter])
        d.method("weakest", "now", d.find)
        room = f"{self.share} * {_CACHED}"
        newcomer = ["self.window.remove(newcomer)", enter.of("newcomer")]
        full = d.full()
        d.find = [
            f"while self.inside == 0 or len(self.window) >= max(1.0, {room}):",
            "    newcomer = self.window.back()",
            *indented(_replaced(self.verdict, newcomer)),
            "return self.weakest(now)",
        ]
        own = _replaced(self.hit, ["self.window.remove(slot)", enter.of("slot")])
        d.touch = _either("slot", own, d.touch)
        d.spare = _either("loser", ["self.window.remove(loser)", enter.of("loser")], d.spare)
        d.leave = ["if not self.window.discard(slot):", "    self.inside -= 1", *indented(d.leave)]
        if d.peer:
            d.peer = f"self.window.prev(loser) if loser in self.window else {d.peer}"
        d.enter = [
            *d.by_rank(["self.window.push_back(slot)"], ["self.window.push_front(slot)"], [enter.itself()]),
            # Until somebody has to go, who leaves the window is let through.
            f"while not {full} and len(self.window) > max(1.0, {room}):",
            "    newcomer = self.window.back()",
            *indented(newcomer),
        ]


class _Call:
    """A call of ``let_in``, which is ``lines``, with the arguments that these read.

    Args:
        lines: How the structure takes an object in.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        words = set(re.findall(r"(?<!\.)\b\w+", " ".join(lines)))
        read = (name for name in ("key", "now", "rank", "known", "remembered") if name in words)
        self.names = ("slot", *read)
        self.parameters = ", ".join(self.names)

    def itself(self) -> str:
        """Of the incoming object, in ``on_insert``."""
        return f"self.let_in({self.parameters})"

    def of(self, slot: str) -> str:
        """Of an object in the window."""
        values = {"slot": slot, "key": f"self.tag[{slot}]", "now": "now", "rank": "1"}
        return f"self.let_in({', '.join(values.get(name, 'False') for name in self.names)})"


def _replaced(lines: Sequence[str], through: Sequence[str]) -> list[str]:
    """Lines in which ``LET_THROUGH`` stands for letting somebody through."""
    result: list[str] = []
    for line in lines:
        text = line.lstrip()
        steps = (len(line) - len(text)) // 4
        result += indented(through, steps) if text == LET_THROUGH else [line]
    return result


def _either(slot: str, own: Sequence[str], behind: Sequence[str]) -> list[str]:
    """Lines for who is in the window, and for who is behind it."""
    if not own:
        return [f"if {slot} not in self.window:", *indented(behind)] if behind else []
    rest = ["else:", *indented(behind)] if behind else []
    return [f"if {slot} in self.window:", *indented(own), *rest]


_TO_FRONT = ("self.window.move_to_front(slot)",)


def _compete(d: Draft, share: str) -> Front:
    """The last of the window against the weakest behind it, by approximate counts of requests."""
    # A newcomer's own last request counts, too: it has to lead by at least that.
    lead = d.number("LEAD", 1, 3)
    counts = d.requests()
    verdict = [
        "if self.inside == 0:",
        "    return newcomer",
        "settled = self.weakest(now)",
        f"if {counts}.estimate(self.tag[newcomer]) <= {counts}.estimate(self.tag[settled]) + {lead}:",
        "    return newcomer",
        LET_THROUGH,
        "return settled",
    ]
    d.say(
        "victim",
        "If the window is longer than its share, its last object and the one who would go behind it compete: the"
        " one requested less often goes.",
    )
    return Front(share, verdict, _TO_FRONT)


def front_contest(d: Draft) -> None:
    """The window and filter of W-TinyLFU."""
    window = d.number("WINDOW", 0.005, 0.2, log=True)
    d.front = _compete(d, window)
    d.say(
        "state",
        f"In front a window for newcomers, a share of {window}, and approximate counts of all requests.",
    )


def front_climb(d: Draft) -> None:
    """The same with a window whose size climbs the hit ratio (as in Caffeine)."""
    stride = d.number("STRIDE_UP", 0.01, 0.2, log=True)
    season = d.number("TERM", 2.0, 30.0, log=True)
    d.attribute("share", "0.05")
    d.attribute("step", stride)
    d.attribute("hits", "0")
    d.attribute("began", "0")
    d.attribute("past", "0.0")
    d.hit.append("self.hits += 1")
    d.front = _compete(d, "self.share")
    d.method(
        "resize",
        "now",
        [
            "ratio = self.hits / (now - self.began)",
            "if ratio < self.past:",
            "    self.step = -self.step",
            "self.share = min(0.8, max(0.005, self.share + self.step))",
            "self.step *= 0.95",
            "self.past = ratio",
            "self.hits = 0",
            "self.began = now",
        ],
    )
    d.after_insert += [f"if now - self.began > {season} * self.room:", "    self.resize(now)"]
    d.say(
        "state",
        f"In front a window for newcomers; every {season} cache sizes of requests its share moves by a step, at first"
        f" {stride}: on if the hit ratio rose, else back.",
    )


def front_ghosts(d: Draft) -> None:
    """The same with a window that grows when it sent somebody away too early, and shrinks when the rest did."""
    learn = d.number("PULL_IN", 0.002, 0.1, log=True)
    memory = d.number("REACH", 0.5, 3.0, log=True)
    d.field("left")
    d.attribute("share", "0.05")
    d.attribute("was_new", "np.zeros(n_slots, dtype=np.bool_)")
    d.evict.append("self.was_new[slot] = slot in self.window")
    d.front = _compete(d, "self.share")
    # A ghost speaks for its side only if a side not much longer would still have had the object.
    d.on_return += [
        f"if {d.known}:",
        "    length = len(self.window) if self.was_new[slot] else self.inside",
        f"    if self.gone - self.left[slot] <= {memory} * length:",
        f"        way = {learn} if self.was_new[slot] else -{learn}",
        "        self.share = min(0.8, max(0.005, self.share + way))",
    ]
    d.say(
        "state",
        f"In front a window for newcomers. Who comes back before {memory} times its side's length were evicted changes"
        f" the window's share by {learn}: up if it was evicted from the window, else down.",
    )


def front_trial(d: Draft) -> None:
    """The small queue of S3-FIFO: hits on trial let an object through, and so does a quick return."""
    small = d.number("SMALL", 0.03, 0.4, log=True)
    passing = d.number("PASS", 1, 2)
    ghost = d.number("GHOST", 0.2, 1.5)
    d.count_hits()
    d.field("left")
    # The rank rules come later: they may know better.
    d.ranks.insert(0, f"if {d.known} and self.gone - self.left[slot] <= {ghost} * self.room:")
    d.ranks.insert(1, "    rank = 2")
    verdict = [
        f"if self.credit[newcomer] < {passing}:",
        "    return newcomer",
        "self.credit[newcomer] = 0",
        LET_THROUGH,
    ]
    d.front = Front(small, verdict)
    d.say("state", f"In front a queue in which newcomers are on trial, a share of {small}.")
    d.say("on_insert", f"One evicted less than {ghost} cache sizes of evictions ago is not tried again.")
    d.say(
        "victim",
        f"The oldest on trial if the queue is longer than its share, unless its hits have reached {passing}.",
    )


def front_nursery(d: Draft) -> None:
    """The queue of 2Q: the first hit lets an object through."""
    small = d.number("SMALL", 0.02, 0.6, log=True)
    d.front = Front(small, ["return newcomer"], [LET_THROUGH])
    d.say("state", f"In front a nursery, a share of {small}, in the order of arrival.")
    d.say("on_hit", "A child moves into the house behind.")
    d.say("victim", "The oldest child if the nursery is too full.")
