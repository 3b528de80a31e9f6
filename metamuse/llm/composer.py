"""The offline composer: answers MetaMuse's own prompts without a model, by recombining known mechanisms.

It is not an LLM and is not called one. It stands in for one so that a fresh clone can run, and it goes the same
way: word -> properties (from the lexicon) -> a mechanism of the problem that resembles one of them (text
embedding) -> observation -> design -> code. Everything depends on the messages and the seed alone.

What it knows of a problem is ``LIBRARY`` in ``problems/<name>/mechanisms``, see :class:`Library`. To teach it
another problem, write that module: a catalogue of mechanisms and three methods.
"""

from __future__ import annotations

import importlib
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from metamuse.llm.custom_provider import ComposerCall
from metamuse.llm.types import Message
from stimuli import Lexicon, TextEmbedder

#: Properties listed in an answer.
_LISTED = 5
#: Of the z-scores: small prefers the most similar mechanism, large forgets the word.
_TEMPERATURE = 0.4
#: Mechanisms of a design that nothing suggests.
_PARTS = 4
#: Words of the lexicon from which a mechanism's usual similarity is estimated: every so many-th.
_STRIDE = 3
_BALANCING_ROUNDS = 30

_PROBLEM = re.compile(r"^Problem \(([a-z_]+)-v\d+\):", re.MULTILINE)
_WORD = re.compile(r"^Word: (.+)$", re.MULTILINE)
_WORDS = re.compile(r"^Words: (.+)$", re.MULTILINE)
_WANTED = re.compile(r"^Mechanisms wanted: (\d+)", re.MULTILINE)
_DOC = re.compile(r'"""(.*?)"""', re.DOTALL)
_KEY = re.compile(r'^- "(\w+)": ', re.MULTILINE)
_FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)

FloatArray = npt.NDArray[np.float64]


class Mechanism(Protocol):
    """A mechanism of a problem."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def likeness(self) -> str:
        """What behaves like it in the world, in everyday words."""

    @property
    def sentence(self) -> str:
        """What it says of the problem; an observation close to it is taken to mean this mechanism."""


class Library(Protocol):
    """What the composer asks of a problem's mechanisms module."""

    mechanisms: Sequence[Any]

    def observation(self, mechanism: Any, rng: np.random.Generator) -> str:
        """One or two sentences that state the mechanism in the terms of the problem."""

    def design(
        self, observed: Sequence[tuple[Any, str]], keys: Sequence[str], rng: np.random.Generator
    ) -> dict[str, str]:
        """A design with exactly these keys from mechanisms and the observations they were found in."""

    def vary(
        self,
        designs: Sequence[Mapping[str, str]],
        fresh: tuple[Any, str],
        keys: Sequence[str],
        recognise: Callable[[str], Any],
        rng: np.random.Generator,
    ) -> dict[str, str]:
        """A design from parts of others and perhaps of a fresh mechanism with its observation."""

    def code(
        self, design: Mapping[str, str], recognise: Callable[[str], Any], rng: np.random.Generator
    ) -> str:
        """The module of a design; ``recognise`` finds the mechanism that a text is most like."""

    def repair(
        self, design: Mapping[str, str], code: str, recognise: Callable[[str], Any], rng: np.random.Generator
    ) -> str:
        """Another, simpler module after ``code`` failed."""


def answer(messages: Sequence[Message], call: ComposerCall) -> str:
    """Answer one prompt; the handler for :func:`metamuse.llm.register_composer`.

    Raises:
        ValueError: The prompt is none of MetaMuse's own.
    """
    system = messages[0]["content"]
    match = _PROBLEM.search(system)
    if match is None:
        raise ValueError("the offline composer answers only MetaMuse's own prompts")
    composer = _composer(match[1])
    # What follows the first question only says that an answer could not be used.
    question = messages[1]["content"]
    rng = np.random.default_rng([call.seed, zlib.crc32(question.encode())])
    if word := _WORD.match(question):
        return composer.observe(word[1].strip(), rng)
    keys = _KEY.findall(system)
    if wanted := _WANTED.search(question):
        return composer.invent(int(wanted[1]), rng)
    if question.startswith("Observations:"):
        return composer.formulate(_bullets(question), keys, rng)
    if question.startswith("No observations"):
        return composer.formulate(composer.mechanisms(_PARTS, rng), keys, rng)
    if question.startswith("Designs that"):
        return composer.refine(question, keys, rng)
    if question.startswith("Design:"):
        return composer.code(question.removeprefix("Design:"), rng)
    if question.startswith(("No design", "Programs that")):
        return composer.improvise(question, rng)
    raise ValueError("the offline composer does not know this kind of question")


@lru_cache
def _composer(problem: str) -> Composer:
    library: Library = importlib.import_module(f"problems.{problem}.mechanisms").LIBRARY
    return Composer(library)


