"""Finds the files that a person names: paths, globs and comma lists of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from evaluators.base import WorkloadError


def expand_paths(patterns: str | Sequence[str], base: Path | None = None) -> list[str]:
    """Returns the files that paths, globs (`**` included) and comma lists of them name.

    Args:
        patterns: One text or several. A text that names an existing file is that file, even if it has a
            comma or a bracket in it. `~` is expanded.
        base: Folder that relative patterns start from; results then start with it. Default: the working
            folder, and results stay as given.

    Returns:
        Sorted paths without duplicates. Folders that a glob happens to match are left out.

    Raises:
        WorkloadError: A pattern matches no file, or is empty.
    """
    texts = [patterns] if isinstance(patterns, str) else list(patterns)
    found: dict[str, str] = {}
    if not texts:
        raise WorkloadError("no files are given")
    for text in texts:
        parts = [text] if _is_file(_rooted(text, base)) else [part.strip() for part in text.split(",")]
        for part in parts:
            if not part:
                raise WorkloadError(f"the list of files {text!r} has an empty entry")
            for path in _matches(part, base):
                found.setdefault(os.path.abspath(path), path)
    return sorted(found.values())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long comma list is no file name
        return False


def _rooted(text: str, base: Path | None) -> Path:
    path = Path(text).expanduser()
    return path if base is None else base / path


def _matches(pattern: str, base: Path | None) -> list[str]:
    rooted = _rooted(pattern, base)
    # Path() normalises "./x"; a plain path is handed back exactly as the user gave it.
    literal = pattern if base is None and not pattern.startswith("~") else str(rooted)
    if _is_file(rooted):
        return [literal]
    if rooted.is_dir():
        raise WorkloadError(f"{literal}: is a directory; name its files, for example {literal.rstrip('/')}/*")
    hits = [hit for hit in glob.glob(literal, recursive=True) if os.path.isfile(hit)]
    if not hits:
        where = f" (from {base or Path.cwd()})" if not Path(pattern).expanduser().is_absolute() else ""
        raise WorkloadError(f"{pattern}: no file matches{where}")
    return hits
