"""The way from mechanisms to observations, designs and policies, the same for every problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from problems.composing.draft import Draft
from problems.composing.mechanism import Mechanism
from problems.composing.plan import Plan, Wish, read

#: Mechanisms taken from a design that was not composed here.
_MOST_PARTS = 5

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
        draft = self.draft(plan, rng)
        name = _name(plan, rng)
        draft.source(name)  # claims the constants that only the finished module needs
        prose = {key: draft.said(key) or silence for key, silence in self.silent.items()}
        prose["state"] += " " + plan.line(draft.numbers)
        design = {"name": name, "idea": _idea(observed), "constants": draft.ranges(), **prose}
        return {key: design.get(key, "As the other parts say.") for key in keys}

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
