"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles and how many rules of each a policy takes: ``budget`` (how much may be spent), ``flux`` (when CO2 is read), ``probe``
(when the node wakes), ``event`` (wet-ups, alerts, suspect readings), ``radio`` (when and what it sends).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.sensing.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

PLACES = {"budget": 1, "flux": 2, "probe": 2, "event": 3, "radio": 2}


def budget_front(d: Draft) -> None:
    """Spend more at first."""
    front = d.number("FRONT", 0.0, 0.6)
    d.budget.append("if not self.solar:")
    d.budget.append(f"    daily *= 1.0 + {front} * (obs[18] / self.season - 0.5)")
    d.say("budget", f"The first half of the season gets more (tilt {front}).")


def budget_reserve(d: Draft) -> None:
    """Keep something back."""
    reserve = d.number("RESERVE", 0.01, 0.15)
    d.budget.append(f"daily *= 1.0 - {reserve}")
    d.say("budget", f"A reserve of {reserve} stays untouched.")


def budget_season(d: Draft) -> None:
    """Warm weather is worth more."""
    warm = d.number("WARM", 0.0, 0.06)
    d.sense += [
        f"{d.kept('climate', '-100.0')} = obs[2] if self.climate < -99.0 else self.climate + 0.002 * step * (obs[2] - self.climate)"
    ]
    d.budget.append(f"daily *= min(1.5, max(0.6, 1.0 + {warm} * (obs[2] - self.climate)))")
    d.say("budget", f"A day warmer than usual gets {warm} more energy per degree.")


def _news(d: Draft) -> None:
    """Keeps ``self.moved``, how the newest CO2 reading differs from the one before, and ``self.fresh``."""
    d.attribute("seen", "-1.0")
    d.attribute("moved", "0.0")
    d.attribute("fresh", "False")
    if "self.fresh = obs[15] >= obs[4] and obs[4] < 100000.0" not in d.sense:
        d.sense += [
            "self.fresh = obs[15] >= obs[4] and obs[4] < 100000.0",
            "if self.fresh:",
            "    self.moved = abs(obs[3] - self.seen) / max(0.3, abs(self.seen)) if self.seen >= 0.0 else 0.0",
            "    self.seen = obs[3]",
        ]


def flux_volatility(d: Draft) -> None:
    """More readings while they move."""
    _news(d)
    power, learn = d.number("POWER", 0.0, 1.0), d.number("LEARN", 0.03, 0.5, log=True)
    d.attribute("volatile", "0.0")
    d.attribute("usual", "0.0")
    d.sense += [
        "if self.fresh:",
        f"    self.volatile += {learn} * (self.moved - self.volatile)",
        f"    self.usual += 0.2 * {learn} * (self.moved - self.usual)",
    ]
    d.flux += [
        "if self.volatile > 1e-6 and self.usual > 1e-6:",
        f"    apart *= min(3.0, max(0.33, self.usual / self.volatile)) ** {power}",
    ]
    d.say("state", f"How much CO2 readings move, over a short and a long while ({learn}).")
    d.say("sampling", f"CO2 is read the oftener the more it moves (power {power}).")


def flux_level(d: Draft) -> None:
    """More readings while efflux is high: errors grow with it."""
    power = d.number("HIGH", 0.0, 1.2)
    d.attribute("typical", "0.0")
    d.sense += [
        "if obs[4] < 100000.0:",
        "    self.typical = obs[3] if self.typical <= 0.0 else self.typical + 0.001 * step * (obs[3] - self.typical)",
    ]
    d.flux += [
        "if self.typical > 0.0:",
        f"    apart *= min(2.5, max(0.4, self.typical / max(0.05, obs[3]))) ** {power}",
    ]
    d.say("sampling", f"High efflux is read oftener (power {power}).")


def flux_warm(d: Draft) -> None:
    """More readings while the soil is warmer than usual."""
    warmth = d.number("WARMTH", 0.0, 0.12)
    d.attribute("mild", "-100.0")
    d.sense += [
        "self.mild = obs[2] if self.mild < -99.0 else self.mild + 0.002 * step * (obs[2] - self.mild)"
    ]
    d.flux.append(f"apart *= min(2.0, max(0.5, 1.0 - {warmth} * (obs[2] - self.mild)))")
    d.say("sampling", f"A degree above the usual makes CO2 readings {warmth} closer.")


