"""Structures: how the energy there is becomes three intervals."""

from __future__ import annotations

from collections.abc import Callable

from problems.sensing.mechanisms.draft import Draft

Structure = Callable[[Draft], None]


def shares(d: Draft) -> None:
    """Fixed parts of the energy for probes, sessions and CO2."""
    probes, sessions = d.number("PROBES", 0.08, 0.6), d.number("SESSIONS", 0.04, 0.3)
    d.scheme = [
        f"rest = max(0.05, 1.0 - {probes} - {sessions})",
        f"probe = 144.0 * self.record_j / ({probes} * spare)",
        f"radio = 144.0 * self.session_j / ({sessions} * spare)",
        "apart = 144.0 * self.co2_j / (rest * spare)",
    ]
    d.say("budget", f"Probes get {probes} of what is left above sleep, sessions {sessions}, CO2 the rest.")


def priced(d: Draft) -> None:
    """One price of energy: intervals go with the root of what a reading costs over what it is worth."""
    worth, talk = d.number("WORTH", 0.02, 2.0, log=True), d.number("WORD", 0.02, 2.0, log=True)
    d.scheme = [
        f"a = math.sqrt(self.record_j / {worth})",
        "b = math.sqrt(max(1e-9, self.co2_j))",
        f"c = math.sqrt(self.session_j / {talk})",
        "price = 144.0 * (self.record_j / a + self.co2_j / b + self.session_j / c) / spare",
        "probe = price * a",
        "apart = price * b",
        "radio = price * c",
    ]
    d.say("budget", f"One price for energy; a probe is worth {worth} of a CO2 reading, a session {talk}.")


def paced(d: Draft) -> None:
    """Intervals in a fixed proportion, all stretched alike until the energy lasts."""
    often, seldom = d.number("OFTEN", 1.0, 8.0, log=True), d.number("SELDOM", 2.0, 20.0, log=True)
    d.scheme = [
        f"stretch = 144.0 * (self.record_j * {often} + self.co2_j + self.session_j / {seldom}) / spare",
        f"probe = stretch / {often}",
        "apart = stretch",
        f"radio = stretch * {seldom}",
    ]
    d.say(
        "budget",
        f"A CO2 reading takes {often} wake-ups, a session {seldom} CO2 readings; all stretch with the energy.",
    )


def watchful(d: Draft) -> None:
    """Probes and radio at rates of their own, which no surplus makes quicker; CO2 takes what they leave."""
    look, tell = d.number("LOOK", 1.0, 12.0, log=True), d.number("TELL", 6.0, 144.0, log=True)
    most, talk = d.number("MOST", 0.15, 0.75), d.number("TALK", 0.05, 0.4)
    d.scheme = [
        f"probe = max({look}, 144.0 * self.record_j / ({most} * spare))",
        f"radio = max({tell}, 144.0 * self.session_j / ({talk} * spare))",
        "apart = 144.0 * self.co2_j",
        "apart /= max(0.1 * spare, spare - 144.0 * (self.record_j / probe + self.session_j / radio))",
    ]
    d.say(
        "budget",
        f"A wake-up every {look} ticks and a session every {tell}, or what {most} and {talk} of the energy pay for; "
        "CO2 takes what is left.",
    )


STRUCTURES: dict[str, Structure] = {f.__name__: f for f in (shares, priced, paced, watchful)}
