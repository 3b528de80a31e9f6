"""Goals in a scientist's sentences: what they set in the score, and whether a season met them, node by node."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing import recovery
from evaluators.sensing.scenario import DAY, HOUR, Goals, Scenario
from evaluators.sensing.scoring import PARTS, Outcome, Task
from evaluators.sensing.units import WrongError, near, quantity
from evaluators.sensing.world import World

_DAY_S = 86400.0


@dataclass(frozen=True)
class Wish:
    """One goal.

    Attributes:
        text: As she wrote it, or what a default says.
        field: Of :class:`evaluators.sensing.scenario.Goals`.
        value: At which it is just met, in :attr:`unit`.
        unit: Of the value: that of the field, or of the quantity if it was given in that.
        asked: Whether it was written down; the others are the usual ones.
    """

    text: str
    field: str
    value: float
    unit: str
    asked: bool = True


def _percent(text: str) -> float:
    return quantity(text, "share")


def _days(text: str) -> float:
    return quantity(text, "time") / _DAY_S


def _hours(text: str) -> float:
    return quantity(text, "time") / 3600.0


def _moisture(text: str) -> float:
    return quantity(text, "moisture")


def _degrees(text: str) -> float:
    value = quantity(text, "temperature")
    if "K" in text.split():  # a difference of kelvin is one of degrees
        value += 273.15
    return value


#: How a goal is written (X stands for a number with its unit), the field it sets, how X is read, the value's unit, and
#: whether what is said is the part that must be, where the field has the part that may fail.
_FORMS: tuple[tuple[str, str, Callable[[str], float], str, bool], ...] = (
    ("see a wet-up within X", "wetup_h", _hours, "h", False),
    ("see X of the wet-ups", "wetups_missed", _percent, "", True),
    ("see a wet-up's peak within X", "wetup_peak", _moisture, "m3 m-3", False),
    ("seasonal CO2 sum within X", "seasonal_sum", _percent, "", False),
    ("CO2 efflux within X of its variation", "flux", _percent, "", False),
    ("moisture within X", "moisture", _moisture, "m3 m-3", False),
    ("temperature within X", "temperature", _degrees, "degC", False),
    ("data no older than X", "age_d", _days, "d", False),
    ("no node silent for more than X", "silent_d", _days, "d", False),
    ("see a fault within X", "fault_d", _days, "d", False),
    ("nodes up X of the time", "down", _percent, "", True),
    ("lose no more than X of the readings", "lost", _percent, "", False),
)
#: Fields about wet-ups.
_WETUPS = ("wetup_h", "wetups_missed", "wetup_peak")
#: Fields whose unit is standard deviations of the place, and their rows in arrays of quantities.
_SPREAD = {"moisture": (0, 1), "temperature": (2,)}


def wish(text: str) -> Wish:
    """A goal of a sentence; small words and capitals do not matter.

    Raises:
        WrongError: It is no goal that can be measured here.
    """
    written = _bare(text)
    for form, field, read, unit, turned in _FORMS:
        before, _, after = _bare(form).partition("x x x")
        match = re.fullmatch(rf"{re.escape(before.strip())}\s+(.+?)\s*{re.escape(after.strip())}", written)
        if match is None:
            continue
        value = read(_number(text, match[1]))
        if turned:
            value = 1.0 - value
        if not value > 0:
            raise WrongError(f"{text!r} asks for what nobody can promise; leave some room")
        if field == "wetup_h" and value < 1 / HOUR:
            raise WrongError(f"{text!r}: nodes wake every 10 min at most")
        return Wish(text, field, value, unit)
    forms = [form for form, *_ in _FORMS]
    hint = near(written, forms)
    raise WrongError(f"{text!r} is no goal that is known{hint or '; they are: ' + '; '.join(forms)} (X: a number with its unit)")  # fmt: skip


def _bare(text: str) -> str:
    """A sentence without the words that do not matter; the X of a form as "x x x"."""
    text = re.sub(r"\bX\b", "x x x", text.replace("₂", "2")).lower().rstrip(". ")
    text = text.replace("wet-ups", "wetups").replace("wet-up", "wetup").replace("wet up", "wetup")
    text = re.sub(r"\b(a|an|the|is|are|be|to|its?|at least)\b", " ", text)
    return " ".join(text.split())


def _number(text: str, found: str) -> str:
    """The number with its unit in the capitals in which it was written."""
    at = " ".join(text.split()).lower().find(found)
    return " ".join(text.split())[at : at + len(found)] if at >= 0 else found


def usual(asked: Sequence[Wish]) -> list[Wish]:
    """The goals that nobody wrote down, with their usual values: they count in the score as well."""
    named = {w.field for w in asked}
    # The three of wet-ups are measured together; the first stands for them.
    named |= set(_WETUPS if named & set(_WETUPS) else _WETUPS[1:])
    plain = Goals()
    out = []
    for form, field, _, unit, turned in _FORMS:
        if field in named:
            continue
        value = getattr(plain, field)
        said = 1.0 - value if turned else value
        shown = _shown(said, "" if field in _SPREAD else unit)
        if field in _SPREAD:
            shown += " of its variation"
        out.append(Wish(form.replace("X", shown), field, value, "s.d." if field in _SPREAD else unit, False))
    return out


def _shown(value: float, unit: str) -> str:
    """A value as a person writes it."""
    if unit == "":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} {unit}"


def as_goals(wishes: Sequence[Wish], spread: np.ndarray) -> Goals:
    """What the score divides by; values in a quantity's unit become standard deviations of the place.

    Args:
        wishes: The goals.
        spread: float64[4], :func:`evaluators.sensing.recovery.spread`.
    """
    changes: dict[str, Any] = {}
    for w in wishes:
        value = w.value
        if w.field in _SPREAD and w.unit != "s.d.":
            value /= float(np.mean([spread[row] for row in _SPREAD[w.field]]))
        changes[w.field] = value
    return replace(Goals(), **changes)


@dataclass(frozen=True)
class Verdict:
    """Whether a goal was met.

    Attributes:
        wish: The goal.
        measured: Over all nodes, in the goal's unit; None if the season gave nothing to measure (no wet-up, no fault).
        met: Whether that is enough.
        nodes: Nodes on which it was met.
        of: Nodes on which it could be.
    """

    wish: Wish
    measured: float | None
    met: bool
    nodes: int
    of: int

    def sentence(self) -> str:
        """For a person."""
        if self.measured is None:
            return f"{self.wish.text}: nothing to measure in this season"
        unit = self.wish.unit
        turned = next(form[4] for form in _FORMS if form[1] == self.wish.field)
        value, goal = self.measured, self.wish.value
        if self.wish.field == "wetups_missed":
            unit = "wet-ups"
        said = f"{_said(1 - value if turned else value, unit)} (goal {_said(1 - goal if turned else goal, unit)})"
        return f"{self.wish.text}: {'met' if self.met else 'NOT met'}, {said}, on {self.nodes} of {self.of} nodes"


def _said(value: float, unit: str) -> str:
    if unit == "wet-ups":
        return f"{100 * value:.3g} % of them seen"
    if unit == "s.d.":
        return f"{100 * value:.3g} % of its variation"
    if unit == "h" and value < 1.5:
        return f"{60 * value:.3g} min"
    return _shown(value, unit)


def judged(task: Task, world: World, outcome: Outcome, wishes: Sequence[Wish]) -> list[Verdict]:
    """Whether each goal was met in a finished season.

    Over all nodes a goal is measured as in the score (means; of wet-ups and silence as said below); a node meets it if its
    own value does. "See a wet-up within X" is measured as the part of the wet-ups that were seen within X with their peak,
    and is met if no more than the allowed part was missed. Of silence the longest counts, of faults those of sensors.
    """
    return [_judge(task, world, outcome, w) for w in wishes]


def _judge(task: Task, world: World, outcome: Outcome, w: Wish) -> Verdict:
    scenario = task.scenario
    goals = scenario.goals
    ni, nf = world.node_ints, world.node_floats
    n, ticks = scenario.field.nodes, scenario.field.ticks
    places = outcome.places
    wetups = np.bincount(task.events[:, 0], minlength=n).astype(float) if len(task.events) else np.zeros(n)
    if w.field in _WETUPS:
        there = wetups > 0
        missed = 1.0 - places[there, recovery.CAUGHT] / wetups[there]
        limit = goals.wetups_missed
        total = outcome.parts.get("missed_wetups")
        shown = Wish(w.text, "wetups_missed", limit, "", w.asked)
        return _verdict(shown, total, missed, limit, int(there.sum()))
    if w.field in ("flux", "seasonal_sum") and not scenario.hardware.co2_sensor:
        return Verdict(w, None, True, 0, 0)
    if w.field in ("flux", *_SPREAD):
        rows = _SPREAD.get(w.field, (3,))
        units = np.array([1.0 if w.unit not in ("", "s.d.") else task.spread[row] for row in rows])
        own = np.sqrt(places[:, [recovery.ERRORS + row for row in rows]]) / units
        all_of_them = np.sqrt(places[:, [recovery.ERRORS + row for row in rows]].mean(axis=0)) / units
        return _verdict(w, float(all_of_them.mean()), own.mean(axis=1), w.value, n)
    if w.field == "silent_d":
        longest = longest_silence(ni, ticks) / DAY
        return _verdict(w, float(longest.max()), longest, w.value, n)
    if w.field == "fault_d":
        fixed = task.plan.fixed
        seen = np.where(ni[:, k.SEEN_AT] >= 0, ni[:, k.SEEN_AT], ticks)
        late = (seen - fixed[:, k.ONSET])[task.faults] / DAY
        return _verdict(w, float(late.mean()) if len(late) else None, late, w.value, len(late))
    own = {
        "seasonal_sum": places[:, recovery.SUM],
        "age_d": nf[:, k.AGE] / (ticks * DAY),
        "down": ni[:, k.DOWN_TICKS] / ticks,
        "lost": 1.0 - ni[:, k.SENT] / np.maximum(1, ni[:, k.WAKES]),
    }[w.field]
    part = next(name for name, field in PARTS.items() if field == w.field)
    return _verdict(w, outcome.parts[part], own, w.value, n)


def _verdict(w: Wish, total: float | None, own: np.ndarray, limit: float, of: int) -> Verdict:
    if total is None:
        return Verdict(w, None, True, 0, 0)
    slack = 1e-12
    return Verdict(w, total, total <= limit + slack, int(np.count_nonzero(own <= limit + slack)), of)


def longest_silence(node_ints: np.ndarray, ticks: int) -> np.ndarray:
    """int64[N]: ticks of every node's longest time between two successful sessions, the season's ends included."""
    return np.asarray(np.maximum(node_ints[:, k.SILENT], ticks - node_ints[:, k.HEARD_AT]))


def with_goals(scenario: Scenario, wishes: Sequence[Wish]) -> Scenario:
    """The scenario with the goals that sentences set."""
    return scenario.on(goals=as_goals(wishes, recovery.spread(scenario)))
