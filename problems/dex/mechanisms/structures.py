"""Structures: what a node's word remembers, and how hot it says the node is."""

from __future__ import annotations

from collections.abc import Callable

from problems.dex.mechanisms.draft import Draft

Structure = Callable[[Draft], None]


def plain(d: Draft) -> None:
    """No memory of nodes."""
    d.say("state", "Nothing about nodes is kept.")


def counts(d: Draft) -> None:
    """Uses, halved with every epoch; a part of the hits is counted, as much the more."""
    epoch = d.number("EPOCH", 1000, 200000, log=True)
    every = d.number("EVERY", 1, 16, log=True)
    d.attribute("turn", "0")
    d.method(
        "counted",
        "word, now, by",
        [
            f"epoch = (now // {epoch}) % 65536",
            "gone = (epoch - (word >> 8)) % 65536",
            "return (epoch << 8) | min(255, ((word & 255) >> min(gone, 8)) + by)",
        ],
    )
    d.heat = [
        f"gone = ((now // {epoch}) % 65536 - (word >> 8)) % 65536",
        "return float((word & 255) >> min(gone, 8))",
    ]
    d.note = ["return self.counted(word, now, 1)"]
    d.hit = [
        "self.turn += 1",
        f"return self.counted(word, now, {every}) if self.turn % {every} == 0 else word",
    ]
    d.say("state", f"A word counts a node's uses (each EVERY-th hit as EVERY), halved every {epoch} µs.")


def misses(d: Draft) -> None:
    """Misses of the node alone, halved with every epoch: hits cost nothing."""
    epoch = d.number("EPOCH", 1000, 200000, log=True)
    d.heat = [
        f"gone = ((now // {epoch}) % 65536 - (word >> 8)) % 65536",
        "return float((word & 255) >> min(gone, 8))",
    ]
    d.note = [
        f"epoch = (now // {epoch}) % 65536",
        "gone = (epoch - (word >> 8)) % 65536",
        "return (epoch << 8) | min(255, ((word & 255) >> min(gone, 8)) + 1)",
    ]
    d.say(
        "state", f"A word counts how often a node was missing, halved every {epoch} µs; hits leave it alone."
    )


def stamps(d: Draft) -> None:
    """When the node was last used."""
    fresh = d.number("FRESH", 500.0, 200000.0, log=True)
    d.heat = [
        "if word == 0:",
        "    return 0.0",
        "age = ((now // 16 + 1) - word) % 4294967296",
        f"return 4.0 * {fresh} / ({fresh} + 16.0 * age)",
    ]
    # A stamp that is young is not written again.
    d.hit = [
        "stamp = (now // 16 + 1) % 4294967296",
        f"return stamp if 16.0 * ((stamp - word) % 4294967296) > 0.1 * {fresh} else word",
    ]
    d.note = ["return word"]
    d.attribute("missed", "0")
    d.say("state", f"A word is the time of a node's last use, renewed when it is a tenth of {fresh} µs old.")


def gaps(d: Draft) -> None:
    """The time between uses, and when the last one was."""
    unit = d.number("UNIT", 64, 4096, log=True)
    d.method(
        "used",
        "word, now",
        [
            f"stamp = (now // {unit}) % 1048576",
            "old = word & 4095",
            "gap = min(4095, 1 + (stamp - (word >> 12)) % 1048576) if word > 0 else 4095",
            "return (stamp << 12) | ((3 * old + gap + 3) // 4 if old > 0 else gap)",
        ],
    )
    d.heat = [
        "if word == 0:",
        "    return 0.0",
        f"since = ((now // {unit}) % 1048576 - (word >> 12)) % 1048576",
        "return 64.0 / (1.0 + max(word & 4095, since))",
    ]
    d.note = ["return self.used(word, now)"]
    d.attribute("turn", "0")
    every = d.number("EVERY", 1, 16, log=True)
    d.hit = ["self.turn += 1", f"return self.used(word, now) if self.turn % {every} == 0 else word"]
    d.say(
        "state", f"A word keeps the mean time between a node's uses, in steps of {unit} µs, and the last one."
    )


STRUCTURES: dict[str, Structure] = {f.__name__: f for f in (plain, counts, misses, stamps, gaps)}
