"""What makes candidates, by the name ``search.method``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metamuse import config as settings_of
from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.proposers.base import Proposal, Proposer, generators
from metamuse.proposers.evolution import Evolution
from metamuse.proposers.islands import Islands
from metamuse.proposers.plansearch import PlanSearch
from metamuse.proposers.programs import Program
from metamuse.proposers.refinement import Refinement, ThenRefine
from metamuse.proposers.sampling import OneShot, RepeatedSampling, Unstimulated
from metamuse.proposers.stimulated import Stimulated, Wordy
from metamuse.state import Entry, RunState
from metamuse.waypoints import Waypoints
from stimuli import Dictionary, StimulusStrategy

#: Methods whose solutions have designs, which refinement works on.
_DESIGNING = ("metamuse", "unstimulated", "repeated_sampling", "plansearch")
METHODS = ("metamuse", "unstimulated", "repeated_sampling", "one_shot", "plansearch", "islands", "evolution")


def check(config: dict[str, Any]) -> None:
    """Refuse settings of the search that make no sense.

    Raises:
        UsageError: One of them; the message says which.
    """
    search = config["search"]
    if search["method"] not in METHODS:
        raise UsageError(f"There is no search.method={search['method']}; choose one of {', '.join(METHODS)}.")
    waypoints = settings_of.switch(config, "search.waypoints")
    if not waypoints and search["method"] != "metamuse":
        raise UsageError(
            f"search.waypoints=off belongs to search.method=metamuse, not to {search['method']}."
        )
    if settings_of.whole(config, "search.previous", 0) and search["method"] != "repeated_sampling":
        raise UsageError(
            f"search.previous belongs to search.method=repeated_sampling, not to {search['method']}."
        )
    share = settings_of.number(config, "search.refine", 0.0)
    if share > 1:
        raise UsageError(f"search.refine={share:g} is a share of the solutions, 0 to 1.")
    if share and not (waypoints and search["method"] in _DESIGNING):
        without = f"search.method={search['method']}" if waypoints else "search.waypoints=off"
        raise UsageError(f"search.refine combines designs, and {without} makes none.")


def make_proposer(
    config: dict[str, Any],
    waypoints: Waypoints,
    state: RunState,
    dictionary: Dictionary,
    strategy: Callable[[], StimulusStrategy],
    founder: Program,
) -> Proposer:
    """The configured proposer.

    Args:
        config: The resolved configuration, checked.
        waypoints: Asks the model.
        state: Of the run; holds the reference that gains are relative to.
        dictionary: Where stimuli come from.
        strategy: Makes the chooser of stimuli.
        founder: The program that improvement starts from: the incumbent or the reference.
    """
    search, seed = config["search"], int(config["seed"])
    gains: dict[str, float] = {}

    def gain(entry: Entry) -> float:
        if entry.id not in gains:
            value = ranking.mean_gain(waypoints.problem, state, entry, "feedback")
            assert value is not None, "the reference is scored before any solution"
            gains[entry.id] = value
        return gains[entry.id]

    makers: dict[str, Callable[[], Proposer]] = {
        "metamuse": lambda: (Stimulated if settings_of.switch(config, "search.waypoints") else Wordy)(
            waypoints, strategy(), dictionary.kind, seed
        ),
        "unstimulated": lambda: Unstimulated(waypoints, config["stimuli"]["s"]),
        "repeated_sampling": lambda: RepeatedSampling(waypoints, search["previous"]),
        "one_shot": lambda: OneShot(waypoints),
        "plansearch": lambda: PlanSearch(waypoints, seed),
        "islands": lambda: Islands(waypoints, founder, gain, seed),
        "evolution": lambda: Evolution(waypoints, gain, seed),
    }
    proposer = makers[search["method"]]()
    if search["refine"]:
        begins = round(config["solutions"] * (1 - search["refine"]))
        proposer = ThenRefine(proposer, Refinement(waypoints, gain, seed), begins)
    return proposer


__all__ = ["METHODS", "Program", "Proposal", "Proposer", "check", "generators", "make_proposer"]
