"""Numbers as a person writes them, with their units: "10 cm", "2.4 Ah", "twice a year", "10 mA for 10 ms".

A table of its own: the units of the field are few, and a library of units knows neither "twice a year" nor that a gram of
CO2 and a gram of its carbon are two things. Every refusal says what would be right.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable


class WrongError(ValueError):
    """What a person wrote cannot be meant; the message says what would be right."""


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
#: Units by what they measure, in the base unit that :func:`quantity` returns: metres, seconds, joules, coulombs, amperes,
#: volts, watts, hertz, parts of 1, millimetres of water, degC; and an example for messages.
UNITS: dict[str, tuple[str, dict[str, float]]] = {
    "length": ("10 cm", {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "in": 0.0254, "ft": 0.3048}),
    "time": (
        "15 min",
        {
            "ms": 1e-3,
            "s": 1.0,
            "min": _MINUTE,
            "h": _HOUR,
            "d": _DAY,
            "weeks": 7 * _DAY,
            "months": 365.25 / 12 * _DAY,
            "years": 365.25 * _DAY,
        },
    ),
    "energy": ("60 mJ", {"uJ": 1e-6, "mJ": 1e-3, "J": 1.0, "kJ": 1e3, "mWh": 3.6, "Wh": 3600.0}),
    "charge": ("2.4 Ah", {"C": 1.0, "mAh": 3.6, "Ah": 3600.0}),
    "current": ("10 mA", {"nA": 1e-9, "uA": 1e-6, "mA": 1e-3, "A": 1.0}),
    "voltage": ("3 V", {"mV": 1e-3, "V": 1.0}),
    "power": ("30 uW", {"nW": 1e-9, "uW": 1e-6, "mW": 1e-3, "W": 1.0}),
    "frequency": ("900 MHz", {"kHz": 1e3, "MHz": 1e6, "GHz": 1e9}),
    "share": ("10 %", {"%": 0.01}),
    "moisture": ("0.02 m3/m3", {"m3/m3": 1.0, "cm3/cm3": 1.0, "%": 0.01, "vol%": 0.01}),
    "rain": ("2 mm", {"mm": 1.0, "cm": 10.0, "in": 25.4}),
    "temperature": ("20 degC", {"degC": 1.0, "degF": 1.0, "K": 1.0}),
}
#: Other words for units.
_ALIASES = {
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "day": "d",
    "days": "d",
    "week": "weeks",
    "month": "months",
    "year": "years",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "inch": "in",
    "inches": "in",
    "percent": "%",
    "per cent": "%",
    "pct": "%",
    "m3 m-3": "m3/m3",
    "m^3/m^3": "m3/m3",
    "cm3 cm-3": "cm3/cm3",
    "vwc": "m3/m3",
    "c": "degC",
    "deg c": "degC",
    "deg_c": "degC",
    "degree_c": "degC",
    "celsius": "degC",
    "f": "degF",
    "deg f": "degF",
    "fahrenheit": "degF",
    "kelvin": "K",
}
#: Grams a mole of what an efflux of CO2 is weighed as.
_MOLAR = {"co2": 44.0095, "c": 12.0107, "co2-c": 12.0107}
_AMOUNTS = {"nmol": 1e-3, "umol": 1.0, "mmol": 1e3, "mol": 1e6}
_GRAMS = {"ug": 1e-6, "mg": 1e-3, "g": 1.0, "kg": 1e3}
_AREAS = {"m2": 1.0, "cm2": 1e-4, "ha": 1e4}
_PER = {"s": 1.0, "min": _MINUTE, "h": _HOUR, "hr": _HOUR, "d": _DAY, "day": _DAY, "year": 365.25 * _DAY}
_WORDS = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "twelve": 12}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)", re.IGNORECASE)


def plain(text: str) -> str:
    """A unit in letters that are on every keyboard."""
    for typographic, letter in (("µ", "u"), ("μ", "u"), ("²", "2"), ("³", "3"), ("⁻", "-"), ("¹", "1"), ("−", "-")):  # fmt: skip
        text = text.replace(typographic, letter)
    for typographic, letter in (("°", "deg"), ("·", " "), ("₂", "2"), ("\u00a0", " "), ("^", "")):
        text = text.replace(typographic, letter)
    return " ".join(text.split())


def near(word: str, known: Iterable[str]) -> str:
    """A question that names what may be meant, "" if nothing is near."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), lower, n=3, cutoff=0.5 if len(word) < 4 else 0.6)
    # Few begin a word with the wrong letter.
    found.sort(key=lambda name: name[:1] != word[:1].lower())
    return f"; did you mean {lower[found[0]]}?" if found else ""


def _named(unit: str, units: Iterable[str]) -> str | None:
    """The unit's own name: as written, as another word for it, or in other capitals if that is one unit only."""
    names = list(units)
    if unit in names:
        return unit
    alias = _ALIASES.get(unit.lower())
    if alias in names:
        return alias
    alike = [name for name in names if name.lower() == unit.lower()]
    return alike[0] if len(alike) == 1 else None


def split(text: str) -> tuple[float, str]:
    """A number and what follows it.

    Raises:
        WrongError: There is no number at the start, or it can be read in two ways.
    """
    written = plain(text)
    if re.match(r"[+-]?\d+,\d", written):
        raise WrongError(
            f"{text!r} can be read in two ways; write decimals with a point and nothing between thousands"
        )
    match = _NUMBER.fullmatch(written)
    if match is None:
        raise WrongError(f"{text!r} does not begin with a number")
    value = float(match[1])
    if not math.isfinite(value):
        raise WrongError(f"{text!r} is too large a number")
    return value, match[2].strip()


