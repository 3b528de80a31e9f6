"""Errors that end a command with one clear sentence, and how sentences are told."""

from __future__ import annotations

import contextlib
import sys


class UsageError(Exception):
    """Bad usage or configuration: the command prints the sentence and exits with code 2."""


class StorageError(UsageError):
    """The disk is full, gone or forbidden: a run stops and can be resumed once that is mended."""


def describe(error: BaseException) -> str:
    """What an exception says, in one line: a sentence of ours as it is, anything else with its kind."""
    lines = str(error).strip().splitlines()
    text = lines[0].rstrip(".") if lines else ""
    if isinstance(error, UsageError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def tell(sentence: str) -> None:
    """Print a sentence for the user on standard error."""
    with contextlib.suppress(OSError):  # the terminal may be gone, and the run goes on without it
        print(f"metamuse: {sentence}", file=sys.stderr, flush=True)
