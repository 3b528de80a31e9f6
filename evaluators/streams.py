"""Opens a file, decompressing by suffix (.zst .gz .xz) in bounded memory, and names its faults."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from evaluators.base import WorkloadError

# Arrow's codecs notice a file that ends in the middle of a frame; many zstd readers pass over it silently.
_ARROW_CODECS = {".zst": "zstd", ".gz": "gzip"}
COMPRESSIONS = (*_ARROW_CODECS, ".xz")


def split_compression(path: str) -> tuple[str, str]:
    """Splits `trace.csv.zst` into (`trace.csv`, `.zst`); the second is empty without compression."""
    suffix = PurePath(path).suffix.lower()
    return (path[: -len(suffix)], suffix) if suffix in COMPRESSIONS else (path, "")


def check_file(path: str) -> None:
    """Raises a WorkloadError unless `path` is a readable, non-empty regular file."""
    file = Path(path)
    try:
        if file.is_dir():
            raise WorkloadError(f"{path}: is a directory; name its files, for example {path.rstrip('/')}/*")
        if not file.exists():
            raise WorkloadError(f"{path}: no such file")
        with file.open("rb") as handle:
            if not handle.read(1):
                raise WorkloadError(f"{path}: the file is empty")
    except OSError as error:
        raise WorkloadError(f"{path}: cannot be read ({error.strerror or error})") from None


@contextmanager
def open_stream(path: str) -> Iterator[Any]:
    """Yields a binary file-like object with the decompressed content.

    Faults of the file or its compression that surface inside the `with` block become a WorkloadError; errors
    of Arrow about the content (`pa.ArrowInvalid`) pass, as the parser knows better what they mean.
    """
    suffix = split_compression(path)[1]
    try:
        if suffix == ".xz":
            with lzma.open(path, "rb") as stream:
                yield stream
        elif suffix:
            with pa.CompressedInputStream(pa.OSFile(path), _ARROW_CODECS[suffix]) as stream:
                yield stream
        else:
            with pa.OSFile(path) as stream:
                yield stream
    except (OSError, EOFError, lzma.LZMAError) as error:
        what = f"the {suffix} data is corrupt or cut off" if suffix else "cannot be read"
        raise WorkloadError(f"{path}: {what} ({' '.join(str(error).split())})") from None


def read_chunks(path: str, size: int) -> Iterator[bytes]:
    """Yields the decompressed content in chunks of `size` bytes; only the last may be shorter.

    Raises:
        WorkloadError: The compression is corrupt; the message says after how many decompressed bytes.
    """
    done = 0
    pending = b""
    try:
        with open_stream(path) as stream:
            while piece := stream.read(size - len(pending)):
                done += len(piece)
                pending = pending + piece if pending else piece
                if len(pending) == size:
                    yield pending
                    pending = b""
    except WorkloadError as error:
        raise WorkloadError(f"{error}, after byte {done:,} of the decompressed data") from None
    if pending:
        yield pending
