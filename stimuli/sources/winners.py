"""Mechanisms of earlier winners: what worked comes back in other company."""

from __future__ import annotations

from collections.abc import Sequence

from stimuli.base import StimulusError
from stimuli.sources.base import Kind


class Winners:
    """The observations from which the best solutions of earlier runs were made.

    Args:
        mechanisms: Their texts, the best solution's first; None if no runs are named.
    """

    name = "winners"
    kind: Kind = "mechanism"
    card = (
        "The observations behind the best solutions of earlier runs on the same problem. They are taken over as they"
        " are, nobody is asked, so they cost nothing; drawn beside everyday words they mix what worked with what is"
        " new. A hosted model sees their texts in the design prompt."
    )

    def __init__(self, mechanisms: Sequence[str] | None) -> None:
        self._mechanisms = mechanisms

    def stimuli(self) -> tuple[str, ...]:
        """The texts."""
        if self._mechanisms is None:
            raise StimulusError(
                "stimuli.source=winners needs stimuli.runs=, runs to learn from: paths or names, or latest."
            )
        if not self._mechanisms:
            raise StimulusError("The runs of stimuli.runs hold no executable solution with observations.")
        return tuple(dict.fromkeys(self._mechanisms))
