"""Where stimuli come from and how they are chosen, as a configuration names it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from metamuse import config as settings_of
from metamuse import rundir
from metamuse.errors import UsageError
from problems.base import Problem
from stimuli import Dictionary, RSDict, RSDictSF, StimulusError, StimulusStrategy, TextEmbedder
from stimuli.sources import CommonWords, DomainWords, Properties, Source, TextFiles, Winners

#: So many of the best solutions of a run are winners.
WINNERS = 10


def make_dictionary(config: dict[str, Any], problem: Problem, root: Path) -> Dictionary:
    """The sources of ``stimuli.source``.

    Args:
        config: The resolved configuration.
        problem: Has words of its own field.
        root: Where earlier runs are.

    Raises:
        UsageError: A setting makes no sense, or a source cannot be read.
    """
    settings = config["stimuli"]
    if settings["strategy"] not in ("rsdict", "rsdict_sf"):
        raise UsageError(f"stimuli.strategy={settings['strategy']} is unknown; use rsdict or rsdict_sf.")
    s = settings_of.whole(config, "stimuli.s", 1)
    if settings["strategy"] == "rsdict_sf":
        # Here, and not where they are used: before a run directory is made.
        settings_of.whole(config, "stimuli.k", 1)
        if settings["warmup"] is not None:
            settings_of.whole(config, "stimuli.warmup", 0)
    makers: dict[str, Callable[[], Source]] = {
        "common": CommonWords,
        "domain": lambda: DomainWords(problem.name, problem.words),
        "properties": Properties,
        "files": lambda: TextFiles(settings["files"]),
        "winners": lambda: Winners(_winners(root, problem, settings["runs"])),
    }
    names = [name.strip() for name in str(settings["source"]).split(",")]
    for name in names:
        if name not in makers:
            raise UsageError(f"There is no stimuli.source={name}; choose from {', '.join(makers)}.")
    for key, name in (("files", "files"), ("runs", "winners")):
        if settings[key] is not None and name not in names:
            raise UsageError(f"stimuli.{key} is read by stimuli.source={name} only, which is not chosen.")
    try:
        dictionary = Dictionary([makers[name]() for name in names])
        dictionary.check(s)
    except StimulusError as error:
        raise UsageError(str(error)) from None
    return dictionary


def make_strategy(
    config: dict[str, Any], dictionary: Dictionary, problem: Problem, n: int
) -> StimulusStrategy:
    """The chooser of stimuli for ``n`` feedback workloads.

    Raises:
        UsageError: A setting is out of range.
    """
    settings = config["stimuli"]
    try:
        if settings["strategy"] == "rsdict":
            return RSDict(dictionary, s=settings["s"])
        # Before solution lag + 1 there are no two solutions to learn from: a choice of sets would be paid for in vain.
        warmup = config["solutions"] // 3 if settings["warmup"] is None else settings["warmup"]
        return RSDictSF(
            dictionary,
            TextEmbedder(),
            np.full(n, problem.metric.ideal),
            max(warmup, config["search"]["lag"] + 1),
            s=settings["s"],
            k=settings["k"],
            schedule=settings["schedule"],
        )
    except StimulusError as error:
        raise UsageError(str(error)) from None


def _winners(root: Path, problem: Problem, runs: str | None) -> list[str] | None:
    if runs is None:
        return None
    return [text for run in runs.split(",") for text in _mechanisms(rundir.find(root, run.strip()), problem)]


def _mechanisms(run: Path, problem: Problem) -> Iterator[str]:
    """Observations of the best solutions of a finished run, by validation."""
    board = run / "leaderboard.csv"
    if rundir.recorded_config(run)["problem"]["name"] != problem.name:
        raise UsageError(f"stimuli.runs: {run} is not a run on {problem.name}.")
    if not board.is_file():
        raise UsageError(f"stimuli.runs: {run} has no leaderboard yet; finish it first.")
    with board.open(encoding="utf-8", newline="") as file:
        best = [
            row["id"] for row in csv.DictReader(file) if row["kind"] == "solution" and row["status"] == "ok"
        ]
    for id in best[:WINNERS]:
        waypoints = json.loads((run / "solutions" / id / "waypoints.json").read_text(encoding="utf-8"))
        yield from (observation["text"] for observation in waypoints.get("observations", []))
        yield from waypoints.get("mechanisms", [])
