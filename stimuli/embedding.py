"""Sentence embedding from static word vectors that ship inside the PyPI package ``wordllama``.

The package holds a table of 32,000 token vectors of 256 numbers each (16 bit) and the tokenizer that goes
with it; a text's embedding is the mean of its tokens' vectors, scaled to unit length, as in ``wordllama``
itself. Its own loader is not used: it looks for the tokenizer on the network although the package contains
it, and importing it pulls in much more than these two files. Nothing is downloaded here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stimuli.base import StimulusError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "wordllama"
WEIGHTS = "weights/l2_supercat_256.safetensors"
TENSOR = "embedding.weight"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"

_BATCH = 1024
"""Texts pooled at a time: bounds the gathered token vectors to some 10 MB for short texts."""


class TextEmbedder:
    """Unit-length text vectors; deterministic, and a text's vector does not depend on its neighbours in a
    batch.

    The files are read on first use (about 0.1 s, the vectors are mapped and not copied).

    Args:
        directory: where to find the two files instead of in the installed package (for tests).
    """

    dimension = 256

    def __init__(self, directory: Path | None = None) -> None:
        self._given_directory = directory

    @cached_property
    def name(self) -> str:
        """Model and version, e.g. ``wordllama-l2_supercat_256/0.4.0.post1``."""
        try:
            version = metadata.version(PACKAGE)
        except metadata.PackageNotFoundError:
            version = "unknown"
        return f"{PACKAGE}-{Path(WEIGHTS).stem}/{version}"

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row per text, shape [len(texts), 256]; a text without tokens (such as "") gives zeros.

        Raises:
            StimulusError: the files of ``wordllama`` are missing or unreadable.
        """
        if isinstance(texts, str):
            raise TypeError("embed expects a sequence of texts, not one string")
        rows = [self._embed_batch(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(rows) if rows else np.zeros((0, self.dimension), np.float32)

    def _embed_batch(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        # One call a text: encode_batch would start a thread pool, which must not exist when the process
        # forks.
        ids = [self._tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        lengths = np.array([len(tokens) for tokens in ids])
        pooled = np.zeros((len(texts), self.dimension), np.float32)
        filled = lengths > 0
        if not filled.any():
            return pooled
        vectors = self._weights[np.concatenate([tokens for tokens in ids if tokens])].astype(np.float32)
        starts = np.cumsum(lengths[filled]) - lengths[filled]
        # The sum is as good as the mean: the length is divided away.
        sums = np.add.reduceat(vectors, starts, axis=0)
        norms = np.sqrt(np.einsum("ij,ij->i", sums, sums))[:, np.newaxis]
        pooled[filled] = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)
        return pooled

    @cached_property
    def _directory(self) -> Path:
        if self._given_directory is not None:
            return self._given_directory
        # find_spec of a top-level name locates a package without executing it.
        spec = util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise StimulusError(
                f"The text embedding needs the package {PACKAGE}: run 'pip install {PACKAGE}'."
            )
        return Path(spec.submodule_search_locations[0])

    def _file(self, name: str) -> Path:
        path = self._directory / name
        if not path.is_file():
            raise StimulusError(
                f"The package {PACKAGE} lacks the file {path}; reinstall it (0.4.0.post1 has it)."
            )
        return path

    @cached_property
    def _weights(self) -> npt.NDArray[np.float16]:
        return _read_float16_tensor(self._file(WEIGHTS), TENSOR, self.dimension)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return _read_tokenizer(self._file(TOKENIZER))


@lru_cache(maxsize=1)
def _read_tokenizer(path: Path) -> Tokenizer:
    """One for all embedders: it takes 20 MB, and is not changed by its use."""
    from tokenizers import Tokenizer  # late: 60 ms that a run without embeddings need not spend

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust library raises bare Exception
        raise StimulusError(f"Cannot read the tokenizer {path}: {error}.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _read_float16_tensor(path: Path, name: str, columns: int) -> npt.NDArray[np.float16]:
    """Maps one matrix of a safetensors file: 8 bytes header length, JSON header, then the raw numbers."""
    try:
        with path.open("rb") as file:
            header_length = int.from_bytes(file.read(8), "little")
            if header_length > path.stat().st_size:
                raise ValueError("the header is longer than the file")
            header = json.loads(file.read(header_length))
        tensor = header[name]
        shape, (start, end) = tuple(tensor["shape"]), tensor["data_offsets"]
        if (
            tensor["dtype"] != "F16"
            or len(shape) != 2
            or shape[1] != columns
            or end - start != 2 * math.prod(shape)
        ):
            raise ValueError(f"tensor {name} is not a float16 matrix of {columns} columns")
        return np.memmap(path, dtype="<f2", mode="r", offset=8 + header_length + start, shape=shape)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StimulusError(f"Cannot read the token vectors {path}: {error}.") from error