def flux_hours(d: Draft) -> None:
    """Readings around the turning points of the day rather than between them."""
    lean, noon = d.number("LEAN", 0.0, 0.5), d.number("NOON", 0.3, 0.8)
    d.flux.append(f"apart *= 1.0 - {lean} * math.cos(4.0 * math.pi * (obs[7] - {noon}))")
    d.say("sampling", f"CO2 is read rather near the turning points of the day ({noon} of it).")


def flux_turn(d: Draft) -> None:
    """A reading at once where temperature has moved far since the last."""
    degrees = d.number("DEGREES", 1.5, 8.0, log=True)
    d.attribute("then", "-100.0")
    d.flux += [
        f"if abs(obs[2] - self.then) >= {degrees}:",
        "    apart *= 0.6",
        "if obs[4] >= apart - 0.5:",
        "    self.then = obs[2]",
    ]
    d.say("sampling", f"{degrees} degrees of change make the next CO2 reading earlier.")


def probe_trend(d: Draft) -> None:
    """Look oftener while moisture moves."""
    steep, react = d.number("STEEP", 0.0003, 0.006, log=True), d.number("REACT", 0.1, 0.9)
    d.attribute("slope", "0.0")
    d.sense += [f"self.slope += {react} * (abs(obs[0] - obs[17]) / step - self.slope)"]
    d.probe.append(f"probe *= min(1.3, max(0.3, {steep} / (self.slope + 0.7 * {steep})))")
    d.say("state", "How fast moisture moves.")
    d.say("sampling", f"The node wakes oftener while moisture moves by more than {steep} a tick.")


def probe_dry(d: Draft) -> None:
    """Look seldom in dry spells."""
    calm, longer = d.number("CALM", 100.0, 800.0, log=True), d.number("LONGER", 1.0, 3.0)
    d.attribute("dry", "0.0")
    d.sense += ["self.dry = 0.0 if obs[0] - obs[17] > 0.015 else self.dry + step"]
    d.probe += [f"if self.dry > {calm}:", f"    probe *= {longer}"]
    d.say("sampling", f"After {calm} ticks without a rise it wakes {longer} times less often.")


def probe_wet(d: Draft) -> None:
    """Look oftener for days after a rise: the soil drains."""
    drain, closer = d.number("DRAIN", 12.0, 288.0, log=True), d.number("CLOSER", 0.3, 1.0)
    d.attribute("since", "100000.0")
    d.sense += ["self.since = 0.0 if obs[0] - obs[17] > 0.015 else self.since + step"]
    d.probe += [f"if self.since < {drain}:", f"    probe *= {closer}"]
    d.say("sampling", f"For {drain} ticks after a rise it wakes at {closer} of the interval.")


def probe_floor(d: Draft) -> None:
    """Never look oftener than helps: the base does not smooth, and each reading has its noise."""
    floor = d.number("FLOOR", 2.0, 9.0, log=True)
    d.probe.append(f"probe = max({floor}, probe)")
    d.say("sampling", f"It never wakes oftener than every {floor} ticks but at events.")


def probe_night(d: Draft) -> None:
    """Look less often at night."""
    night = d.number("NIGHT", 1.0, 2.5)
    d.probe += ["if obs[7] < 0.25 or obs[7] > 0.85:", f"    probe *= {night}"]
    d.say("sampling", f"At night it sleeps {night} times longer.")


def event_burst(d: Draft) -> None:
    """A burst of wake-ups after a rise."""
    burst, quick = d.number("BURST", 2, 48), d.number("QUICK", 1.0, 6.0, log=True)
    d.attribute("burst", "0")
    d.event += [
        "if obs[0] - obs[17] > 0.015:",
        f"    self.burst = {burst}",
        "if self.burst > 0:",
        "    self.burst -= 1",
        f"    probe = min(probe, {quick})",
    ]
    d.say("events", f"A rise is followed by {burst} wake-ups, {quick} ticks apart.")


