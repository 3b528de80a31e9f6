"""What makes candidates: the paper's way and the ways it is compared with.

A proposer turns what is known so far into one candidate: where it starts from (words, earlier solutions, nothing),
what it asks the model, in which steps. Scoring, repairs, records and the order of things are the loop's business
(:mod:`metamuse.discover`), the same for all, so that arms at equal budget differ in their ideas alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from metamuse.state import Entry

#: Usefulness of a scored solution on the feedback workloads, in percent over the reference.
Gain = Callable[[Entry], float]


@dataclass(frozen=True)
class Proposal:
    """One candidate before it is scored.

    Attributes:
        brief: What the code was asked for with; a repair turn shows it again.
        source: The policy's module.
        design: The design it carries out, empty if the arm goes straight to code.
        record: How it came about, for the journal: ``stimuli``, ``observations``, ``parents``, ``operator``, …;
            values of JSON only.
    """

    brief: str
    source: str
    design: dict[str, str] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)


class Proposer(Protocol):
    """Makes candidates.

    What it proposes is a function of the run's seed, of ``i``, of ``seen`` and of the model's answers, and of
    nothing else: proposals overlap, and a resumed run repeats them.
    """

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """Make candidate ``i``.

        Args:
            i: Its number, from 0.
            seen: The solutions it may learn from, finished or failed, in logical order.

        Raises:
            AnswerError: The model's answers could not be used.
        """


def generators(seed: int, i: int, count: int) -> list[np.random.Generator]:
    """Independent generators of proposal ``i`` of a run."""
    sequence = np.random.SeedSequence(seed, spawn_key=(i,))
    return [np.random.default_rng(child) for child in sequence.spawn(count)]
