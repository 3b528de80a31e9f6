"""Where stimuli come from, one source a module; see :class:`stimuli.sources.base.Source`."""

from stimuli.sources.base import Kind, Source
from stimuli.sources.common import CommonWords
from stimuli.sources.domain import DomainWords
from stimuli.sources.files import TextFiles
from stimuli.sources.properties import Properties
from stimuli.sources.winners import Winners

__all__ = ["CommonWords", "DomainWords", "Kind", "Properties", "Source", "TextFiles", "Winners"]
