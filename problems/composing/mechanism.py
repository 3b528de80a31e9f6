"""One entry of a problem's catalogue of mechanisms."""

from __future__ import annotations

from dataclasses import dataclass

#: How strong a mechanism is meant to be (0 low, 1 high) by the place of its phrase in ``Mechanism.amounts``.
_STRENGTHS = (0.15, 0.5, 0.85)


@dataclass(frozen=True)
class Mechanism:
    """A mechanism of a problem.

    Attributes:
        id: Its name.
        likeness: What behaves like this in the world; compared with the properties of a stimulus.
        sentence: The observation, in the problem's terms; ``{amount}`` is one of ``amounts``.
        amounts: Phrases for little, medium and much.
        parts: Structures and rules that carry it out, dearest first; which it becomes depends on the others.
    """

    id: str
    likeness: str
    sentence: str
    amounts: tuple[str, str, str]
    parts: tuple[str, ...]

    def strength(self, text: str) -> float | None:
        """How strong a text wants it, by the phrase it uses; None if it uses none of them."""
        lower = text.lower()
        for amount, strength in zip(self.amounts, _STRENGTHS, strict=True):
            if amount in lower:
                return strength
        return None


def entry(id: str, parts: str, amounts: tuple[str, str, str], likeness: str, sentence: str) -> Mechanism:
    """A mechanism in the order that reads best in a catalogue; ``parts`` are separated by blanks."""
    return Mechanism(id, likeness, sentence, amounts, tuple(parts.split()))
