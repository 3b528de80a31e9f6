"""Whether the answer to a task makes sense, before anything of it is put on record.

A policy that broke out of its language can answer for its process, and what it writes may be anything. The hub looks at
every answer of :mod:`metamuse.evaluation` here, in the one place that all executors pass: fields, types, finite
numbers, lengths, the names of workloads. What does not make sense fails the task; it cannot harm the run or its journal.
A plausible lie about the score is not noticed: nothing but scoring again could.

Imports nothing heavy: machines of a cluster and commands that score nothing load it, too.
"""

from __future__ import annotations

import base64
import itertools
import math
import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import problems.base
from evaluators.base import FAILURE_CLASSES
from metamuse.executor.wire import UNSPEAKABLE, plain
from problems.base import SETS

#: The entry whose answers are known here; others (checks, exports, tables) answer in other ways.
ENTRY = "metamuse.evaluation:setup"

#: No figure of a system is larger, and squares of these can still be summed.
_ABSURD = 1e100
#: Characters of a name, of a line for people, of a policy's text; figures of a score, charts.
_NAME, _LINE, _TEXT, _FIGURES, _CHARTS = 200, 20_000, 1 << 20, 1_000, 100
#: A workload's name may be a path.
_PATH = 8_192
#: Bytes of a file that are looked at; whoever writes it knows the limit.
_FILE = 1 << 30
_CHUNK = 1 << 20

_NUMBERS = frozenset({int, float})
_SURROGATE = re.compile("[\ud800-\udfff]")
_FILE_NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9]+")
#: A mark of :mod:`metamuse.rejection`: ``LENGTH`` hexadecimal digits.
_MARK = re.compile(r"[0-9a-f]{12}")

_FEEDBACK, _VALIDATION, _ = SETS
_ROW = frozenset({"workload", "value", "details", "timing"})
_BASE = frozenset({"structure", "doc", "constants", "marks", "seconds"})
_CONSTANT = frozenset({"name", "value", "low", "high", "log", "line"})
_TUNED = frozenset(
    {"scores", "state_bytes", "source", "values", "gain", "default_gain", "failed_trials", "tried"}
)
_SIMPLIFIED = frozenset({"source", "before", "after", "workloads", "decisions", "digest", "trials"})
_LENGTH = frozenset({"lines", "statements", "constants"})
_CHART = frozenset({"title", "caption", "y", "x", "start", "end", "lines", "level"})
_SHARES = frozenset({"title", "caption", "unit", "names", "values"})
_GRID = frozenset(
    {"title", "caption", "unit", "x", "start", "end", "rows", "cells", "above", "above_name"}
)  # fmt: skip

#: What JSON of the wrong form does to code that expects the right one.
_MISFITS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class _Senseless(Exception):
    """Says what makes no sense, in words of this module: nothing of the answer itself."""


