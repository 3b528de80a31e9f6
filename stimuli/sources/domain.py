"""Words of the problem's own field."""

from __future__ import annotations

from collections.abc import Sequence

from stimuli.base import StimulusError
from stimuli.sources.base import Kind


class DomainWords:
    """Terms that experts of the problem would use.

    Args:
        problem: Name of the problem.
        words: Its terms (``problems/<name>/prompts/words.txt``), None if it has no such file.
    """

    name = "domain"
    kind: Kind = "word"
    card = (
        "Terms of the problem's own field. They keep ideas close to what is known; the paper measured fewer distinct"
        " and less useful solutions than with everyday words (appendix E). A hosted model sees single terms."
    )

    def __init__(self, problem: str, words: Sequence[str] | None) -> None:
        self._problem = problem
        self._words = words

    def stimuli(self) -> tuple[str, ...]:
        """The terms in the order of the file."""
        if self._words is None:
            raise StimulusError(
                f"The problem {self._problem} has no words of its own; write some, one a line, into"
                f" problems/{self._problem}/prompts/words.txt."
            )
        return tuple(dict.fromkeys(self._words))
