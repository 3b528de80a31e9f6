"""Mechanisms of caches, from which the offline composer makes designs and policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from problems.cache.mechanisms.catalogue import MECHANISMS, Mechanism
from problems.cache.mechanisms.draft import Draft
from problems.cache.mechanisms.plan import Part, Plan, combine, read

__all__ = ["LIBRARY", "CacheLibrary"]

_KEYS = ("state", "on_hit", "victim", "on_insert", "on_evict", "admission")
_SILENT = {
    "state": "The cached objects.",
    "victim": "Whoever is next to go.",
    "on_insert": "It enters at the front, whether it was here before or not.",
    "on_evict": "Nothing is remembered.",
    "admission": "Everything is admitted.",
    "on_hit": "Only the numbers that are kept of it change.",
}
_STRENGTHS = (0.15, 0.5, 0.85)
#: Mechanisms taken from a design that was not composed here.
_MOST_PARTS = 5

Recognise = Callable[[str], Mechanism]


class CacheLibrary:
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`)."""

    mechanisms: Sequence[Mechanism] = MECHANISMS

    def observation(self, mechanism: Mechanism, rng: np.random.Generator) -> str:
        """State a mechanism, with an amount drawn."""
        amount = mechanism.amounts[int(rng.integers(3))]
        return _capital(mechanism.sentence.format(amount=amount))

    def design(
        self, observed: Sequence[tuple[Mechanism, str]], keys: Sequence[str], rng: np.random.Generator
    ) -> dict[str, str]:
        """Combine mechanisms, each with the text it was found in, into one design with the keys asked for."""
        plan = combine([(m.parts, _strength(m, text)) for m, text in observed], rng)
        draft = plan.draft(rng)
        name = _name(plan, rng)
        draft.source(name)  # claims the constants that upkeep needs
        prose = {key: _filled(draft, key) or _SILENT[key] for key in _KEYS}
        prose["state"] += " " + plan.line(draft.numbers)
        design = {
            "name": name,
            "idea": _idea(observed),
            "constants": draft.ranges(),
            **prose,
        }
        return {key: design.get(key, "As the other parts say.") for key in keys}

    def code(self, design: Mapping[str, str], recognise: Recognise, rng: np.random.Generator) -> str:
        """Write the policy of a design; ``recognise`` finds a mechanism in a text that was not composed here."""
        return _plan(design, recognise, rng).draft(rng).source(_doc(design))

    def repair(
        self, design: Mapping[str, str], code: str, recognise: Recognise, rng: np.random.Generator
    ) -> str:
        """A simpler policy for a design whose code failed: fewer rules, at last CLOCK."""
        plan = _plan(design, recognise, rng)
        while plan.rules:
            plan = plan.simpler()
            source = plan.draft(rng).source(_doc(design))
            if len(source) < len(code):
                return source
        return Plan(Part("circle")).draft(rng).source(_doc(design))


def _plan(design: Mapping[str, str], recognise: Recognise, rng: np.random.Generator) -> Plan:
    plan = read(" ".join(design.values()))
    if plan is not None:
        return plan
    found = {m.id: (m.parts, _strength(m, text)) for text in design.values() for m in [recognise(text)]}
    return combine(list(found.values())[:_MOST_PARTS], rng)


def _filled(draft: Draft, key: str) -> str:
    """The sentences of a key with the constants' values in place of their names."""
    text = " ".join(draft.prose.get(key, []))
    for name in sorted(draft.numbers, key=len, reverse=True):
        text = text.replace(name, str(draft.numbers[name]))
    return text


def _strength(mechanism: Mechanism, text: str) -> float | None:
    lower = text.lower()
    for amount, strength in zip(mechanism.amounts, _STRENGTHS, strict=True):
        if amount in lower:
            return strength
    return None


def _name(plan: Plan, rng: np.random.Generator) -> str:
    rules = [part.name.partition("_")[2] for part in plan.rules]
    rng.shuffle(rules)
    return " ".join([*rules[:2], plan.structure.name]).title()


def _idea(observed: Sequence[tuple[Mechanism, str]]) -> str:
    return " ".join(text if text.endswith(".") else text + "." for _, text in observed[:2])


def _doc(design: Mapping[str, str]) -> str:
    words = f"{design.get('name', 'Composed')}: {design.get('idea', '')}".split()
    lines = [""]
    for word in words:
        word = word.replace("\\", "/").replace('"', "'")
        if len(lines[-1]) + len(word) > 98:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n    ".join(lines)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


#: What ``metamuse.llm.composer`` loads.
LIBRARY = CacheLibrary()
