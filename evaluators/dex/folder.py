"""Cells from files: YAML with one cell or a list of cells, each a mapping of the fields that differ from the paper's system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluators.base import WorkloadError
from evaluators.dex.cell import Cell, known


def read_cells(path: str, given: Mapping[str, Any]) -> list[Cell]:
    """The cells of a file, named ``path`` or ``path#number``.

    Args:
        path: A YAML file.
        given: Fields that all cells are given.

    Raises:
        WorkloadError: The file is no such file, or a cell makes no sense.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        raise WorkloadError(f"{path}: is no YAML ({' '.join(str(error).split())})") from None
    entries = content if isinstance(content, list) else [content]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise WorkloadError(
            f"{path}: holds no cell; a cell is a mapping such as {{cache_mb: 256, mix: read-only}}"
        )
    names = [path] if len(entries) == 1 else [f"{path}#{i}" for i in range(len(entries))]
    cells = []
    for name, entry in zip(names, entries, strict=True):
        unknown = sorted(str(key) for key in set(entry) - set(known()))
        if unknown:
            raise WorkloadError(f"{name}: a cell has no {unknown[0]}; it has {', '.join(known())}")
        try:
            cells.append(Cell(name, **{**entry, **given}))
        except TypeError as error:
            raise WorkloadError(f"{name}: {error}") from None
    return cells
