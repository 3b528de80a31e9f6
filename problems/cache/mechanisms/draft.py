"""A cache policy under construction: structures and rules add lines and prose, the draft puts them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from problems import composing
from problems.composing.draft import indented, written

if TYPE_CHECKING:
    from problems.cache.mechanisms.fronts import Front


@dataclass(frozen=True)
class _Field:
    """A number per slot with its upkeep; ``{known}`` says whether the slot's past is this object's own."""

    dtype: str
    insert: tuple[str, ...]
    hit: tuple[str, ...] = ()
    evict: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


# In the order of their upkeep: gap reads the old time in seen, credit may start from asked.
_FIELDS: dict[str, _Field] = {
    "gap": _Field(
        "float64",
        (
            "if {known}:",
            "    self.gap[slot] += BLEND * (now - self.seen[slot] - self.gap[slot])",
            "else:",
            "    self.gap[slot] = self.room",
        ),
        ("self.gap[slot] += BLEND * (idle - self.gap[slot])",),
        needs=("seen",),
    ),
    "seen": _Field("int64", ("self.seen[slot] = now",)),
    "born": _Field("int64", ("self.born[slot] = now",)),
    "returns": _Field("int64", ("self.returns[slot] = self.returns[slot] + 1 if {known} else 0",)),
    "asked": _Field("int64", ("self.asked[slot] = 0",), ("self.asked[slot] += 1",)),
    "woke": _Field("int64", ("self.woke[slot] = now",)),
    "left": _Field("int64", (), evict=("self.gone += 1", "self.left[slot] = self.gone")),
    "credit": _Field("int64", ("self.credit[slot] = 0",)),
    "tag": _Field("int64", ("self.tag[slot] = key",)),
}
_CARRY = {
    "self.asked[slot] = 0": "self.asked[slot] = self.asked[slot] // 2 if {known} else 0",
    "self.credit[slot] = 0": "self.credit[slot] = min(MOST, self.asked[slot])",
}


class Draft(composing.Draft):
    """Collects a cache policy's constants, state, method bodies and the prose of its design.

    Attributes are lines of code (without indentation of the method), by where they go.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        super().__init__(numbers, rng)
        self._fields: set[str] = set()
        self._wide = False
        self._spent = False
        self.setup: list[str] = []
        """Statements at the end of ``__init__``."""
        self.hit: list[str] = []
        """What every hit does; ``idle`` is the time since the last one."""
        self.gates: list[str] = []
        """Conditions for a hit to have its effect."""
        self.touch: list[str] = []
        """The effect of a hit: moves of the structure."""
        self.lazy = False
        """Whether the effect is that the hit is counted."""
        self.sees_gated = False
        """Whether the time of the last use is part of the effect."""
        self.miss: list[str] = []
        """What every miss does."""
        self.admit: list[str] = []
        """Body of ``admit``; empty if everything is admitted."""
        self.find: list[str] = []
        """Body of ``candidate``, which names who is to go."""
        self.before_victim: list[str] = []
        """What happens before a victim is sought."""
        self.guards: list[tuple[str, list[str]]] = []
        """Conditions under which ``loser`` is spared, each with what it pays."""
        self.spare: list[str] = []
        """Moves of the structure that give ``loser`` another round."""
        self.peer = ""
        """Expression of the next in line after ``loser``; "" if there is no line."""
        self.stop = "loser < 0"
        """Condition under which the line ended."""
        self.terms: list[str] = []
        """Factors of an object's worth, expressions of ``slot`` and ``now``."""
        self.evict: list[str] = []
        """What rules do when ``slot`` was evicted."""
        self.leave: list[str] = []
        """How the structure lets go of ``slot``."""
        self.ranks: list[str] = []
        """Statements that set ``rank`` of the incoming object: 0 next to go, 1 ordinary, 2 favoured."""
        self.note: list[str] = []
        """What is noted of an incoming object before it gets its place."""
        self.enter: list[str] = []
        """How the structure takes an incoming object in, see :meth:`by_rank`."""
        self.after_insert: list[str] = []
        """What happens after an insertion."""
        self.carries = False
        """Whether hits are remembered over an eviction."""
        self.on_return: list[str] = []
        """What is learned from an incoming object's past, before its numbers are overwritten."""
        self.front: Front | None = None
        """What newcomers have to pass before they enter the structure; wraps it when it is written."""

    # -- what structures and rules call

    def full(self) -> str:
        """An expression that is True once the cache has been full."""
        self.attribute("full", "False")
        if "self.full = True" not in self.before_victim:
            self.before_victim.append("self.full = True")
        return "self.full"

    def requests(self) -> str:
        """Count all requests, hits and misses, approximately; returns the sketch's expression."""
        if "requests" not in self._init:
            period = self.number("PERIOD", 4, 40, log=True)
            self.kit("Sketch")
            self.field("tag")
            room = "min(capacity, n_slots)"
            self.attribute("requests", f"Sketch(4 * {room}, 15, {period} * {room})")
            self.hit.insert(0, "self.requests.add(key)")
            self.miss.insert(0, "self.requests.add(key)")
        return "self.requests"

    def by_rank(self, last: Sequence[str], ordinary: Sequence[str], favoured: Sequence[str]) -> list[str]:
        """Statements that do one of three things, without the branches for ranks that no rule gives."""
        lines: list[str] = []
        for rank, branch in ((0, last), (2, favoured)):
            if self.gives(rank):
                lines += [f"{'el' if lines else ''}if rank == {rank}:", *indented(branch)]
        return [*lines, "else:", *indented(ordinary)] if lines else list(ordinary)

    def gives(self, rank: int) -> bool:
        """Whether some rule gives this rank; who is next to go stays in the front, if there is one."""
        if rank == 0 and self.front is not None:
            return False
        return any(f"rank = {rank}" in line for line in self.ranks)

    def field(self, *names: str) -> None:
        """Keep a number per slot: ``credit asked seen woke born gap tag left returns``."""
        for name in names:
            self._fields.add(name)
            self.field(*_FIELDS[name].needs)
        if "left" in names:
            self.attribute("gone", "0")

    def count_hits(self, *, wide: bool = False, spent: bool = True) -> None:
        """Count the hits of each object.

        Args:
            wide: Large counts differ in meaning, so let them grow.
            spent: The caller's lines depend on the counts (if nobody's do, the draft adds who does).
        """
        self.field("credit")
        self._wide = self._wide or wide
        self._spent = self._spent or spent

    @property
    def counts_idly(self) -> bool:
        """Whether hits are counted and nothing depends on it."""
        return "credit" in self._fields and not self._spent

    @property
    def known(self) -> str:
        """Condition in ``on_insert``: what the slot's numbers say is about this very object."""
        return "known" if self.admit else "remembered"

    # -- putting it together

    def source(self, doc: str) -> str:
        """The module's text."""
        self.strength = None
        if self.admit:
            self.field("tag")
        if "credit" in self._fields:
            if self._wide:
                self.number("MOST", 7, 250, log=True)
            else:
                self.number("MOST", 1, 15, log=True)
        if "gap" in self._fields:
            self.number("BLEND", 0.1, 0.9)
        idle = [
            line for line in (*self.hit, *self.gates, *self.touch, *self._upkeep("hit")) if "idle" in line
        ]
        if idle:
            self.field("seen")
        if self.terms:
            self.method("worth", "slot, now", [f"return {' * '.join(self.terms)}"])
        arguments = "slot, key, size, now"
        admit = [*self.miss, *self.admit] if self.admit else []
        methods = [
            written("on_hit", arguments, self._hit_lines(bool(idle))),
            written("admit", arguments, admit),
            written("candidate", "now", self.find),
            written("victim", arguments, self._victim_lines()),
            written("on_evict", arguments, [*self.evict, *self.leave, *self._upkeep("evict")]),
            written("on_insert", f"{arguments}, remembered", self._insert_lines()),
        ]
        helpers = [line for _, lines in self._methods.values() for line in lines]
        if any("self.room" in text for text in (*methods, *helpers, *self._init.values())):
            self._init = {"room": "max(1, min(capacity, n_slots // 2))"} | self._init
        init = [f"self.{name} = {value}" for name, value in self._init.items()]
        init += [
            f"self.{n} = np.zeros(n_slots, dtype=np.{f.dtype})"
            for n, f in _FIELDS.items()
            if n in self._fields
        ]
        return self._module(doc, "capacity, n_slots", [*init, *self.setup], methods)

    def _upkeep(self, event: str) -> list[str]:
        return [
            line.format(known=self.known)
            for name, field in _FIELDS.items()
            if name in self._fields
            for line in getattr(field, event)
        ]

    def _hit_lines(self, idle: bool) -> list[str]:
        lines = []
        if idle:
            lines.append("idle = now - self.seen[slot]")
        moves = list(self.touch)
        if "seen" in self._fields:
            (moves if self.sees_gated and self.gates else lines).append("self.seen[slot] = now")
        lines += self._upkeep("hit")
        lines += self.hit
        count = (
            ["if self.credit[slot] < MOST:", "    self.credit[slot] += 1"] if "credit" in self._fields else []
        )
        if "woke" in self._fields:
            moves.append("self.woke[slot] = now")
        if self.lazy:
            moves = count + moves
        else:
            lines += count
        if moves and self.gates:
            return [*lines, f"if {' and '.join(self.gates)}:", *indented(moves)]
        return lines + moves

    def _victim_lines(self) -> list[str]:
        lines = [*self.before_victim, "loser = self.candidate(now)"]
        if self.guards:
            tries = self.number("TRIES", 1, 12, log=True)
            lines.append(f"for _ in range({tries}):")
            for i, (condition, then) in enumerate(self.guards):
                lines.append(f"    {'el' if i else ''}if {condition}:")
                lines += indented([*then, *self.spare, "loser = self.candidate(now)"], 2)
            lines += ["    else:", "        break"]
        if self.terms and self.peer:
            look = self.number("LOOK", 2, 16, log=True)
            lines += [
                "best = loser",
                "least = self.worth(loser, now)",
                f"for _ in range({look} - 1):",
                f"    loser = {self.peer}",
                f"    if {self.stop}:",
                "        break",
                "    value = self.worth(loser, now)",
                "    if value < least:",
                "        best = loser",
                "        least = value",
                "return best",
            ]
        elif self.guards:
            lines.append("return loser")
        else:
            lines[-1] = "return self.candidate(now)"
        return lines

    def _insert_lines(self) -> list[str]:
        lines = self._upkeep("insert")
        if self.carries:
            lines = [_CARRY.get(line, line).format(known=self.known) for line in lines]
        lines += self.note
        enter = [*self.enter, *self.after_insert]
        # A slot that admit() turned away is remembered although nothing was written into its numbers.
        known = ["known = remembered and self.tag[slot] == key"]
        if not any("known" in line for line in (*lines, *self.on_return, *self.ranks, *enter)):
            known = []
        if self.miss and not self.admit:
            known += self.miss
        lines = self.on_return + lines
        if not self.ranks:
            return [*known, *lines, *enter]
        # Rules read the numbers of an object's past before upkeep overwrites them.
        return [*known, "rank = 1  # 0: next to go, 1: ordinary, 2: favoured", *self.ranks, *lines, *enter]
