"""The contract of a stimulus source."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["word", "passage", "mechanism"]
"""What a stimulus is: a *word* names a thing, whose properties are found first; a *passage* is a text, in which a
mechanism is found; a *mechanism* is an observation already, and nobody has to be asked."""


class Source(Protocol):
    """Where stimuli come from."""

    @property
    def name(self) -> str:
        """As in ``stimuli.source=``."""

    @property
    def kind(self) -> Kind:
        """What its stimuli are."""

    @property
    def card(self) -> str:
        """For people: what it holds, when it helps, what of it a hosted model gets to see. A few sentences."""

    def stimuli(self) -> tuple[str, ...]:
        """Distinct stimuli, in an order that is the same on every machine.

        Raises:
            StimulusError: They cannot be read; the message is one sentence for the user.
        """
