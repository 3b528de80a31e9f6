"""Which prompts of a run were put into its inbox, under which numbers, and which of them still wait.

The ledger ``inbox.jsonl`` of a run directory holds two kinds of events: ``asked`` (a prompt got its number, or is
asked again because a process ended before its answer was on record) and ``answered``. It holds the prompts
themselves, so that files in the inbox can be deleted at will.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metamuse.journal import Journal, read
from metamuse.llm.types import Call

FILE = "inbox.jsonl"


@dataclass(frozen=True)
class Prompt:
    """A prompt with its number.

    Attributes:
        number: 1, 2, …: the order in which they were first asked.
        purpose: Waypoint that asks.
        key: Logical id of the call.
        messages: The prompt.
        asked_at: Seconds since the epoch at which it was first asked.
        after: Number of the prompt that this one repeats because its answer could not be used, or None.
    """

    number: int
    purpose: str
    key: str
    messages: tuple[dict[str, str], ...]
    asked_at: float
    after: int | None

    @property
    def label(self) -> str:
        """The number as it is shown: ``0007``."""
        return label(self.number)

    @property
    def file(self) -> str:
        """Name of its file in the inbox."""
        return f"{self.label}-{self.purpose}.md"

    @property
    def answer_file(self) -> str:
        """Name of the file in the outbox that its answer is expected in."""
        return f"{self.label}.md"


def label(number: int) -> str:
    """A number as it is shown and as files are called."""
    return f"{number:04d}"


class Asked:
    """What a ledger says: a fold over its events.

    Attributes:
        prompts: All prompts by number.
        waiting: Numbers of those without an answer, in order.
    """

    def __init__(self, events: Iterable[dict[str, Any]] = ()) -> None:
        self.prompts: dict[int, Prompt] = {}
        self._by_digest: dict[str, int] = {}
        self._by_key: dict[str, int] = {}
        self._settled: set[int] = set()
        for event in events:
            self.apply(event)

    @classmethod
    def of(cls, path: Path) -> Asked:
        """Read a ledger, also one that is being written.

        Raises:
            UsageError: It cannot be read.
        """
        return cls(read(path))

    @property
    def waiting(self) -> list[int]:
        """Numbers of the prompts without an answer, in order."""
        return sorted(self.prompts.keys() - self._settled)

    def known(self, digest: str) -> Prompt | None:
        """The prompt of a call that was asked before."""
        number = self._by_digest.get(digest)
        return None if number is None else self.prompts[number]

    def is_waiting(self, number: int) -> bool:
        """Whether a prompt of that number was asked and not answered."""
        return number in self.prompts and number not in self._settled

    def outdated(self, call: Call, digest: str) -> Prompt | None:
        """The prompt of the same call as it was worded before an update of MetaMuse, if it still waits."""
        number = self._by_key.get(call.request.key, 0)
        return self.prompts[number] if self.is_waiting(number) and self.known(digest) is None else None

    def repeated(self, call: Call) -> int | None:
        """The number of the prompt that a call repeats after an answer that could not be used, if it does."""
        if not any(message["role"] == "assistant" for message in call.messages):
            return None
        for prompt in reversed(self.prompts.values()):
            if prompt.purpose == call.request.purpose and prompt.messages[:2] == call.messages[:2]:
                return prompt.number
        return None

    def apply(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        number = event["number"]
        if event["event"] == "answered":
            self._settled.add(number)
            return
        self._settled.discard(number)
        if number not in self.prompts:
            self._by_digest[event["digest"]] = number
            if event["key"] in self._by_key:
                self._settled.add(self._by_key[event["key"]])
            self._by_key[event["key"]] = number
            self.prompts[number] = Prompt(
                number,
                event["purpose"],
                event["key"],
                tuple(event["messages"]),
                event["at"],
                event["after"],
            )


class Ledger:
    """A ledger held open for writing.

    Args:
        path: The file; made if it does not exist.

    Raises:
        UsageError: It cannot be opened, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self.asked = Asked(read(path))

    def ask(self, call: Call, digest: str) -> Prompt:
        """The prompt of a call, with the number it got when it was first asked.

        Raises:
            StorageError: It cannot be written down.
        """
        prompt = self.asked.known(digest)
        if prompt is None:
            number = len(self.asked.prompts) + 1
            fields = {
                "digest": digest,
                "purpose": call.request.purpose,
                "key": call.request.key,
                "messages": list(call.messages),
                "after": self.asked.repeated(call),
            }
            self.asked.apply(self._journal.append("asked", number=number, **fields))
            return self.asked.prompts[number]
        if not self.asked.is_waiting(prompt.number):
            self.asked.apply(self._journal.append("asked", number=prompt.number))
        return prompt

    def answered(self, prompt: Prompt) -> None:
        """Note that an answer was taken.

        Raises:
            StorageError: It cannot be written down.
        """
        self.asked.apply(self._journal.append("answered", number=prompt.number))

    def close(self) -> None:
        """Close the file."""
        self._journal.close()