class Answers:
    """Judges the answers of one executor; it knows the workloads once they were described.

    Args:
        config: Of the entry; ``problem`` is the problem's configuration.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._holds: str | None = None
        self._known_problem = False
        self._workloads: dict[str, list[str]] = {}

    def fault(self, payload: Mapping[str, Any], result: dict[str, Any]) -> str:
        """What makes no sense in an answer; "" if nothing. Messages of failures in it are tidied.

        Args:
            payload: The task's.
            result: What its process answered.
        """
        judge = {
            "evaluate": self._evaluate,
            "simplify": self._simplify,
            "agreement": self._agreement,
            "watch": self._watch,
            "results": self._results,
            "bound": self._bound,
            "describe": self._describe,
        }.get(payload.get("op", ""))
        if judge is None:
            return ""
        try:
            judge(payload, result)
        except _Senseless as error:
            return str(error)
        except _MISFITS:
            return "it does not have the form that was asked for"
        return ""

    # -- operations

    def _evaluate(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        expected, sets = set(_BASE), list(task["sets"])
        if "duplicate" in result:
            expected.add("duplicate")
            if _duplicate(task, result) == "behaviour":
                expected.add("scores")
                sets = sets[: sets.index(_FEEDBACK) + 1]
        else:
            expected |= {"scores", "state_bytes"}
            if "raced" in result:
                expected.add("raced")
                _raced(task, result["raced"])
                sets.remove(_VALIDATION)
            if "also" in task:
                expected.add("also")
            if "tune" in task and result["constants"]:
                expected.add("tuned")
        _fields(result, expected, "its fields")
        _text(result["structure"], _NAME, "its structure")
        _text(result["doc"], 8 * len(task["source"]), "its docstring")  # tabs are expanded
        _constants(result["constants"], len(task["source"]))
        _marks(result["marks"])
        _labelled([result["seconds"]], "its seconds")
        if "scores" in expected:
            metered, tolerant = bool(task.get("metered")), bool(task.get("tolerant"))
            self._scores(task, result["scores"], sets, metered=metered, tolerant=tolerant)
        if "state_bytes" in expected:
            _state_bytes(result["state_bytes"])
        if "also" in expected:
            self._variant(task, result["also"], task["sets"], {"scores", "state_bytes"})
        if "tuned" in expected:
            self._variant(task, result["tuned"], [task["tune"]["set"]], _TUNED)
            if "result" in result["tuned"]:
                _tuned(result["tuned"]["result"], result["constants"], task["tune"]["trials"])

    def _simplify(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"simplified"}, "its fields")
        found = result["simplified"]
        if not found.keys() <= {"", *(task.get("variants") or {})} or (found and "" not in found):
            raise _Senseless("it simplified what it was not given")
        workloads = self._count(task["sets"])
        for made in found.values():
            _fields(made, _SIMPLIFIED, "what it simplified")
            _policy(made["source"])
            _text(made["digest"], _NAME, "a digest")
            for size in (made["before"], made["after"]):
                _fields(size, _LENGTH, "a length")
                _counts(size.values())
            _counts((made["decisions"], made["trials"], made["workloads"]))
            if workloads is not None and made["workloads"] != workloads:
                raise _Senseless("it counts other workloads than there are")

    def _agreement(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"agreement"}, "its fields")
        _fields(result["agreement"], {"", *(task.get("variants") or {})}, "what it compared")
        workloads = self._count(task["sets"])
        names = {name for which in task["sets"] for name in self._workloads.get(which, ())}
        for made in result["agreement"].values():
            _fields(made, {"workloads", "decisions", "differs"}, "what it compared")
            _counts((made["workloads"], made["decisions"]))
            _texts(made["differs"], _PATH, "a workload's name")
            if workloads is not None and (
                made["workloads"] != workloads
                or len(made["differs"]) > workloads
                or not names.issuperset(made["differs"])
            ):
                raise _Senseless("it compared other workloads than there are")

    def _watch(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"figures"}, "its fields")
        _list(result["figures"], _CHARTS, "its figures")
        for figure in result["figures"]:
            _figure(figure)

    def _results(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"files", "lines"}, "its fields")
        for name, packed in result["files"].items():
            if not _FILE_NAME.fullmatch(name) or len(name) > _NAME:
                raise _Senseless("a file of it has no plain name")
            _deflated(packed)
        _texts(result["lines"], _LINE, "a line of it")

    def _bound(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"scores", "seconds"}, "its fields")
        _labelled([result["seconds"]], "its seconds")
        self._scores(task, result["scores"], list(task["sets"]), policy=False)

    def _describe(self, task: Mapping[str, Any], result: dict[str, Any]) -> None:
        _fields(result, {"workloads", "seconds", "read_s"}, "its fields")
        workloads, seconds = result["workloads"], result["seconds"]
        _fields(seconds, workloads.keys(), "its seconds")
        for which, rows in workloads.items():
            _text(which, _PATH, "the name of a set")
            _list(rows, None, "a set of workloads")
            for row in rows:
                _fields(row, {"name", "digest"}, "a workload")
                # A file's name may hold what nobody can say.
                if type(row["name"]) is not str or len(row["name"]) > _PATH:
                    raise _Senseless("a workload's name is no name")
                _text(row["digest"], _NAME, "a workload's hash")
            _list(seconds[which], None, "its seconds")
            if len(seconds[which]) != len(rows):
                raise _Senseless("its seconds are not those of its workloads")
            _numbers(seconds[which], "its seconds")
        if not result["read_s"].keys() <= workloads.keys():
            raise _Senseless("it read what it has not")
        _numbers(result["read_s"].values(), "its seconds")
        # No policy has run in that process: this is what the others are measured by.
        self._workloads.update({which: [row["name"] for row in rows] for which, rows in workloads.items()})

    # -- parts of them

    def _variant(
        self, task: Mapping[str, Any], given: dict[str, Any], sets: Sequence[str], fields: Collection[str]
    ) -> None:
        """A policy with other constants: ``{"result": …}`` or ``{"failure": …}``."""
        if given.keys() == {"failure"}:
            _failure(given["failure"])
            return
        _fields(given, {"result"}, "what it says of other constants")
        result = given["result"]
        _fields(result, fields, "what it says of other constants")
        self._scores(
            {key: value for key, value in task.items() if key != "only"},
            result["scores"],
            list(sets),
            metered=bool(task.get("metered")),
        )
        _state_bytes(result["state_bytes"])

    def _scores(
        self,
        task: Mapping[str, Any],
        scores: dict[str, Any],
        sets: Sequence[str],
        policy: bool = True,
        metered: bool = False,
        tolerant: bool = False,
    ) -> None:
        _fields(scores, sets, "its sets of scores")
        fields = set(_ROW)
        if policy:
            fields.add("state_bytes")
        if metered:
            fields.add("work")
        for which in sets:
            names, count = self._wanted(task, which)
            rows = scores[which]
            _list(rows, None, "a set of scores")
            if count is not None and len(rows) != count:
                raise _Senseless("it scored another number of workloads than there are")
            given = [row["workload"] for row in rows]
            if names is None:
                _texts(given, _PATH, "a workload's name", any_character=True)
            elif given != names:
                raise _Senseless("its workloads have other names than those there are")
            self._rows(rows, fields, tolerant)

    def _rows(self, rows: list[dict[str, Any]], fields: set[str], tolerant: bool) -> None:
        made = rows
        if tolerant:
            failed = [row for row in rows if row.keys() == {"workload", "failure"}]
            for row in failed:
                _failure(row["failure"])
            made = [row for row in rows if "failure" not in row] if failed else rows
            if len(made) + len(failed) != len(rows):
                raise _Senseless("a score of it does not have the form that was asked for")
        if not all(row.keys() == fields for row in made):
            raise _Senseless("a score of it does not have the form that was asked for")
        _numbers([row["value"] for row in made], "a score of it")
        _labelled([row["details"] for row in made], "a detail of its scores")
        _labelled([row["timing"] for row in made], "a time of its scores")
        if "state_bytes" in fields:
            _counts([row["state_bytes"] for row in made])
            holds = self._holding()
            if holds is not None and not all(row["details"][holds] > 0 for row in made):
                raise _Senseless("a score of it does not say what the policy holds")
        if "work" in fields:
            for row in made:
                _work(row["work"])

    def _wanted(self, task: Mapping[str, Any], which: str) -> tuple[list[str] | None, int | None]:
        """Names and number of the workloads that a task asks for, as far as they are known."""
        known = self._workloads.get(which)
        if "only" in task:
            numbers = task["only"].get(which, ())
            return None if known is None else [known[number] for number in numbers], len(numbers)
        return known, None if known is None else len(known)

    def _count(self, sets: Sequence[str]) -> int | None:
        if not all(which in self._workloads for which in sets):
            return None
        return sum(len(self._workloads[which]) for which in sets)

    def _holding(self) -> str | None:
        """The detail by which a policy's memory is divided, None if there is none."""
        if not self._known_problem:
            if "problem" in self._config:
                holds = problems.base.make(self._config["problem"]).holds
                self._holds = None if holds is None else holds[1]
            self._known_problem = True
        return self._holds


