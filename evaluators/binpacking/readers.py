"""Reads bin packing instances: OR-Library text, or JSON ``{name: {"capacity": c, "items": [...]}}``.

The content says which it is (JSON begins with a brace); `.gz`, `.zst` and `.xz` are decompressed. Sizes may be
decimal fractions: an instance is then multiplied by the smallest power of ten that makes its capacity and all
its sizes whole, exactly. A file is in memory while it is read.
"""

from __future__ import annotations

from pathlib import Path

from evaluators.base import WorkloadError
from evaluators.binpacking.instance import Instance
from evaluators.binpacking.json_file import read_json
from evaluators.binpacking.or_library import OrLibrary
from evaluators.binpacking.stream import Stream
from evaluators.streams import check_file, read_chunks

_CHUNK = 1 << 24


def read_streams(path: str | Path) -> list[Stream]:
    """Reads all instances of a file; they are named `path#instance`, or `path` if there is only one.

    Raises:
        WorkloadError: The file cannot be read as bin packing instances; one sentence with file and position.
    """
    name = str(path)
    check_file(name)
    data = b"".join(read_chunks(name, _CHUNK))
    if not data.strip():
        raise WorkloadError(f"{name}: the file is empty")
    instances = read_json(name, data) if data.lstrip()[:1] == b"{" else OrLibrary(name, data).instances()
    return [_stream(instance, name, len(instances)) for instance in instances]


def _stream(instance: Instance, path: str, of: int) -> Stream:
    return instance.stream(path if of == 1 else f"{path}#{instance.name}")
