"""Everyday words: the paper's dictionary (§3.2.1)."""

from __future__ import annotations

from stimuli.lexicon import Lexicon
from stimuli.sources.base import Kind


class CommonWords:
    """About 3,000 common English words.

    Args:
        lexicon: Holds them.
    """

    name = "common"
    kind: Kind = "word"
    card = (
        "About 3,000 everyday English words with nothing to do with any problem. The paper's choice: far-fetched"
        " words led to more distinct solutions than words of the domain. A hosted model sees single words."
    )

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or Lexicon()

    def stimuli(self) -> tuple[str, ...]:
        """The words in alphabetical order."""
        return self._lexicon.words()