def judge_of(entry: str, config: Mapping[str, Any]) -> Answers | None:
    """What judges the answers of an executor's entry, None if nothing does.

    Args:
        entry: See :class:`metamuse.executor.local.LocalExecutor`.
        config: Of the entry.
    """
    return Answers(config) if entry == ENTRY else None


# -- pieces of an answer; each raises _Senseless if it makes no sense


def _fields(given: dict[str, Any], expected: Iterable[str], what: str) -> None:
    if type(given) is not dict or given.keys() != set(expected):
        raise _Senseless(f"{what} are not those that were asked for")


def _list(given: Any, most: int | None, what: str) -> None:
    if type(given) is not list or (most is not None and len(given) > most):
        raise _Senseless(f"{what} is no list or too long a one")


def _text(given: Any, most: int, what: str) -> None:
    """What people read: it must not steer their terminal, and UTF-8 must be able to say it."""
    if type(given) is not str or len(given) > most or UNSPEAKABLE.search(given):
        raise _Senseless(f"{what} is no text or too long a one")


def _texts(given: Any, most: int, what: str, any_character: bool = False) -> None:
    _list(given, None, what)
    if any(type(text) is not str or len(text) > most for text in given):
        raise _Senseless(f"{what} is no text or too long a one")
    if not any_character and any(map(UNSPEAKABLE.search, given)):
        raise _Senseless(f"{what} is no text or too long a one")


