"""A policy whose states can be looked at after a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evaluators.base import Policy


class Observed:
    """The same policy; keeps what its simulator made it create.

    Args:
        policy: What is observed.

    Attributes:
        states: The states that were made, in their present form where they grew.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.compiled = policy.compiled
        self.methods = policy.methods
        self.states: list[Any] = []

    def reads(self, method: str, parameter: str) -> bool:
        """As the policy."""
        return self.policy.reads(method, parameter)

    def state(self, *init: Any) -> Any:
        """As the policy; the state is kept."""
        self.states.append(self.policy.state(*init))
        return self.states[-1]

    def grow(self, state: Any, room: int) -> Any:
        """As the policy; the result takes the place of the state."""
        place = next(i for i, kept in enumerate(self.states) if kept is state)
        self.states[place] = self.policy.grow(state, room)
        return self.states[place]

    def bank(self, states: Sequence[Any]) -> Any:
        """As the policy."""
        return self.policy.bank(states)

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """As the policy."""
        return self.policy.bind(factory, defaults)
