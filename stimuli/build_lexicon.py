"""Derives the lexicon (the dictionary of stimuli) from the Princeton WordNet 3.0 database files.

Usage: ``python -m stimuli.build_lexicon DICT_DIR OUT`` where ``DICT_DIR`` holds ``index.*``, ``data.*`` and
``cntlist.rev`` (Debian's ``wordnet-base`` puts them in ``/usr/share/wordnet``) and ``OUT`` is the JSON file
to write. The licence of WordNet is copied from the header of ``data.noun`` to ``WORDNET-LICENSE`` beside
``OUT``, because it has to travel with every copy of the data. Only the standard library is used and the
output depends on the input alone, so that the committed file can be rebuilt and compared byte for byte.

How a word gets in: its lemma is alphabetic, lower case and longer than two letters; it is neither a function
word, nor a numeral, nor a proper name in its commonest sense, nor offensive; it is no mere form of a word
that is in already ("steps", "tired", "slowly" beside "step", "tire", "slow"); it is used in at least
``MIN_GLOSSES`` definitions of WordNet; and it is among the ``DICTIONARY_SIZE`` such words that the
hand-tagged SemCor corpus uses most (``cntlist.rev``). SemCor is small: one text about the thyroid makes
"thyroglobulin" a frequent word. Use in definitions, which are written in everyday words, tells those apart
without a second source and its licence.

The file formats are those of the manual pages ``wndb(5WN)`` and ``cntlist(5WN)``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DICTIONARY_SIZE = 3000
MIN_GLOSSES = 8
MAX_SENSES = 2
SECOND_SENSE_SHARE = 0.25
"""A second sense is kept if SemCor has it at least this often, relative to the first."""
MAX_TARGETS = 4
"""Words kept per relation and sense; the most used ones."""
MAX_SYNONYMS = 4

POS_FILES = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}
POS_OF_SENSE_KEY = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
POS_OF_POINTER = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}

RELATIONS = {
    "@": "is_a",
    "~": "kinds",
    "%p": "has_part",
    "%m": "has_member",
    "%s": "made_of",
    "#p": "part_of",
    "#m": "member_of",
    "#s": "substance_of",
    "!": "opposite",
    "=": "attribute",
    "&": "similar",
    "*": "entails",
    ">": "causes",
    "\\": "manner_of",
    "+": "related",
}
"""Pointer symbol of WordNet -> relation name; instance pointers (``@i``, ``~i``) lead to proper names: left
out."""

TABOO_USAGES = frozenset({"ethnic_slur", "disparagement", "obscenity", "dirty_word", "vulgarism"})
"""WordNet marks such words by a usage pointer (``;u``) to one of these."""

FUNCTION_WORDS = frozenset(
    """
    about above across actually after again against ago ahead alike all almost alone along already also
    although always amid among and another any anybody anyone anything anyway anywhere apart are around aside
    away back backward badly barely been before behind being below beneath beside besides between beyond both
    but can cannot certainly could did does doing done down during each either else elsewhere enough
    especially even eventually ever every everybody everyone everything everywhere exactly except far finally
    few fewer first five following for former formerly four from further furthermore get had hardly has have
    having hence her here hers herself him himself his how however indeed instead into its itself just largely
    last lately later latter least less let like likely likewise lot lots mainly many may maybe meanwhile
    merely might mine more moreover most mostly much must myself namely near nearly neither never nevertheless
    next nine nobody none nonetheless nor not nothing notwithstanding now nowhere off often once one only onto
    other others otherwise ought our ours ourselves out outside over overly own particularly per perhaps
    please possibly presently previously quite rather really recently same second seldom seven several shall
    she should simply since six some somebody somehow someone something sometime sometimes somewhat somewhere
    soon still such ten than that the their theirs them themselves then thence there thereafter thereby
    therefore therein these they third this those though three through throughout thus together too toward
    towards twice two under underneath unless unlike until unto upon upward usually various very via was well
    were what whatever when whence whenever where whereas whereby wherein wherever whether which while whither
    who whoever whole whom whose why will with within without would yes yet you your yours yourself etcetera
    non anti sir homer papa ace abroad anyhow anymore """.split()
)

NUMERALS = frozenset(
    """
    eight eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty
    fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen fourth fifth sixth
    seventh eighth ninth tenth eleventh twelfth twentieth hundredth thousandth
    """.split()
)
ROMAN_NUMERALS = frozenset("iii vii viii xii xiii xiv xvi xvii xviii xix xxi xxx".split())

# Only words that SemCor uses often enough to reach the list, or that WordNet offers as targets of such words
# and does not mark itself. A stimulus goes into prompts and reports that other people read at work.
OFFENSIVE = frozenset(
    """
    ass bastard bitch colored concubine corpse cretin cripple damn damned fuck gay genocide harlot hell hooker
    idiot incest imbecile insane lesbian lynch moron murder murderer negro nigger nude orgasm pansy penis piss
    porn prostitute prostitution queer rape rapist retard sex sexual sexuality sexually shit slave slavery
    slut stupid suicide terrorism terrorist torture vagina virgin whore
    """.split()
)

_LEMMA = re.compile(r"[a-z]{3,}")

SUFFIXES = (
    ("ies", "y"), ("es", ""), ("s", ""), ("men", "man"),
    ("ied", "y"), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""),
)  # fmt: skip
"""Inflectional endings and what they replace: the regular part of WordNet's own ``morphy`` rules."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """One relation of a synset: ``source`` and ``target`` are 1-based word numbers, 0 for the whole
    synset."""

    symbol: str
    pos: str
    offset: int
    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Synset:
    """One line of a ``data.*`` file."""

    words: tuple[str, ...]
    """As spelt in the file: proper names keep their capitals; without syntactic markers such as ``(p)``."""
    pointers: tuple[Pointer, ...]
    gloss: str


@dataclass(frozen=True, slots=True)
class RankedSense:
    """One sense of a lemma with the number of times SemCor uses it."""

    pos: str
    offset: int
    number: int
    count: int


class WordNetFormatError(ValueError):
    """A database file is missing or a line of it cannot be read."""


class WordNet:
    """The parts of a WordNet database that the lexicon needs, read whole into memory (about 100 MB).

    Args:
        directory: holds ``index.*``, ``data.*`` and ``cntlist.rev``.

    Raises:
        WordNetFormatError: a file is missing or malformed.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.synsets = {pos: dict(self._read_data(pos)) for pos in POS_FILES}
        self.index = {pos: dict(self._read_index(pos)) for pos in POS_FILES}
        self.sense_counts = dict(self._read_counts())
        self.lemma_counts: Counter[str] = Counter()
        for (lemma, _, _), count in self.sense_counts.items():
            self.lemma_counts[lemma] += count
        self.gloss_counts = self._count_glosses()
        """In how many definitions a lemma or a regular inflection of it occurs."""

    def senses(self, lemma: str) -> list[RankedSense]:
        """All senses of ``lemma``, the most used first; ties by part of speech, then by WordNet's order."""
        found = [
            RankedSense(pos, offset, number, self.sense_counts.get((lemma, pos, number), 0))
            for pos in POS_FILES
            for number, offset in enumerate(self.index[pos].get(lemma, ()), start=1)
        ]
        return sorted(found, key=lambda sense: -sense.count)

    def is_proper(self, lemma: str, sense: RankedSense) -> bool:
        """True if the synset spells the lemma with a capital or abbreviates it ("Monday", "USA")."""
        return lemma not in self.synsets[sense.pos][sense.offset].words

    def licence(self) -> str:
        """The licence text that opens ``data.noun``, without its line numbers."""
        lines = []
        for line in self._lines("data.noun", keep_header=True):
            match = re.match(r"  (\d+) ?(.*)", line)
            if match is None:
                break
            lines.append(match[2].rstrip())
        if not lines:
            raise WordNetFormatError(
                f"{self.directory / 'data.noun'} does not begin with the licence of WordNet."
            )
        return "\n".join(lines) + "\n"

    def _count_glosses(self) -> Counter[str]:
        glosses: Counter[str] = Counter()
        for synsets in self.synsets.values():
            for synset in synsets.values():
                tokens = set(re.findall(r"[a-z]+", definition(synset.gloss).lower()))
                glosses.update(tokens.union(*(base_forms(token) for token in tokens)))
        return glosses

    def _lines(self, name: str, keep_header: bool = False) -> Iterator[str]:
        path = self.directory / name
        try:
            with path.open(encoding="ascii") as file:
                for line in file:
                    if keep_header or not line.startswith("  "):
                        yield line.rstrip("\n")
        except OSError as error:
            raise WordNetFormatError(f"Cannot read the WordNet file {path}: {error.strerror}.") from error

    def _read_data(self, pos: str) -> Iterator[tuple[int, Synset]]:
        for line in self._lines(f"data.{pos}"):
            try:
                yield _parse_synset(line)
            except (ValueError, IndexError, KeyError) as error:
                raise WordNetFormatError(
                    f"data.{pos}: cannot read the line '{line[:60]}...' ({error})."
                ) from error

    def _read_index(self, pos: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        for line in self._lines(f"index.{pos}"):
            fields = line.split()
            synset_count = int(fields[2])
            yield fields[0], tuple(int(offset) for offset in fields[-synset_count:])

    def _read_counts(self) -> Iterator[tuple[tuple[str, str, int], int]]:
        for line in self._lines("cntlist.rev"):
            key, number, count = line.split()
            lemma, _, rest = key.partition("%")
            yield (lemma, POS_OF_SENSE_KEY[rest[0]], int(number)), int(count)


def _parse_synset(line: str) -> tuple[int, Synset]:
    head, _, gloss = line.partition(" | ")
    fields = head.split()
    offset, word_count = int(fields[0]), int(fields[3], 16)
    words = tuple(re.sub(r"\(\w+\)$", "", fields[4 + 2 * k]) for k in range(word_count))
    at = 4 + 2 * word_count
    pointers = []
    for k in range(int(fields[at])):
        symbol, target, pos, numbers = fields[at + 1 + 4 * k : at + 5 + 4 * k]
        pointers.append(
            Pointer(symbol, POS_OF_POINTER[pos], int(target), int(numbers[:2], 16), int(numbers[2:], 16))
        )
    return offset, Synset(words, tuple(pointers), gloss.strip())


def definition(gloss: str) -> str:
    """The defining part of a gloss: without its quoted examples and what follows them."""
    clauses = []
    for clause in re.split(r";\s*", gloss):
        if clause.startswith('"') or '"' in clause:
            break
        clauses.append(clause.strip())
    # A few glosses consist of an example only; then the whole gloss, unquoted, is all there is.
    return "; ".join(clause for clause in clauses if clause) or gloss.replace('"', "").strip()


def base_forms(word: str) -> set[str]:
    """What ``word`` may be a regular inflection of, a doubled consonant undone ("stopped" -> "stop")."""
    found = set()
    for ending, replacement in SUFFIXES:
        if word.endswith(ending):
            stem = word.removesuffix(ending) + replacement
            found.add(stem)
            if len(stem) > 3 and stem[-1] == stem[-2]:
                found.add(stem[:-1])
    return found


class Selector:
    """Decides which lemmas may appear, as entries or as targets of relations."""

    def __init__(self, wordnet: WordNet) -> None:
        self._wordnet = wordnet
        self._taboo = set(OFFENSIVE) | set(self._marked_taboo())

    def _marked_taboo(self) -> Iterator[str]:
        for pos, synsets in self._wordnet.synsets.items():
            for synset in synsets.values():
                for pointer in synset.pointers:
                    if pointer.symbol != ";u":
                        continue
                    usage = self._wordnet.synsets[pointer.pos][pointer.offset]
                    if TABOO_USAGES.isdisjoint(usage.words):
                        continue
                    marked = synset.words if pointer.source == 0 else (synset.words[pointer.source - 1],)
                    # A mark on a side sense ("fruit", "spade") must not ban an everyday word.
                    for word in marked:
                        senses = self._wordnet.senses(word.lower())
                        if senses and (senses[0].pos, synset) == (pos, self._synset(senses[0])):
                            yield word.lower()

    def _synset(self, sense: RankedSense) -> Synset:
        return self._wordnet.synsets[sense.pos][sense.offset]

    def taboo(self, word: str) -> bool:
        """True if any part of a (multi-word) lemma is offensive."""
        return word in self._taboo or not self._taboo.isdisjoint(re.split(r"[_\-]", word))

    def dictionary(self) -> list[str]:
        """The chosen lemmas, most used first; ties go to the word with more senses, then by alphabet."""
        wordnet = self._wordnet
        ranked = sorted(
            wordnet.lemma_counts,
            key=lambda lemma: (-wordnet.lemma_counts[lemma], -len(wordnet.senses(lemma)), lemma),
        )
        chosen: dict[str, None] = {}
        for lemma in ranked:
            if len(chosen) == DICTIONARY_SIZE:
                break
            if self._suitable(lemma) and self._parents(lemma).isdisjoint(chosen):
                chosen[lemma] = None
        return list(chosen)

    def _suitable(self, lemma: str) -> bool:
        if not _LEMMA.fullmatch(lemma) or lemma in ROMAN_NUMERALS:
            return False
        if lemma in FUNCTION_WORDS or lemma in NUMERALS or self.taboo(lemma):
            return False
        if self._wordnet.gloss_counts[lemma] < MIN_GLOSSES:
            return False
        senses = self._wordnet.senses(lemma)
        return bool(senses) and not self._wordnet.is_proper(lemma, senses[0])

    def _parents(self, lemma: str) -> set[str]:
        """Words that ``lemma`` is a mere form of: plural, participle used as an adjective, adverb in -ly."""
        sense = self._wordnet.senses(lemma)[0]
        if sense.pos == "adv":
            return set(self.targets(lemma, sense).get("manner_of", ()))
        if lemma.endswith("ed" if sense.pos == "adj" else "s"):
            return base_forms(lemma)
        return set()

    def targets(self, lemma: str, sense: RankedSense) -> dict[str, list[str]]:
        """The related words of one sense by relation, the most used first."""
        synset = self._synset(sense)
        found: dict[str, list[str]] = {}
        for pointer in synset.pointers:
            relation = RELATIONS.get(pointer.symbol)
            if relation is None or (pointer.source and synset.words[pointer.source - 1] != lemma):
                continue
            target = self._wordnet.synsets[pointer.pos][pointer.offset]
            # A pointer between synsets is told by the first, most typical word of the target.
            word = target.words[pointer.target - 1 if pointer.target else 0]
            if word != lemma:
                found.setdefault(relation, []).append(word)
        return {
            relation: kept for relation, words in sorted(found.items()) if (kept := self.presentable(words))
        }

    def presentable(self, words: Iterable[str], limit: int = MAX_TARGETS) -> list[str]:
        """At most ``limit`` distinct words without proper names and offensive ones, the most used first."""
        usable = {word for word in words if word == word.lower() and word.isascii() and not self.taboo(word)}
        ranked = sorted(usable, key=lambda word: (-self._wordnet.lemma_counts[word], word))
        return [word.replace("_", " ") for word in ranked[:limit]]

    def entry(self, lemma: str) -> dict[str, object]:
        """The JSON object of one word (see ``stimuli.lexicon.Entry``)."""
        senses = self._wordnet.senses(lemma)
        kept = [senses[0]]
        for sense in senses[1:MAX_SENSES]:
            if sense.count >= SECOND_SENSE_SHARE * senses[0].count and not self._wordnet.is_proper(
                lemma, sense
            ):
                kept.append(sense)
        return {
            "count": self._wordnet.lemma_counts[lemma],
            "senses": [
                {
                    "pos": POS_FILES[sense.pos],
                    "gloss": definition(self._synset(sense).gloss),
                    "synonyms": self.presentable(set(self._synset(sense).words) - {lemma}, MAX_SYNONYMS),
                    "relations": self.targets(lemma, sense),
                }
                for sense in kept
            ],
        }


def build(directory: Path, out: Path) -> int:
    """Writes the lexicon to ``out`` and the licence beside it; returns the number of words."""
    wordnet = WordNet(directory)
    selector = Selector(wordnet)
    words = sorted(selector.dictionary())
    out.parent.mkdir(parents=True, exist_ok=True)
    # One word a line, so that a change of the derivation shows as a readable difference.
    lines = [
        f"{json.dumps(word)}:{json.dumps(selector.entry(word), separators=(',', ':'), sort_keys=True)}"
        for word in words
    ]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
    out.with_name("WORDNET-LICENSE").write_text(wordnet.licence(), encoding="ascii")
    return len(words)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Derive the lexicon from the WordNet 3.0 database files.")
    parser.add_argument("dict_dir", type=Path, help="directory with index.*, data.* and cntlist.rev")
    parser.add_argument("out", type=Path, help="JSON file to write")
    options = parser.parse_args(arguments)
    try:
        count = build(options.dict_dir, options.out)
    except WordNetFormatError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} words -> {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
