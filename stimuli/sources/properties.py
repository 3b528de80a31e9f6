"""Properties of things instead of their names: phrases from WordNet's definitions."""

from __future__ import annotations

from stimuli.lexicon import Lexicon
from stimuli.sources.base import Kind

#: Shorter ones say too little, longer ones are no single property.
_WORDS = range(3, 13)


class Properties:
    """Short phrases that say what things are, have and do, one step closer to a mechanism than a word.

    Args:
        lexicon: Holds the definitions.
    """

    name = "properties"
    kind: Kind = "passage"
    card = (
        "Phrases from WordNet's definitions of about 3,000 words, such as what a thing is made of or does, without"
        " the word. They spare the model the step from a word to its properties. A hosted model sees single phrases."
    )

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or Lexicon()

    def stimuli(self) -> tuple[str, ...]:
        """The first fitting clause of the definition of every word, in the order of the words."""
        phrases: dict[str, None] = {}
        for word in self._lexicon.words():
            for phrase in self._lexicon.properties(word):
                if len(phrase.split()) in _WORDS and word not in phrase:
                    phrases[phrase] = None
                    break
        return tuple(phrases)
