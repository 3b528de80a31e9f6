"""Errors that end a command with one clear sentence."""

from __future__ import annotations


class UsageError(Exception):
    """Bad usage or configuration: the command prints the sentence and exits with code 2."""
