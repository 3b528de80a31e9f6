"""Where stimuli come from and how they are chosen: dictionary, text embedding, RSDict, RSDict-SF."""

from stimuli.base import Choice, Embedder, History, ScoredSolution, StimulusError, StimulusStrategy
from stimuli.dictionary import Dictionary
from stimuli.embedding import TextEmbedder
from stimuli.lexicon import Entry, Lexicon, Sense
from stimuli.rsdict import RSDict
from stimuli.rsdict_sf import RSDictSF

__all__ = [
    "Choice",
    "Dictionary",
    "Embedder",
    "Entry",
    "History",
    "Lexicon",
    "RSDict",
    "RSDictSF",
    "ScoredSolution",
    "Sense",
    "StimulusError",
    "StimulusStrategy",
    "TextEmbedder",
]
