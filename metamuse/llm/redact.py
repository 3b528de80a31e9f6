"""Keeps secrets out of records, messages and errors."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote

_SECRET_NAME = re.compile(
    r"((_|^)(API_?KEY|KEY|TOKEN|SECRET|CREDENTIALS?)|PASSWORD|PASSWD)(_ID)?(_?\d+)?$", re.IGNORECASE
)
#: What a URL may carry: ``user:password@`` and ``?api_key=…``.
_USERINFO = re.compile(r"\b[a-z][a-z0-9+.-]*://([^/?#\s@]*)@", re.IGNORECASE)
_QUERY = re.compile(
    r"[?&](?:[\w.-]*(?:key|token|secret|password|signature)|sig)=([^&#\s\"']+)", re.IGNORECASE
)
#: Shorter values are more likely to be a word of the prompt than a secret.
_MIN_SECRET_CHARS = 8


def redact(text: str, extra_names: tuple[str, ...] = ()) -> str:
    """Replaces secrets of the environment in a text: as they are, percent-encoded, in hexadecimal and in base64.

    A variable is secret if its name ends in ``_API_KEY``, ``_TOKEN``, ``_SECRET``, ``PASSWORD`` and the like; of a
    variable that holds a URL (an endpoint, a proxy), the password and keys in it are.

    Args:
        text: Any text that is about to be written or shown.
        extra_names: More variable names to treat as secret (``llm.api_key_env`` may be called anything).
    """
    secrets = dict(_secrets(extra_names))
    # Longest first: a secret that contains another one must not be left half visible.
    for value in sorted(secrets, key=len, reverse=True):
        for form in _forms(value):
            text = text.replace(form, f"[{secrets[value]}]")
    return text


def holds_secret(text: str) -> bool:
    """Says whether a setting carries credentials: in a URL, or the value of a secret variable."""
    return any(True for _ in _in_url(text)) or redact(text) != text


def _secrets(extra_names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yields secret values with the names of their variables."""
    for name, value in os.environ.items():
        found = [value] if name in extra_names or _SECRET_NAME.search(name) else list(_in_url(value))
        yield from ((secret, name) for secret in found if len(secret) >= _MIN_SECRET_CHARS)


def _in_url(text: str) -> Iterator[str]:
    if "://" not in text:
        return
    for userinfo in _USERINFO.findall(text):
        yield userinfo  # as basic authorisation sends it
        yield unquote(userinfo.partition(":")[2])
    yield from map(unquote, _QUERY.findall(text))


@lru_cache(maxsize=256)
def _forms(secret: str) -> tuple[str, ...]:
    data = secret.encode("utf-8", "replace")
    forms = {secret: None, quote(secret, safe=""): None, data.hex(): None}
    for before in range(3):
        # Where it lies within groups of three bytes decides how it looks; its edges mix with what is around it.
        end = (before + len(data)) // 3 * 4
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms[encode(bytes(before) + data).decode()[-(-before * 4 // 3) : end]] = None
    return tuple(forms)