def event_alert(d: Draft) -> None:
    """Rain alerts wake it."""
    storm, swift = d.number("STORM", 3.0, 72.0, log=True), d.number("SWIFT", 1.0, 6.0, log=True)
    d.listens = True
    d.attribute("storm", "0.0")
    d.event += [
        "self.storm = max(0.0, self.storm - step)",
        "if obs[11] > 0.0:",
        f"    self.storm = {storm}",
        "if self.storm > 0.0:",
        f"    probe = min(probe, {swift})",
    ]
    d.say("events", f"It listens for rain alerts, and wakes every {swift} ticks for {storm} after one.")


def event_pulse(d: Draft) -> None:
    """CO2 is read soon after a wet-up."""
    pulse, follow = d.number("PULSE", 6.0, 144.0, log=True), d.number("FOLLOW", 0.2, 1.0)
    d.attribute("pulse", "100000.0")
    d.event += [
        "self.pulse = 0.0 if obs[0] - obs[17] > 0.015 else self.pulse + step",
        f"if self.pulse < {pulse}:",
        f"    apart *= {follow}",
    ]
    d.say("events", f"For {pulse} ticks after a wet-up CO2 is read at {follow} of the interval.")


def event_suspect(d: Draft) -> None:
    """A suspect reading is told at once."""
    patience = d.number("PATIENCE", 6.0, 72.0, log=True)
    d.event += ["if obs[14] > 0.0:", f"    radio = min(radio, {patience})"]
    d.say("events", f"Suspect readings are sent within {patience} ticks.")


def event_leak(d: Draft) -> None:
    """A damp box sends before it dies."""
    damp = d.number("DAMP", 0.45, 0.8)
    d.event += [f"if obs[13] > {damp}:", "    radio *= 0.5"]
    d.say("events", f"Above {damp} humidity in the box it sends twice as often.")


def radio_retry(d: Draft) -> None:
    """Try again soon after a failure."""
    retry = d.number("RETRY", 3.0, 36.0, log=True)
    d.radio += ["if obs[10] < 0.5:", f"    radio = min(radio, {retry})"]
    d.say("radio", f"After a failure it tries again within {retry} ticks.")


def radio_backoff(d: Draft) -> None:
    """Longer and longer after failures."""
    first, grow = d.number("FIRST", 3.0, 36.0, log=True), d.number("GROW", 1.2, 3.0)
    d.attribute("wait", "0.0")
    d.radio += [
        "if obs[10] > 0.5:",
        "    self.wait = 0.0",
        "elif self.quiet <= step:",
        f"    self.wait = max({first}, {grow} * self.wait)",
        "if self.wait > 0.0:",
        "    radio = min(432.0, self.wait)",
    ]
    d.say("radio", f"Failures are followed by waits from {first} ticks on, each {grow} times the last.")


def radio_batch(d: Draft) -> None:
    """Not before a packet is full."""
    full = d.number("FULL", 4, 48)
    d.radio += [f"if obs[6] < {full}:", "    radio *= 1.5"]
    d.say("radio", f"Fewer than {full} unsent readings can wait.")


def radio_news(d: Draft) -> None:
    """Wet-ups are told early."""
    news = d.number("NEWS", 6.0, 72.0, log=True)
    d.attribute("told", "0.0")
    d.radio += [
        "self.told += obs[0] - obs[17]",
        "if self.told > 0.03:",
        f"    radio = min(radio, {news})",
        "if self.quiet >= radio:",
        "    self.told = 0.0",
    ]
    d.say("radio", f"What has risen by more than 0.03 is told within {news} ticks.")


def radio_some(d: Draft) -> None:
    """Part of a backlog at a time, the newest first."""
    part = d.number("PART", 2, 24)
    d.radio += [f"if obs[6] > 12.0 * {part}:", f"    most = -{part}"]
    d.say("radio", f"Of a long backlog it sends {part} packets at a time, the newest first.")


RULES: dict[str, Rule] = {
    name: function
    for name, function in list(globals().items())
    if name.partition("_")[0] in PLACES and callable(function)
}