class Composer:
    """Answers for one problem.

    Args:
        library: The problem's mechanisms.
        lexicon: What is known of words.
        embedder: Measures similarity.
    """

    def __init__(
        self, library: Library, lexicon: Lexicon | None = None, embedder: TextEmbedder | None = None
    ) -> None:
        self.library = library
        self.lexicon = lexicon or Lexicon()
        self.embedder = embedder or TextEmbedder()

    def observe(self, word: str, rng: np.random.Generator) -> str:
        """From a word to an observation, as JSON."""
        properties = self.lexicon.properties(word) or [word]
        shown = [properties[i] for i in sorted(rng.permutation(len(properties))[:_LISTED])]
        chosen = shown[int(rng.integers(len(shown)))]
        odds = self.odds([f"{word}, {chosen}"])[0]
        mechanism = self.library.mechanisms[int(rng.choice(len(odds), p=odds))]
        text = self.library.observation(mechanism, rng)
        return json.dumps({"properties": shown, "property": chosen, "observation": text}, ensure_ascii=False)

    def formulate(self, observations: Sequence[str], keys: Sequence[str], rng: np.random.Generator) -> str:
        """From observations to a design, as JSON."""
        observed = [(self.recognise(text), text) for text in observations]
        return json.dumps(self.library.design(observed, keys, rng), indent=1, ensure_ascii=False)

    def mechanisms(self, count: int, rng: np.random.Generator) -> list[str]:
        """Observations of different mechanisms, drawn at random."""
        drawn = rng.permutation(len(self.library.mechanisms))[:count]
        return [self.library.observation(self.library.mechanisms[k], rng) for k in drawn]

    def invent(self, count: int, rng: np.random.Generator) -> str:
        """Mechanisms that nothing suggests, as JSON."""
        return json.dumps({"mechanisms": self.mechanisms(count, rng)}, ensure_ascii=False)

    def refine(self, question: str, keys: Sequence[str], rng: np.random.Generator) -> str:
        """From measured designs to another, as JSON."""
        return json.dumps(self._varied(_objects(question), keys, rng), indent=1, ensure_ascii=False)

    def improvise(self, question: str, rng: np.random.Generator) -> str:
        """A module without a design: from earlier programs, from words, or from nothing."""
        keys = ("name", "idea", "state")
        earlier = [{"idea": text} for code in _FENCE.findall(question) for text in _DOC.findall(code)[:1]]
        failed = "This module does not work:" in question
        if earlier and not failed:
            design = self._varied(earlier, keys, rng)
        else:
            words = _WORDS.search(question)
            texts = self.mechanisms(_PARTS, rng)
            if words:
                odds = self.odds(words[1].split(", "))
                chosen = [int(rng.choice(len(row), p=row)) for row in odds]
                texts = [self.library.observation(self.library.mechanisms[k], rng) for k in chosen]
            design = self.library.design([(self.recognise(text), text) for text in texts], keys, rng)
        return f"```python\n{self.library.code(design, self.recognise, rng).rstrip()}\n```"

    def _varied(
        self, designs: Sequence[Mapping[str, str]], keys: Sequence[str], rng: np.random.Generator
    ) -> dict[str, str]:
        (text,) = self.mechanisms(1, rng)
        return self.library.vary(designs, (self.recognise(text), text), keys, self.recognise, rng)

    def code(self, question: str, rng: np.random.Generator) -> str:
        """From a design to its module, or to a simpler one if the question shows a module that failed."""
        design, end = json.JSONDecoder().raw_decode(question.lstrip())
        texts = {key: str(value) for key, value in design.items()}
        failed = _FENCE.search(question, end)
        if failed:
            module = self.library.repair(texts, failed[1], self.recognise, rng)
        else:
            module = self.library.code(texts, self.recognise, rng)
        return f"```python\n{module.rstrip()}\n```"

    def odds(self, texts: Sequence[str]) -> FloatArray:
        """How likely each mechanism is chosen for each text, shape [texts, mechanisms]."""
        mean, spread, bias = self._usual
        return _softmax((self._similar(texts) - mean) / spread / _TEMPERATURE + bias)

    def recognise(self, text: str) -> Any:
        """The mechanism that an observation states, or the one it is most like."""
        scores = self._sentences @ self.embedder.embed([text])[0]
        return self.library.mechanisms[int(np.argmax(scores))]

    def _similar(self, texts: Sequence[str]) -> FloatArray:
        return (self.embedder.embed(texts) @ self._likenesses.T).astype(np.float64)

    @cached_property
    def _likenesses(self) -> npt.NDArray[np.float32]:
        return self.embedder.embed([m.likeness for m in self.library.mechanisms])

    @cached_property
    def _sentences(self) -> npt.NDArray[np.float32]:
        return self.embedder.embed([m.sentence.replace("{amount}", "") for m in self.library.mechanisms])

    @cached_property
    def _usual(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and spread of each mechanism's similarity to words, and a bias under which all are chosen
        equally often: some texts are similar to everything and would win for every word.
        """
        texts = []
        for i, word in enumerate(self.lexicon.words()[::_STRIDE]):
            properties = self.lexicon.properties(word)
            texts.append(f"{word}, {properties[i % len(properties)]}")
        similar = self._similar(texts)
        mean, spread = similar.mean(axis=0), similar.std(axis=0)
        scores = (similar - mean) / spread / _TEMPERATURE
        bias = np.zeros(scores.shape[1])
        for _ in range(_BALANCING_ROUNDS):
            share = _softmax(scores + bias).mean(axis=0)
            bias -= np.log(share * len(share))
        return mean, spread, bias


def _softmax(scores: FloatArray) -> FloatArray:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    odds: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return odds


def _objects(text: str) -> list[dict[str, str]]:
    """The JSON objects in a text, each at the beginning of a line."""
    found = []
    for match in re.finditer(r"^\{", text, re.MULTILINE):
        value, _ = json.JSONDecoder().raw_decode(text, match.start())
        found.append({key: str(item) for key, item in value.items()})
    return found


def _bullets(question: str) -> list[str]:
    return [line[2:].strip() for line in question.splitlines() if line.startswith("- ")]
