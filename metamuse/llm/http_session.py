"""The HTTP client that litellm talks to OpenAI-compatible endpoints with. Imported only when a call is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import httpx

#: Bytes of a response that are read at most. A megabyte is a very long answer; an endpoint that never ends one
#: fills gigabytes of memory within ``llm.timeout_s``.
MOST_BYTES = 32 * 2**20


def session(concurrency: int) -> httpx.AsyncClient:
    """Returns a client that gives up on endless responses; proxies and ``SSL_CERT_FILE`` come from the environment.

    Args:
        concurrency: Connections worth keeping.
    """
    return httpx.AsyncClient(
        follow_redirects=True,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency),
        event_hooks={"response": [_bound]},
    )


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MOST_BYTES:
                raise httpx.ReadError(f"the response is longer than {MOST_BYTES >> 20} MiB")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx.Response) -> None:
    response.stream = _Bounded(cast(httpx.AsyncByteStream, response.stream))
