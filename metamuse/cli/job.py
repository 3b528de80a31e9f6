"""``--cfg job``: every setting with its value, and what the files under ``conf/`` say of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from metamuse import config

#: Columns that a line is wrapped at; where the comments of a group begin, at most.
_WIDTH, _COMMENTS_AT = 120, 34
_LINE = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?P<value>(?: [^#]*)?)(?:#\s*(?P<comment>.*))?$")


def text(overrides: Sequence[str]) -> str:
    """The configuration that the overrides lead to, as YAML with comments.

    Raises:
        UsageError: An override is malformed or names something that does not exist.
    """
    choices = config.choices(overrides)
    about: dict[str, str] = {}
    files = {"": "config"} | {group: f"{group}/{name}" for group, name in choices.items()}
    for group, file in files.items():
        path = config.folder() / f"{file}.yaml"
        if path.is_file():
            about |= comments(path.read_text(encoding="utf-8"), group)
    return "\n".join(_lines(config.compose(overrides), about, "")) + "\n"


def comments(source: str, group: str = "") -> dict[str, str]:
    """What a file of settings says of each of them, by dotted key; of the file itself under the group's name.

    Args:
        source: The text of the file.
        group: Where its settings stand.
    """
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = [(-1, group)] if group else []
    head = re.match(r"(?:#(?! @).*\n)+", source)
    if head and group:
        found[group] = " ".join(line.lstrip("# ") for line in head[0].splitlines())
    for line in source.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        indent = len(match["indent"])
        while path and path[-1][0] >= indent:
            path.pop()
        path.append((indent, match["key"]))
        if match["comment"]:
            found[".".join(key for _, key in path)] = match["comment"].strip()
    return found


def _lines(settings: Mapping[str, Any], about: Mapping[str, str], before: str) -> Iterator[str]:
    """A mapping's entries; at the top, groups stand apart from one another and below what is said of them."""
    indent = "  " * before.count(".")
    entries = {
        key: f"{indent}{key}:" if isinstance(value, dict) and value else f"{indent}{key}: {_scalar(value)}"
        for key, value in settings.items()
    }
    column = min(_COMMENTS_AT, max((len(entry) for entry in entries.values()), default=0))
    was_group = False
    for number, (key, value) in enumerate(settings.items()):
        comment = about.get(before + key, "")
        inner = value if isinstance(value, dict) else {}
        if not before:
            if number and (inner or was_group):
                yield ""
            was_group = bool(inner)
        if inner and not before:
            yield from textwrap.wrap(comment, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            comment = ""
        yield f"{entries[key]:<{column}}  # {comment}" if comment else entries[key]
        yield from _lines(inner, about, f"{before}{key}.")


def _scalar(value: Any) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    entry: str = dumped
    return entry.removesuffix("\n").removesuffix("\n...")
