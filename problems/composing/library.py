"""The way from mechanisms to observations, designs and policies, the same for every problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from problems.composing.draft import Draft
from problems.composing.mechanism import Mechanism
from problems.composing.plan import Plan, Wish, read

#: Mechanisms taken from a design that was not composed here.
_MOST_PARTS = 5
#: Odds that a rule is kept, and that something fresh comes in, where designs are varied.
_KEPT = 0.8
_FRESH = 0.5

#: Sentences of an idea.
_IDEAS = 2

Recognise = Callable[[str], Mechanism]


class ComposedLibrary:
    """What the composer asks of a problem (:class:`metamuse.llm.composer.Library`).

    A problem sets the attributes and defines :meth:`combine` and :meth:`draft`.

    Attributes:
        mechanisms: The catalogue.
        structures: The names of structures.
        rules: The names of rules.
        silent: Keys of a design that prose is written for, each with what is said if no part says anything;
            ``state`` is among them and also holds the plan's line.
        last_resort: The plan that is left when repairs have dropped everything.
    """

    mechanisms: Sequence[Mechanism]
    structures: Mapping[str, object]
    rules: Mapping[str, object]
    silent: Mapping[str, str]
    last_resort: Plan

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        """One plan from what several mechanisms could contribute; ``rng`` settles what they leave open."""
        raise NotImplementedError

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        """Write a plan's structure and rules into a new draft."""
        raise NotImplementedError

    def observation(self, mechanism: Mechanism, rng: np.random.Generator) -> str:
        """State a mechanism, with an amount drawn."""
        amount = mechanism.amounts[int(rng.integers(len(mechanism.amounts)))]
        text = mechanism.sentence.format(amount=amount)
        return text[0].upper() + text[1:]

    def design(
        self, observed: Sequence[tuple[Mechanism, str]], keys: Sequence[str], rng: np.random.Generator
    ) -> dict[str, str]:
        """Combine mechanisms, each with the text it was found in, into one design with the keys asked for."""
        plan = self.combine([(m.parts, m.strength(text)) for m, text in observed], rng)
        return self._written(plan, observed, keys, rng)

    def _written(
        self,
        plan: Plan,
        observed: Sequence[tuple[Mechanism, str]],
        keys: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, str]:
        draft = self.draft(plan, rng)
        name = _name(plan, rng)
        draft.source(name)  # claims the constants that only the finished module needs
        prose = {key: draft.said(key) or silence for key, silence in self.silent.items()}
        prose["state"] += " " + plan.line(draft.numbers)
        design = {
            "name": name,
            "idea": _idea(plan, observed, draft.prose.get("state", ())),
            "constants": draft.ranges(),
            **prose,
        }
        return {key: design.get(key, "As the other parts say.") for key in keys}

    def vary(
        self,
        designs: Sequence[Mapping[str, str]],
        fresh: tuple[Mechanism, str],
        keys: Sequence[str],
        recognise: Recognise,
        rng: np.random.Generator,
    ) -> dict[str, str]:
        """A design from most parts of one or two others, and as often as not from a fresh mechanism.

        Constants that it shares with one of them keep the value they had there.
        """
        plans = [self._plan(design, recognise, rng) for design in designs]
        parts = list(dict.fromkeys(part.name for plan in plans for part in (plan.structure, *plan.rules)))
        kept = [name for name in parts if name in self.structures or rng.random() < _KEPT]
        wishes: list[Wish] = [((name,), None) for name in kept]
        observed = [(recognise(sentence), sentence) for d in designs for sentence in _sentences(d)]
        if rng.random() < _FRESH:
            mechanism, text = fresh
            wishes.append((mechanism.parts, mechanism.strength(text)))
            observed.insert(0, fresh)
        plan = self.combine(wishes, rng)
        numbers = {name: value for other in reversed(plans) for name, value in other.numbers.items()}
        return self._written(replace(plan, numbers={**numbers, **plan.numbers}), observed, keys, rng)

    def code(self, design: Mapping[str, str], recognise: Recognise, rng: np.random.Generator) -> str:
        """Write the policy of a design; ``recognise`` finds a mechanism in a text that was not composed here."""
        return self.draft(self._plan(design, recognise, rng), rng).source(_doc(design))

    def repair(
        self, design: Mapping[str, str], code: str, recognise: Recognise, rng: np.random.Generator
    ) -> str:
        """A simpler policy for a design whose code failed: fewer rules, at last the last resort."""
        plan = self._plan(design, recognise, rng)
        while plan.rules:
            plan = plan.simpler()
            source = self.draft(plan, rng).source(_doc(design))
            if len(source) < len(code):
                return source
        return self.draft(self.last_resort, rng).source(_doc(design))

    def read(self, text: str) -> Plan | None:
        """The plan whose line a text holds, if its parts exist."""
        return read(text, self.structures, self.rules)

    def _plan(self, design: Mapping[str, str], recognise: Recognise, rng: np.random.Generator) -> Plan:
        plan = self.read(" ".join(design.values()))
        if plan is not None:
            return plan
        found = {m.id: (m.parts, m.strength(text)) for text in design.values() for m in [recognise(text)]}
        return self.combine(list(found.values())[:_MOST_PARTS], rng)


def _sentences(design: Mapping[str, str]) -> list[str]:
    return [text for text in re.split(r"(?<=\.)\s+", design.get("idea", "")) if text][:_IDEAS]


def _name(plan: Plan, rng: np.random.Generator) -> str:
    rules = [part.name.partition("_")[2] for part in plan.rules]
    rng.shuffle(rules)
    return " ".join([*rules[:2], plan.structure.name]).title()


def _idea(plan: Plan, observed: Sequence[tuple[Mechanism, str]], state: Sequence[str]) -> str:
    """Two observations that the plan carries out as they say; for lack of them, what is kept, the structure first.

    A mechanism whose place was taken contributes another part than it speaks of, so that its observation would
    mislead who reads the policy.
    """
    parts = {plan.structure.name, *(rule.name for rule in plan.rules)}
    found = [text if text.endswith(".") else f"{text}." for m, text in observed if m.parts[0] in parts]
    texts = list(dict.fromkeys(found))[:_IDEAS]
    return " ".join([*texts, *state[::-1][: _IDEAS - len(texts)]])


def _doc(design: Mapping[str, str]) -> str:
    words = f"{design.get('name', 'Composed')}: {design.get('idea', '')}".split()
    lines = [""]
    for word in words:
        word = word.replace("\\", "/").replace('"', "'")
        if len(lines[-1]) + len(word) > 98:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n    ".join(lines)
