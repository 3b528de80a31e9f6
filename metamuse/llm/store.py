"""The record of every completion of a run: paid once, never again."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from metamuse.errors import StorageError, UsageError
from metamuse.llm.places import Places
from metamuse.llm.types import Call, RawAnswer

#: How an answer ended that an earlier run had paid for (:mod:`metamuse.llm.memory`).
REMEMBERED = "remembered"


@dataclass(frozen=True)
class Record:
    """One recorded completion: the answer and what it cost.

    Attributes:
        cost_usd: US dollars, None if the price was unknown.
        latency_s: Seconds from sending to receiving.
    """

    answer: RawAnswer
    model: str
    cost_usd: float | None
    latency_s: float


@dataclass(frozen=True)
class Totals:
    """Sums over a record, what was lost on the way included.

    Attributes:
        completions: Answers received.
        lost: Attempts that may have been billed, but brought no answer (time-out, torn body, interruption).
        killed: Those of them that were in flight when a process was killed.
        killed_tokens: Reserved for these, part of ``tokens_in``.
        killed_usd: Reserved for these, part of ``cost_usd``.
        cost_usd: US dollars where the price is known; lost attempts count with what was reserved for them.
        unknown_price: Completions, and calls in flight at a kill, without a known price.
        latency_s: Sum of the seconds waited for answers.
        unasked: Completions that stand for no call of this run: failures on record, answers of earlier runs.
    """

    completions: int = 0
    lost: int = 0
    killed: int = 0
    killed_tokens: int = 0
    killed_usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    unknown_price: int = 0
    latency_s: float = 0.0
    unasked: int = 0

    @property
    def calls(self) -> int:
        """Calls that were answered, or may have been billed."""
        return self.completions - self.unasked + self.lost

    @property
    def at_a_kill(self) -> str:
        """A sentence on the calls that were in flight when a process was killed, "" if there were none."""
        if not self.killed:
            return ""
        calls, they = ("1 call was", "it") if self.killed == 1 else (f"{self.killed} calls were", "they")
        usd = "an unknown price" if self.unknown_price else f"${self.killed_usd:.4f}"
        return (
            f"{calls} in flight when the run was killed; {they} may have been billed "
            f"(up to {self.killed_tokens:,} tokens, {usd}) and {'is' if self.killed == 1 else 'are'} counted as such."
        )


class CompletionStore:
    """An append-only JSON Lines file; the index lives in memory, the answers stay on disk.

    Lines by ``kind``: ``message`` (a prompt message, written once however often it is sent), ``asked`` (an attempt
    that may be billed goes out) and what came of it: ``completion``, ``lost`` or ``refused``. A completion is on disk
    before it is used. What was asked and came to nothing was in flight when a process was killed, and counts as
    lost. A torn last line, left by a crash, is cut off when the file is next opened for writing.

    Args:
        path: The file; made if it does not exist, unless read-only.
        read_only: For replays.
        at_work: Another process adds to it: what is in flight may still be answered, and is not counted.

    Raises:
        UsageError: It cannot be opened, or a line before the last is damaged.
    """

    def __init__(self, path: Path, *, read_only: bool = False, at_work: bool = False) -> None:
        self.path = path
        self._places = Places()
        self._messages: set[int] = set()
        self._totals = Totals()
        self._in_flight: dict[str, tuple[int, float | None]] = {}
        self._lock = threading.Lock()
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"Cannot open the record of completions {path}: {error.strerror}.") from error
        self._end = 0
        try:
            for offset, line in self._lines():
                self._load(offset, line)
            for digest in [] if at_work else list(self._in_flight):
                self._note_killed(digest)
            if not read_only and os.fstat(self._fd).st_size > self._end:
                os.ftruncate(self._fd, self._end)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> CompletionStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._totals.completions

    @property
    def totals(self) -> Totals:
        """Sums over everything recorded so far."""
        return self._totals

    def get(self, call: Call, ask: int) -> Record | None:
        """Returns the recorded completion of a call, or None.

        Args:
            call: If it names no model, any model's record serves.
            ask: Which time it is asked; see :meth:`Call.digest`.
        """
        for model, offset, size in self._places.find(call.digest(ask)):
            if call.model in ("", model):
                row = json.loads(os.pread(self._fd, size, offset))
                return Record(RawAnswer(**row["answer"]), model, row["cost_usd"], row["latency_s"])
        return None

    def add(self, call: Call, ask: int, record: Record, *, durable: bool = True) -> None:
        """Appends a completion and its prompt.

        Args:
            call: What was asked.
            ask: Which time it was asked.
            record: What came back.
            durable: Wait until the disk has it; answers that cost nothing survive a killed process without.

        Raises:
            StorageError: The disk is full or fails; the file holds whole lines only.
        """
        prompt = []
        rows: list[dict[str, Any]] = []
        with self._lock:
            for message in call.messages:
                content = json.dumps(message, sort_keys=True, ensure_ascii=False)
                sha = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
                prompt.append(sha)
                if int(sha, 16) not in self._messages:
                    rows.append({"kind": "message", "sha": sha, **message})
            rows.append(
                {
                    "kind": "completion",
                    "digest": call.digest(ask),
                    "key": call.request.key,
                    "purpose": call.request.purpose,
                    "ask": ask,
                    "model": record.model,
                    "temperature": call.temperature,
                    "max_tokens": call.max_tokens,
                    "seed": call.request.seed,
                    "prompt": prompt,
                    "answer": asdict(record.answer),
                    "cost_usd": record.cost_usd,
                    "latency_s": round(record.latency_s, 6),
                }
            )
            self._append(rows)
        if durable:
            self._sync()

    def add_asked(self, call: Call, ask: int, tokens: int, cost_usd: float | None) -> None:
        """Notes an attempt that may be billed before it is sent, so that a killed process leaves word of it.

        The disk is not waited for: the row outlives the process, not a power failure.

        Args:
            call: What is asked.
            ask: Which time it is asked.
            tokens: Tokens reserved for it.
            cost_usd: US dollars reserved for it, None if the price is unknown.

        Raises:
            StorageError: As :meth:`add`.
        """
        row = {
            "kind": "asked",
            "digest": call.digest(ask),
            "key": call.request.key,
            "model": call.model,
            "at": round(time.time(), 3),
            "tokens": tokens,
            "cost_usd": cost_usd,
        }
        with self._lock:
            self._append([row])

    def add_refused(self, call: Call, ask: int) -> None:
        """Notes that an attempt brought no answer and is not billed."""
        digest = call.digest(ask)
        with self._lock:
            if digest in self._in_flight:
                self._append([{"kind": "refused", "digest": digest}])

    def add_lost(self, call: Call, ask: int, reason: str, tokens: int, cost_usd: float) -> None:
        """Notes an attempt that may have been billed but brought no answer.

        Args:
            call: What was asked.
            ask: Which time it was asked.
            reason: One sentence.
            tokens: Tokens booked for it.
            cost_usd: US dollars booked for it.
        """
        row = {
            "kind": "lost",
            "digest": call.digest(ask),
            "key": call.request.key,
            "model": call.model,
            "reason": reason,
            "tokens": tokens,
            "cost_usd": cost_usd,
        }
        with self._lock:
            self._append([row])
        self._sync()

    def completions(self) -> Iterator[dict[str, Any]]:
        """Yields the recorded completions as dicts, in order, ``messages`` filled in (for reports)."""
        messages: dict[str, dict[str, str]] = {}
        for _, line in self._lines():
            row = json.loads(line)
            if row["kind"] == "message":
                messages[row["sha"]] = {"role": row["role"], "content": row["content"]}
            elif row["kind"] == "completion":
                row["messages"] = [messages[sha] for sha in row["prompt"]]
                yield row

    def close(self) -> None:
        """Closes the file; the store cannot be used afterwards."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with open(self.path, "rb") as file:
            offset = 0
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield offset, line
                offset += len(line)

    def _load(self, offset: int, line: bytes) -> None:
        try:
            row = json.loads(line)
            self._note(row, offset, len(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.path}: the record is damaged at byte {offset}; remove that line."
            ) from error
        self._end = offset + len(line)

    def _note(self, row: dict[str, Any], offset: int, size: int) -> None:
        t = self._totals
        if row["kind"] == "message":
            self._messages.add(int(row["sha"], 16))
            return
        digest = row.get("digest", "")  # older records have none where an attempt was lost
        if row["kind"] == "asked":
            self._note_killed(
                digest
            )  # a process that lives asks again only after it has noted what came of it
            self._in_flight[digest] = (row["tokens"], row["cost_usd"])
            return
        self._in_flight.pop(digest, None)
        if row["kind"] == "completion":
            self._places.add(digest, row["model"], offset, size)
            answer = row["answer"]
            self._totals = replace(
                t,
                completions=t.completions + 1,
                tokens_in=t.tokens_in + answer["tokens_in"],
                tokens_out=t.tokens_out + answer["tokens_out"],
                cost_usd=t.cost_usd + (row["cost_usd"] or 0.0),
                unknown_price=t.unknown_price + (row["cost_usd"] is None),
                latency_s=t.latency_s + row["latency_s"],
                unasked=t.unasked + (answer["problem"] == "failing" or answer["finish_reason"] == REMEMBERED),
            )
        elif row["kind"] == "lost":
            self._totals = replace(
                t,
                lost=t.lost + 1,
                tokens_in=t.tokens_in + row["tokens"],
                cost_usd=t.cost_usd + row["cost_usd"],
            )

    def _note_killed(self, digest: str) -> None:
        if digest not in self._in_flight:
            return
        t, (tokens, usd) = self._totals, self._in_flight.pop(digest)
        self._totals = replace(
            t,
            lost=t.lost + 1,
            killed=t.killed + 1,
            killed_tokens=t.killed_tokens + tokens,
            killed_usd=t.killed_usd + (usd or 0.0),
            tokens_in=t.tokens_in + tokens,
            cost_usd=t.cost_usd + (usd or 0.0),
            unknown_price=t.unknown_price + (usd is None),
        )

    def _append(self, rows: list[dict[str, Any]]) -> None:
        # "replace" keeps a lone surrogate, which models do emit, from losing a paid answer.
        lines = [(json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace") for row in rows]
        data = b"".join(lines)
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], self._end + done)
        except OSError as error:
            os.ftruncate(self._fd, self._end)
            raise self._unwritable(error) from error
        for row, line in zip(rows, lines, strict=True):
            self._note(row, self._end, len(line))
            self._end += len(line)

    def _sync(self) -> None:
        # Not under the lock: what is asked meanwhile does not wait for the disk.
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(
            f"Cannot write the record of completions {self.path}: {error.strerror}; "
            "make room, then resume the run."
        )
