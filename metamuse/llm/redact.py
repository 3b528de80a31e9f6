"""Keeps secrets out of records, messages and errors."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(
    r"(_|^)(API_?KEY|ACCESS_KEY|KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(_ID)?$", re.IGNORECASE
)
#: Shorter values are more likely to be a word of the prompt than a secret.
_MIN_SECRET_CHARS = 8


def redact(text: str, extra_names: tuple[str, ...] = ()) -> str:
    """Replaces the values of secret environment variables in a text.

    A variable is secret if its name ends in ``_API_KEY``, ``_TOKEN``, ``_SECRET``, ``_PASSWORD`` and the
    like.

    Args:
        text: Any text that is about to be written or shown.
        extra_names: More variable names to treat as secret (``llm.api_key_env`` may be called anything).
    """
    secrets = [
        (value, name)
        for name, value in os.environ.items()
        if len(value) >= _MIN_SECRET_CHARS and (name in extra_names or _SECRET_NAME.search(name))
    ]
    # Longest first: a secret that contains another one must not be left half visible.
    for value, name in sorted(secrets, key=lambda pair: len(pair[0]), reverse=True):
        text = text.replace(value, f"[{name}]")
    return text
