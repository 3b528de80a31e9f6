"""Text embedding: meaning, normalisation, determinism, and no heavy or networked import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stimuli import StimulusError, TextEmbedder
from stimuli.embedding import TOKENIZER, WEIGHTS

TRIPLES = [
    (
        "evict the least recently used item",
        "remove the entry that was accessed longest ago",
        "bake the bread",
    ),
    ("keep popular objects in memory", "retain frequently requested items", "the violin plays a sad song"),
    ("a large natural stream of water", "a river flows through the valley", "the lawyer signed a contract"),
]


@pytest.fixture(scope="module")
def embedder() -> TextEmbedder:
    return TextEmbedder()


@pytest.mark.parametrize("triple", TRIPLES)
def test_paraphrases_are_nearer_than_unrelated_texts(embedder: TextEmbedder, triple: tuple[str, ...]) -> None:
    text, paraphrase, unrelated = embedder.embed(triple)
    assert text @ paraphrase > text @ unrelated + 0.1


def test_rows_have_unit_length_and_do_not_depend_on_the_batch(embedder: TextEmbedder) -> None:
    texts = [text for triple in TRIPLES for text in triple] * 150
    together = embedder.embed(texts)
    assert together.shape == (1350, 256)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)
    alone = np.concatenate([embedder.embed([text]) for text in texts[:9]])
    assert np.array_equal(alone, together[:9])
    assert np.array_equal(alone, together[1026:1035])


def test_texts_without_tokens_and_no_texts(embedder: TextEmbedder) -> None:
    mixed = embedder.embed(["", "river", "", "slow"])
    assert not mixed[[0, 2]].any()
    assert np.array_equal(mixed[[1, 3]], embedder.embed(["river", "slow"]))
    assert embedder.embed([]).shape == (0, 256)
    assert embedder.embed([""]).shape == (1, 256)


def test_a_single_string_is_refused(embedder: TextEmbedder) -> None:
    with pytest.raises(TypeError):
        embedder.embed("river")


def test_name_tells_model_and_version(embedder: TextEmbedder) -> None:
    assert embedder.name.startswith("wordllama-l2_supercat_256/0.")


def test_the_package_is_not_imported() -> None:
    code = (
        "import sys; from stimuli import TextEmbedder; assert 'tokenizers' not in sys.modules;"
        "TextEmbedder().embed(['river']); assert 'wordllama' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stimuli.embedding.util.find_spec", lambda name: None)
    with pytest.raises(StimulusError, match="pip install wordllama"):
        TextEmbedder().embed(["river"])


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StimulusError, match="lacks the file"):
        TextEmbedder(tmp_path).embed(["river"])
    for name in (WEIGHTS, TOKENIZER):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(StimulusError, match="Cannot read the tokenizer"):
        TextEmbedder(tmp_path).embed(["river"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        b"\x02\0\0\0\0\0\0\0{}",
        (72).to_bytes(8, "little")
        + b'{"embedding.weight":{"dtype":"F32","shape":[1,256],"data_offsets":[0,9]}}'[:72],
    ],
)
def test_broken_weights_are_named(tmp_path: Path, content: bytes, embedder: TextEmbedder) -> None:
    for name in (WEIGHTS, TOKENIZER):
        (tmp_path / name).parent.mkdir()
    (tmp_path / WEIGHTS).write_bytes(content)
    (tmp_path / TOKENIZER).symlink_to(embedder._file(TOKENIZER))
    with pytest.raises(StimulusError, match="Cannot read the token vectors"):
        TextEmbedder(tmp_path).embed(["river"])