def _policy(given: Any) -> None:
    if type(given) is not str or len(given) > _TEXT or _SURROGATE.search(given):
        raise _Senseless("a policy of it is no text or too long a one")


def _numbers(given: Collection[Any], what: str, most: float = _ABSURD) -> None:
    """Finite ones; of whole ones, whatever their size, none is turned into a float."""
    if not given:
        return
    if not (
        _NUMBERS.issuperset(map(type, given))
        and -most <= min(given)
        and max(given) <= most
        and all(map(math.isfinite, given))
    ):
        raise _Senseless(f"{what} is no finite number")


def _counts(given: Collection[Any]) -> None:
    if given and not (set(map(type, given)) == {int} and min(given) >= 0 and max(given) < 1 << 63):
        raise _Senseless("a count of it is no whole number from 0")


def _labelled(given: Sequence[dict[str, Any]], what: str) -> None:
    """Mappings of short names to numbers."""
    names = set[str]().union(*given)  # few: rows of scores have the same ones
    if len(names) > _FIGURES or max(map(len, names), default=0) > _NAME:
        raise _Senseless(f"{what} has too many others beside it or too long a name")
    if UNSPEAKABLE.search("".join(names)):
        raise _Senseless(f"{what} has a name that cannot be said")
    _numbers(list(itertools.chain.from_iterable(map(dict.values, given))), what)


def _failure(given: Any) -> None:
    """A failure's class and message; the message is tidied in place."""
    _list(given, 2, "a failure in it")
    kind, message = given
    if kind not in FAILURE_CLASSES or type(message) is not str:
        raise _Senseless("a failure in it is none of those there are")
    given[1] = plain(message)


def _state_bytes(given: Any) -> None:
    if given is not None:
        _counts((given,))


def _work(given: dict[str, Any]) -> None:
    _fields(given, {"max", "mean", "calls", "method"}, "its counts of work")
    _counts((given["max"], given["calls"]))
    _numbers((given["mean"],), "its mean work")
    _text(given["method"], _NAME, "the name of a method")


def _marks(marks: dict[str, Any]) -> None:
    if "program" not in marks or not marks.keys() <= {"program", "behaviour"}:
        raise _Senseless("its marks are not those that were asked for")
    # Marks of all solutions are joined without separators: one of another length would garble the others.
    if not all(mark == "" or _MARK.fullmatch(mark) for mark in marks.values()):
        raise _Senseless("a mark of it is none")


def _duplicate(task: Mapping[str, Any], result: dict[str, Any]) -> str:
    """The kind of mark by which an answer calls the policy a duplicate: of a solution that it was told of."""
    kind, mark = result["duplicate"]
    known: str = (task.get("known") or {})[kind]
    if result["marks"][kind] != mark or not _MARK.fullmatch(mark):
        raise _Senseless("it is the duplicate of nothing")
    at = known.find(mark)
    while at % len(mark) and at >= 0:
        at = known.find(mark, at + 1)
    if at < 0:
        raise _Senseless("it is the duplicate of nothing")
    return str(kind)


