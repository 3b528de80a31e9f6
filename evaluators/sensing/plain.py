"""A YAML file of a person: every value with its line, every mistake noted, and all of them said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from evaluators.base import WorkloadError
from evaluators.sensing.units import WrongError, near

T = TypeVar("T")
#: Bytes of the largest file, levels of the deepest, and values of the fullest (aliases of YAML can stand for very many).
_LARGEST, _DEEPEST, _FULLEST = 2_000_000, 12, 100_000


@dataclass
class Notes:
    """The mistakes in a file.

    Attributes:
        file: Its path, as it was given.
        found: Line and message of each.
    """

    file: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        """Note a mistake."""
        if (line, message) not in self.found:
            self.found.append((line, message))

    def check(self) -> None:
        """Say all that was noted.

        Raises:
            WorkloadError: There is something.
        """
        if not self.found:
            return
        count = len(self.found)
        lines = [f"line {line}: {message}" for line, message in sorted(self.found)]
        if count == 1:
            raise WorkloadError(f"{self.file}, {lines[0]}")
        raise WorkloadError("\n  ".join([f"{self.file}: {count} things to put right:", *lines]))


@dataclass(frozen=True)
class Text:
    """A value as it stands in the file.

    Attributes:
        text: As written.
        line: Its line, from 1.
    """

    text: str
    line: int


class Section:
    """A part of the file in which names have values; it notes what nobody asked for.

    Args:
        notes: Where mistakes go.
        title: What messages call it.
        line: Where it begins.
        entries: What it holds.
    """

    def __init__(self, notes: Notes, title: str, line: int, entries: dict[str, Any]) -> None:
        self.notes = notes
        self.title = title
        self.line = line
        self._entries = entries
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def names(self) -> list[str]:
        """What it names, in the file's order."""
        return list(self._entries)

    def line_of(self, key: str) -> int:
        """The line of a value, the section's if there is none."""
        found = self._entries.get(key)
        return self.line if found is None else int(getattr(found, "line", self.line))

    def take(self, key: str, read: Callable[[str], T], default: T, needed: str = "") -> T:
        """A value, read; the default if it is missing, or if it cannot be read, which is noted.

        Args:
            key: Its name.
            read: Makes it of the text; raises WrongError.
            default: What else.
            needed: How it is written, if the file must have it.
        """
        self._known.append(key)
        found = self._entries.get(key)
        if found is None:
            if needed:
                self.notes.add(self.line, f"{self.title} does not say {key}; write it like {key}: {needed}")
            return default
        if not isinstance(found, Text):
            self.notes.add(self.line_of(key), f"{key} is one value{f', such as {needed}' if needed else ''}, not a list or a section")  # fmt: skip
            return default
        try:
            return read(found.text)
        except WrongError as error:
            self.notes.add(found.line, f"{key}: {error}")
            return default

    def texts(self, key: str) -> list[Text]:
        """The values of a list, or a single one as a list."""
        self._known.append(key)
        found = self._entries.get(key)
        if found is None:
            return []
        items = found if isinstance(found, list) else [found]
        good = [item for item in items if isinstance(item, Text)]
        if len(good) < len(items):
            self.notes.add(self.line_of(key), f"{key} is a list of plain values")
        return good

    def take_any(self, key: str, needed: str) -> Section | int | list[str] | None:
        """A section, a whole number of things, or a list of names; None if it is missing or none of them, which is noted."""
        self._known.append(key)
        found = self._entries.get(key)
        if isinstance(found, Section):
            return found
        if isinstance(found, list) and all(isinstance(item, Text) for item in found):
            return [" ".join(item.text.split()) for item in found]
        if isinstance(found, Text) and found.text.isdigit() and 0 < int(found.text) <= _FULLEST:
            return int(found.text)
        self.notes.add(self.line_of(key), f"{self.title}: {key} is {needed}")
        return None

    def section(self, key: str, title: str = "", needed: str = "") -> Section:
        """A part of this one; an empty one if it is missing."""
        self._known.append(key)
        found = self._entries.get(key)
        if isinstance(found, Section):
            found.title = title or key
            return found
        if found is not None:
            self.notes.add(self.line_of(key), f"{key} is a section: the names of its parts follow, indented{needed and f', such as {needed}'}")  # fmt: skip
        elif needed:
            self.notes.add(self.line, f"{self.title} has no {key}; it is a section with {needed}")
        return Section(self.notes, title or key, self.line_of(key), {})

    def sections(self, key: str, title: str, needed: str = "") -> Iterator[tuple[str, Section]]:
        """The named parts of a part."""
        whole = self.section(key, needed=needed)
        for name in whole.names():
            yield name, whole.section(name, f"{title} {name}", needed="its properties")
        whole.done()

    def done(self) -> None:
        """Note what was not asked for."""
        known = sorted(set(self._known))
        for key in self._entries:
            if key not in known:
                hint = near(key, known) or f"; it has {', '.join(known)}"
                self.notes.add(self.line_of(key), f"{self.title} has no {key}{hint}")


def read_plain(path: str) -> Section:
    """The file as a section.

    Raises:
        WorkloadError: It cannot be read, or is no YAML with names and values.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            raise WorkloadError(f"{path}: is too large for a description of a deployment")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WorkloadError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise WorkloadError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise WorkloadError(f"{path}{_where(error)}") from None
    notes = Notes(path)
    if not isinstance(root, yaml.MappingNode):
        raise WorkloadError(f"{path}: holds no names with values, such as place: 39.4 N, 76.5 W")
    made = _made(root, notes, iter(range(_FULLEST)), 0)
    assert isinstance(made, Section)
    made.title = "the file"
    return made


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or " ".join(str(error).split())
    if what is not None and "\\t" in what:
        what = "a tab where spaces indent; YAML takes spaces only"
    if mark is None:
        return f": cannot be read as YAML ({what})"
    return f", line {mark.line + 1}: cannot be read as YAML ({what}); look at this line and the one before"


def _made(
    node: yaml.Node, notes: Notes, left: Iterator[int], depth: int
) -> Section | list[Any] | Text | None:
    """A node of YAML as the file's reader sees it; ``left`` counts the values that it may still have."""
    line = node.start_mark.line + 1
    if next(left, None) is None:
        raise WorkloadError(f"{notes.file}, line {line}: the file has more than {_FULLEST:,} values")
    if depth > _DEEPEST:
        raise WorkloadError(f"{notes.file}, line {line}: sections lie in one another {_DEEPEST} deep")
    if isinstance(node, yaml.ScalarNode):
        return Text(str(node.value), line) if node.value != "" else None
    if isinstance(node, yaml.SequenceNode):
        return [made for child in node.value if (made := _made(child, notes, left, depth + 1)) is not None]
    assert isinstance(node, yaml.MappingNode)
    entries: dict[str, Any] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            notes.add(at, "a name before a colon is plain text")
            continue
        name = str(key.value)
        if name in entries:
            notes.add(at, f"{name} stands here twice; only one can hold")
        entries[name] = _made(value, notes, left, depth + 1)
    return Section(notes, "", line, entries)