def quantity(text: str, kind: str) -> float:
    """A number with its unit, in the base unit of its kind (:data:`UNITS`).

    Raises:
        WrongError: It has no unit, an unknown one, or one of another kind.
    """
    example, _ = UNITS[kind]
    try:
        value, unit = split(text)
    except WrongError as error:
        raise WrongError(f"{error}, such as {example}") from None
    return convert(value, unit, kind)


def convert(value: float, unit: str, kind: str) -> float:
    """A number in a unit, in the base unit of its kind.

    Raises:
        WrongError: The unit is missing, unknown or of another kind.
    """
    factor, offset = scale(unit, kind)
    return value * factor + offset


def scale(unit: str, kind: str) -> tuple[float, float]:
    """Factor and offset from a unit to the base unit of its kind; ``flux`` to umol m-2 s-1.

    Raises:
        WrongError: The unit is missing, unknown or of another kind.
    """
    if kind == "flux":
        return _flux(unit), 0.0
    example, units = UNITS[kind]
    written = plain(unit)
    if not written:
        raise WrongError(f"a {kind} needs its unit, such as {example}")
    name = _named(written, units)
    if name is None:
        other = next((k for k, (_, u) in UNITS.items() if k != kind and _named(written, u)), None)
        if other is not None:
            raise WrongError(f"{unit} is a unit of {other}; a {kind} is written like {example}")
        raise WrongError(
            f"there is no unit {unit} of {kind}{near(written, units) or f', it is written like {example}'}"
        )
    if kind == "temperature":
        return {"degC": (1.0, 0.0), "K": (1.0, -273.15), "degF": (5 / 9, -160 / 9)}[name]
    return units[name], 0.0


def _flux(unit: str) -> float:
    """Factor from a unit of CO2 efflux, such as "mg CO2 m-2 h-1", to umol m-2 s-1."""
    example = "umol m-2 s-1 or mg CO2 m-2 h-1"
    written = plain(unit).replace(" per ", "/").replace("*", " ")
    match = re.fullmatch(
        r"(\w+)\s*(co2-c|co2|c)?\s*(?:/\s*(\w+?)|(m|cm)-2|(ha)-1)\s*(?:/\s*(\w+)|\s(\w+)-1)",
        written,
        re.IGNORECASE,
    )
    if match is None:
        raise WrongError(f"{unit or 'nothing'} is no unit of CO2 efflux; it is written like {example}")
    amount, substance, slashed, square, hectare, slashed_time, time = match.groups()
    area = (slashed or (square and f"{square}2") or hectare).lower()
    per = (slashed_time or time).lower()
    if area not in _AREAS or per not in _PER:
        raise WrongError(f"{unit} is no unit of CO2 efflux; it is written like {example}")
    each = _AREAS[area] * _PER[per]
    if amount.lower() in _AMOUNTS:
        return _AMOUNTS[amount.lower()] / each
    if amount.lower() in _GRAMS:
        if substance is None:
            raise WrongError(f"{unit}: grams of what? Write {amount} CO2 or {amount} C")
        return _GRAMS[amount.lower()] / _MOLAR[substance.lower()] * 1e6 / each
    raise WrongError(f"{unit} is no unit of CO2 efflux; it is written like {example}")


def draw(text: str, volts: float) -> float:
    """Joules of something that takes energy each time: "60 mJ", or "15 mA for 1.3 s" at the board's voltage.

    Raises:
        WrongError: It is neither.
    """
    parts = re.split(r"\s+for\s+", text.strip())
    if len(parts) == 1:
        try:
            return quantity(text, "energy")
        except WrongError as error:
            raise WrongError(f"{error}, or like 10 mA for 10 ms") from None
    if len(parts) > 2:
        raise WrongError(f"{text!r} is written like 10 mA for 10 ms")
    seconds = quantity(parts[1], "time")
    _, unit = split(parts[0])
    if _named(unit, UNITS["power"][1]):
        return quantity(parts[0], "power") * seconds
    return quantity(parts[0], "current") * volts * seconds


def steady(text: str, volts: float) -> float:
    """Watts of something that draws all the time: "10 uA" at the board's voltage, or "30 uW".

    Raises:
        WrongError: It is neither.
    """
    _, unit = split(text)
    if _named(unit, UNITS["power"][1]):
        return quantity(text, "power")
    return quantity(text, "current") * volts


def cell(text: str, volts: float) -> float:
    """Joules of a battery: "2.4 Ah" at its voltage, or "26 kJ".

    Raises:
        WrongError: It is neither.
    """
    _, unit = split(text)
    if _named(unit, UNITS["energy"][1]):
        return quantity(text, "energy")
    return quantity(text, "charge") * volts


def interval(text: str) -> float:
    """Days between two of what happens "twice a year", "every 6 months", "3 times a month"; infinite for "never".

    Raises:
        WrongError: It is written otherwise.
    """
    written = " ".join(text.lower().split())
    if written == "never":
        return math.inf
    wrong = WrongError(f"{text!r} is written like twice a year, 3 times a month, every 6 weeks or never")
    if match := re.fullmatch(r"every (.+)", written):
        span = match[1] if match[1][0].isdigit() else f"1 {match[1]}"
        try:
            days = quantity(span, "time") / _DAY
        except WrongError as error:
            raise WrongError(f"{wrong} ({error})") from None
    else:
        match = re.fullmatch(r"(\w+)(?: times?)? (?:a|per|each) (day|week|month|year)", written)
        if match is None:
            raise wrong
        word = match[1]
        count = _WORDS.get(word) or (int(word) if word.isdigit() else 0)
        if count == 0:
            raise wrong
        days = quantity(f"1 {match[2]}", "time") / _DAY / count
    if days <= 0:
        raise wrong
    return days
