"""``llm=inbox``: prompts become files, answers are read from files. For people whose model has no API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from metamuse.errors import StorageError
from metamuse.llm.inbox_answers import Outbox
from metamuse.llm.inbox_ledger import FILE, Ledger, Prompt
from metamuse.llm.inbox_text import bundle_page, bundles, prompt_page
from metamuse.llm.redact import redact
from metamuse.llm.types import Call, RawAnswer
from metamuse.rundir import write_atomically

#: Seconds between two looks into the outbox.
POLL_S = 0.5


class InboxTransport:
    """See :class:`metamuse.llm.transport.Transport`. Waits as long as it takes.

    ``inbox/0007-formulation.md`` waits for ``outbox/0007.md``, and moves to ``inbox/done`` once that was read; of
    several that share their instructions there is also ``inbox/all-formulation.md``. The outbox is never changed,
    so that an answer cannot get lost between there and the record.

    Args:
        folder: The run directory.
        on_change: Told the numbers that wait, whenever they change.
        poll_s: Seconds between two looks into the outbox.
        settle_s: Seconds for which an answer file must not have changed before it is read.
    """

    def __init__(
        self,
        folder: Path,
        on_change: Callable[[Sequence[int]], None],
        *,
        poll_s: float = POLL_S,
        settle_s: float = 2 * POLL_S,
    ) -> None:
        self.folder = folder
        self._inbox = folder / "inbox"
        self._outbox = Outbox(folder / "outbox", settle_s)
        self._on_change = on_change
        self._poll_s = poll_s
        self._ledger: Ledger | None = None
        self._waiting: dict[int, tuple[Prompt, asyncio.Future[str]]] = {}
        self._announced: list[int] = []
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Makes the folders and opens the ledger."""
        if self._ledger is None:
            try:
                (self._inbox / "done").mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"Cannot make {self._inbox}: {error.strerror}") from None
            self._outbox.files()
            self._ledger = Ledger(self.folder / FILE)

    async def send(self, call: Call, seed: int) -> RawAnswer:
        """Puts a prompt into the inbox and waits for its answer in the outbox.

        Raises:
            StorageError: Files cannot be written or read.
        """
        assert self._ledger is not None, "start() comes first"
        digest = call.digest(seed - call.request.seed)
        outdated = self._ledger.asked.outdated(call, digest)
        prompt = self._ledger.ask(call, digest)
        if outdated is not None:
            self._put_away(outdated)
        write_atomically(self._inbox / prompt.file, prompt_page(prompt, self.folder))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[prompt.number] = prompt, answer
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        text = await answer  # where this is cancelled, the prompt goes on waiting: for the next session
        del self._waiting[prompt.number]
        self._ledger.answered(prompt)
        self._put_away(prompt)
        # No usage is reported: the client estimates the tokens.
        return RawAnswer(text=redact(text), finish_reason="stop", tokens_in=0, tokens_out=0)

    def _put_away(self, prompt: Prompt) -> None:
        with contextlib.suppress(OSError):  # deleted already, perhaps; the ledger counts
            (self._inbox / prompt.file).replace(self._inbox / "done" / prompt.file)

    async def aclose(self) -> None:
        """Stops watching; prompts that wait stay where they are."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
            self._announce()

    async def _watch(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._poll_s)
                self._announce()
                for number, text in self._outbox.take(self._waiting).items():
                    future = self._waiting[number][1]
                    if not future.done():
                        future.set_result(text)
            self._announce()
        except Exception as error:  # whatever it is, those who wait have to hear of it
            for _, future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)

    def _announce(self) -> None:
        numbers = sorted(self._waiting)
        if numbers == self._announced:
            return
        self._announced = numbers
        self._write_bundles([self._waiting[n][0] for n in numbers])
        self._on_change(numbers)

    def _write_bundles(self, prompts: Sequence[Prompt]) -> None:
        wanted = {f"{name}.md": (name, *bundle) for name, bundle in bundles(prompts).items()}
        for path in self._inbox.glob("all-*.md"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        for file, (name, group, text) in wanted.items():
            write_atomically(self._inbox / file, bundle_page(name, group, text, self.folder))
