"""What can go wrong between a question and its answer."""

from __future__ import annotations

from metamuse.errors import UsageError


class LLMError(Exception):
    """Base of the failures that a run can meet while it asks a model."""


class LLMConfigError(LLMError, UsageError):
    """The endpoint, the key or the model is wrong; asking again cannot help.

    The sentence says which setting or environment variable to change.
    """


class LLMUnavailable(LLMError):
    """The endpoint did not answer within the bounded number of retries; the run can be resumed later."""


class LLMBadAnswer(LLMError):
    """The model answered, but not with a usable text, also after being asked again.

    The loop records it as failure class ``parse``.

    Args:
        kind: ``empty``, ``refusal``, ``context`` (the prompt does not fit the model's context window) or
            ``failing`` (the endpoint fails on this prompt again and again while it answers others).
        message: One sentence for the record.
    """

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class ReplayMissing(LLMConfigError):
    """``llm=replay`` was asked for a completion that the recorded run does not hold."""


class BudgetExhausted(LLMError):
    """A hard cap leaves no room for the next call.

    Args:
        which: ``usd``, ``tokens`` or ``minutes``.
        message: One sentence with the cap and what was spent.
    """

    def __init__(self, which: str, message: str) -> None:
        self.which = which
        super().__init__(message)
