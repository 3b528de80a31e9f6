"""Asking the model again and again: the plain ways that stimuli are compared with."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from metamuse.proposers.base import Proposal
from metamuse.state import Entry
from metamuse.waypoints import Waypoints, brief, observed, prompt


class OneShot:
    """Best of N: code at once from the problem alone; the best of all is what counts.

    Args:
        waypoints: Asks the model.
    """

    def __init__(self, waypoints: Waypoints) -> None:
        self.waypoints = waypoints

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """One call."""
        instructions = prompt("code_free.user")
        return Proposal(instructions, await self.waypoints.write(instructions, f"{i}/code"))


class RepeatedSampling:
    """A design from the problem alone, then its code (the paper's Repeated Sampling, §4.1).

    Args:
        waypoints: Asks the model.
        previous: How many of the latest designs are shown, with the wish to differ from them; 0 for none.
    """

    def __init__(self, waypoints: Waypoints, previous: int = 0) -> None:
        self.waypoints = waypoints
        self.previous = previous

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """Two calls."""
        design = await self.waypoints.formulate(self._question(seen), f"{i}/formulation")
        instructions = brief(design)
        return Proposal(instructions, await self.waypoints.write(instructions, f"{i}/code"), design)

    def _question(self, seen: Sequence[Entry]) -> str:
        # From the latest back, and no farther than needed: what is older lies on disk.
        designs = (e.data["design"] for e in reversed(seen) if e.ok and e.data.get("design"))
        shown = list(itertools.islice(designs, self.previous))[::-1]
        if not shown:
            return prompt("formulation_free.user")
        return prompt("formulation_after.user", earlier="\n".join(f"- {_sketch(d)}" for d in shown))


class Unstimulated:
    """The waypoints without stimuli: mechanisms are asked for, not found in words.

    The control that tells what the stimuli are worth. With the offline composer it draws mechanisms at random.

    Args:
        waypoints: Asks the model.
        s: Mechanisms a solution.
    """

    def __init__(self, waypoints: Waypoints, s: int) -> None:
        self.waypoints = waypoints
        self.s = s

    async def propose(self, i: int, seen: Sequence[Entry]) -> Proposal:
        """``s`` calls for mechanisms, one for the design, one for the code."""
        question = prompt("invention.user", count="1")
        found = await asyncio.gather(
            *(self.waypoints.invent(question, f"{i}/invention/{k}") for k in range(self.s))
        )
        mechanisms = [texts[0] for texts in found]
        return await from_mechanisms(self.waypoints, mechanisms, i)


async def from_mechanisms(waypoints: Waypoints, mechanisms: Sequence[str], i: int) -> Proposal:
    """A design from mechanisms that no word suggested, then its code."""
    design = await waypoints.formulate(observed(mechanisms), f"{i}/formulation")
    instructions = brief(design)
    source = await waypoints.write(instructions, f"{i}/code")
    return Proposal(instructions, source, design, {"mechanisms": list(mechanisms)})


def _sketch(design: dict[str, str]) -> str:
    return ": ".join(design[key] for key in ("name", "idea") if key in design) or next(iter(design.values()))
