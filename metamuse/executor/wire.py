"""Messages between hub, zygote and task processes: a small JSON header and an opaque body.

The body carries payloads and answers. The zygote passes it on unread, so what an untrusted process wrote
is parsed in one place only (:func:`parse_answer`, in the hub).
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any

from evaluators.base import FAILURE_CLASSES

_SIZES = struct.Struct(">II")
#: Length prefix of a task process's answer.
ANSWER_SIZE = struct.Struct(">Q")
#: Longest text of a failure that is kept, in characters.
MAX_MESSAGE = 4000
#: What steers a terminal or cannot be written as UTF-8: no text from an untrusted process may hold it.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def encode(header: dict[str, Any], body: bytes = b"") -> bytes:
    """One message as bytes."""
    head = json.dumps(header).encode()
    return _SIZES.pack(len(head), len(body)) + head + body


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """Add bytes; returns the messages that are complete now, as (header, body)."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= _SIZES.size:
            head, body = _SIZES.unpack_from(self._buffer)
            end = _SIZES.size + head + body
            if len(self._buffer) < end:
                break
            header = json.loads(self._buffer[_SIZES.size : _SIZES.size + head])
            messages.append((header, bytes(self._buffer[_SIZES.size + head : end])))
            del self._buffer[:end]
        return messages


def encode_answer(answer: dict[str, Any]) -> bytes:
    """A task process's answer: ``{"result": {...}}`` or ``{"failure": [kind, message]}``.

    Raises:
        TypeError, ValueError: It holds what JSON cannot say.
    """
    text = json.dumps(answer).encode()
    return ANSWER_SIZE.pack(len(text)) + text


def parse_answer(body: bytes) -> tuple[dict[str, Any] | None, tuple[str, str] | None]:
    """An answer's (result, failure); whatever is not a well-formed answer is a ``crash``."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        return None, ("crash", f"its process wrote an answer that cannot be read: {error}"[:MAX_MESSAGE])
    match answer:
        case {"result": dict(result), **rest} if not rest:
            return result, None
        case {"failure": [str(kind), str(message)], **rest} if not rest and kind in FAILURE_CLASSES:
            return None, (kind, plain(message))
    return None, ("crash", "its process wrote an answer of the wrong form")


def plain(message: str) -> str:
    """A failure's message from a process that is not trusted, in characters that can be shown, of bounded length."""
    return UNSPEAKABLE.sub("\ufffd", message[:MAX_MESSAGE])
