"""Passages of the user's own texts: papers, incident notes, design documents, code."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

from stimuli.base import StimulusError
from stimuli.sources.base import Kind

#: Words of a passage.
SHORTEST, LONGEST = 8, 90
#: Characters of one word or run of signs that is still text.
_LONGEST_WORD = 200


class TextFiles:
    """Passages of text files: paragraphs, or blocks of code between blank lines; long ones are cut.

    Args:
        patterns: Paths or globs with commas between them.
    """

    name = "files"
    kind: Kind = "passage"
    card = (
        "Paragraphs of your own text files: papers, incident notes, design documents, code. They bring in what is"
        " peculiar to your system. A hosted model sees the passages that are drawn, word by word."
    )

    def __init__(self, patterns: str | None) -> None:
        self._patterns = patterns

    def stimuli(self) -> tuple[str, ...]:
        """Distinct passages in the order of the files' names and of their places in them."""
        if not self._patterns:
            raise StimulusError("stimuli.source=files needs stimuli.files=, paths or globs of text files.")
        found: dict[str, None] = {}
        for path in self._paths():
            found.update(dict.fromkeys(passages(_read(path))))
        if not found:
            raise StimulusError(
                f"There is no passage of at least {SHORTEST} words in stimuli.files={self._patterns}."
            )
        return tuple(found)

    def _paths(self) -> list[Path]:
        paths: list[Path] = []
        for pattern in (part.strip() for part in (self._patterns or "").split(",")):
            matches = sorted(Path(p) for p in glob.glob(pattern, recursive=True) if Path(p).is_file())
            if not matches:
                raise StimulusError(f"stimuli.files: nothing matches {pattern}.")
            paths += matches
        return list(dict.fromkeys(paths))


def passages(text: str) -> Iterator[str]:
    """Cut a text at blank lines, and what is longer than ``LONGEST`` words at ends of sentences or anywhere."""
    for block in re.split(r"\n\s*\n", text):
        words = block.split()
        if not words or max(map(len, words)) > _LONGEST_WORD:
            continue
        while len(words) > LONGEST:
            ends = [n for n, word in enumerate(words[:LONGEST], 1) if word[-1] in ".!?;"]
            end = ends[-1] if ends and ends[-1] >= SHORTEST else LONGEST
            yield " ".join(words[:end])
            words = words[end:]
        if len(words) >= SHORTEST:
            yield " ".join(words)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StimulusError(f"stimuli.files: cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StimulusError(
            f"stimuli.files: {path} is not UTF-8 text; convert it to plain text first."
        ) from None
