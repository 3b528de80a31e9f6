"""The seam between the client (retries, budget, record) and whoever carries a question to a model."""

from __future__ import annotations

from typing import Protocol

from metamuse.llm.types import Call, RawAnswer


class TransportFailure(Exception):
    """One attempt brought no answer, but another one may.

    Args:
        message: One sentence without secrets.
        billed: True if the provider may charge for the attempt all the same (it was cut off while answering).
        retry_after_s: Seconds the endpoint asks to wait, if it does.
        busy: True if the endpoint says that it has too much to do, whatever it is asked.
        final: True if trying again soon is pointless (for instance the account's quota is used up).
    """

    def __init__(
        self,
        message: str,
        *,
        billed: bool = False,
        retry_after_s: float | None = None,
        busy: bool = False,
        final: bool = False,
    ) -> None:
        self.message = message
        self.billed = billed
        self.retry_after_s = retry_after_s
        self.busy = busy
        self.final = final
        super().__init__(message)


class Transport(Protocol):
    """Carries one call, once: no retries, no record, no budget."""

    async def start(self) -> None:
        """Gets ready: seconds the first time, nothing after that; not part of a call's latency."""
        ...

    async def send(self, call: Call, seed: int) -> RawAnswer:
        """Asks and returns the answer, usable or not.

        Args:
            call: What to ask.
            seed: Seed of this ask.

        Raises:
            TransportFailure: No answer this time.
            LLMConfigError: No answer ever with these settings.
        """
        ...

    async def aclose(self) -> None:
        """Frees connections."""
        ...