def _raced(task: Mapping[str, Any], raced: dict[str, Any]) -> None:
    race = task["race"]  # without one, nobody can have lost it
    _fields(raced, {"scored", "of", "at_most", "needed"}, "what it says of a race")
    _counts((raced["scored"], raced["of"]))
    _numbers((raced["at_most"], raced["needed"]), "what it says of a race")
    if not (
        0 < raced["scored"] < raced["of"] == len(race["reference"])
        and raced["at_most"] < raced["needed"] == race["least"]
    ):
        raise _Senseless("it lost a race that was not run")


def _constants(constants: dict[str, Any], longest: int) -> None:
    for name, constant in constants.items():
        _fields(constant, _CONSTANT, "the fields of a constant")
        if constant["name"] != name or not name.isidentifier() or len(name) > longest:
            raise _Senseless("a constant of it has no name")
        low, value, high = constant["low"], constant["value"], constant["high"]
        _numbers((low, value, high), "a constant of it", math.inf)
        _counts((constant["line"],))
        if type(constant["log"]) is not bool or not (low <= value <= high and low < high):
            raise _Senseless("a constant of it is outside its range")
        if constant["log"] and low <= 0:
            raise _Senseless("a constant of it is outside its range")


def _tuned(result: dict[str, Any], constants: Mapping[str, Any], trials: int) -> None:
    _policy(result["source"])
    values, tried = result["values"], result["tried"]
    _fields(values, constants.keys(), "the values of its constants")
    _numbers(values.values(), "the value of a constant", math.inf)
    if not all(constants[name]["low"] <= value <= constants[name]["high"] for name, value in values.items()):
        raise _Senseless("a constant of it is outside its range")
    reached = [result["gain"]] + ([] if result["default_gain"] is None else [result["default_gain"]])
    _list(tried, trials, "its trials")
    for row in tried:
        _list(row, None, "a trial")
        if len(row) != len(values) + 1:
            raise _Senseless("a trial of it has other constants")
        _numbers(row[:-1], "the value of a constant", math.inf)
        reached += [] if row[-1] is None else [row[-1]]
    _numbers(reached, "a gain of it")
    _counts((result["failed_trials"],))


def _figure(figure: dict[str, Any]) -> None:
    """A figure as :func:`problems.figures.as_data` writes it."""
    keys = figure.keys()
    if keys == _CHART:
        _texts([figure[key] for key in ("title", "caption", "y", "x")], _LINE, "a text of a figure")
        _numbers((figure["start"], figure["end"]), "an axis of a figure")
        lines, level = figure["lines"], figure["level"]
        if level is not None:
            _list(level, 2, "a level of a figure")
            _text(level[0], _LINE, "a text of a figure")
            _numbers((level[1],), "a level of a figure")
    elif keys == _SHARES:
        _texts([figure[key] for key in ("title", "caption", "unit")], _LINE, "a text of a figure")
        _texts(figure["names"], _LINE, "a text of a figure")
        lines = figure["values"]
        if any(len(values) != len(figure["names"]) for values in lines.values()):
            raise _Senseless("a figure of it has values for other things than it names")
    elif keys == _GRID:
        texts = [figure[key] for key in ("title", "caption", "unit", "x", "above_name")]
        _texts(texts, _LINE, "a text of a figure")
        _texts(figure["rows"], _LINE, "a text of a figure")
        _numbers((figure["start"], figure["end"]), "an axis of a figure")
        _list(figure["cells"], None, "the cells of a figure")
        for row in figure["cells"]:
            _list(row, None, "the cells of a figure")
            _numbers([cell for cell in row if cell is not None], "a value of a figure")
        lines = {"": figure["above"]}
    else:
        raise _Senseless("a figure of it is none of those there are")
    for name, values in lines.items():
        _text(name, _LINE, "a text of a figure")
        _list(values, None, "the values of a figure")
        _numbers(values, "a value of a figure")


def _deflated(packed: Any) -> None:
    """Contents of a file, deflated, in base 64."""
    try:
        rest = base64.b64decode(packed, validate=True)
        inflate, size = zlib.decompressobj(), 0
        while not inflate.eof and size <= _FILE:
            made = len(inflate.decompress(rest, _CHUNK))
            rest = inflate.unconsumed_tail
            size += made
            if not made and not rest and not inflate.eof:
                raise _Senseless("a file of it ends too early")
    except (zlib.error, ValueError, TypeError):
        raise _Senseless("a file of it cannot be read") from None
