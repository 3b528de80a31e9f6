"""Ends a run in order when its process is asked to end: Ctrl-C, a termination, a terminal that is closed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

#: Asked once, the run closes what is open; asked twice, the process ends at once. Either way it can be resumed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_CODE = 130


async def ending_in_order(work: Coroutine[Any, Any, int], last_words: Callable[[], None]) -> int:
    """Await work that is cancelled when the process is asked to end.

    Must be awaited in the main thread. Signals that are ignored (``nohup``) stay so.

    Args:
        work: What to await.
        last_words: Called before the process ends at once, with exit code 130.

    Raises:
        asyncio.CancelledError: It was cancelled.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    ours = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]

    def at_once(*_: Any) -> None:
        last_words()
        os._exit(EXIT_CODE)

    def end() -> None:
        task.cancel()
        for number in ours:
            loop.remove_signal_handler(number)
            signal.signal(number, at_once)  # not the loop's: it may be busy writing the report

    for number in ours:
        loop.add_signal_handler(number, end)
    try:
        return await work
    finally:
        for number in ours:
            loop.remove_signal_handler(number)
