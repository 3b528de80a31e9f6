"""Messages of KEDA's external scaler on the wire (Protocol Buffers, as far as they need them)."""

from __future__ import annotations

import struct
from collections.abc import Iterator


def varint(value: int) -> bytes:
    """A number that is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def whole(field: int, value: int) -> bytes:
    """A field with an int64 or a bool; nothing for 0, which is what a field that is absent says."""
    return varint(field << 3) + varint(value & 0xFFFFFFFFFFFFFFFF) if value else b""


def real(field: int, value: float) -> bytes:
    """A field with a double."""
    return varint(field << 3 | 1) + struct.pack("<d", value) if value else b""


def block(field: int, content: bytes) -> bytes:
    """A field with a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field: int, content: str) -> bytes:
    """A field with a text."""
    return block(field, content.encode()) if content else b""


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The texts and messages of a message, each with the number of its field; other fields are passed over.

    Raises:
        ValueError: It is no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            _, at = _varint(data, at)
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + length > len(data):
            raise ValueError("the message is cut off")
        if kind == 2:
            yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("the message is cut off")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")


def scaled_object(data: bytes) -> tuple[str, str, dict[str, str]]:
    """Name, namespace and metadata of a ``ScaledObjectRef``.

    Raises:
        ValueError: It is none.
    """
    name = namespace = ""
    metadata: dict[str, str] = {}
    for field, content in blocks(data):
        if field == 1:
            name = content.decode()
        elif field == 2:
            namespace = content.decode()
        elif field == 3:
            entry = {number: part.decode() for number, part in blocks(content)}
            metadata[entry.get(1, "")] = entry.get(2, "")
    return name, namespace, metadata


def metrics_request(data: bytes) -> tuple[bytes, str]:
    """The ``ScaledObjectRef`` and the metric's name of a ``GetMetricsRequest``.

    Raises:
        ValueError: It is none.
    """
    parts = dict(blocks(data))
    return parts.get(1, b""), parts.get(2, b"").decode()
