"""A real HTTP server that speaks the OpenAI chat protocol and misbehaves on demand.

In tests: ``with OpenAIServer(["429", "ok"]) as server: … server.base_url``. The script's behaviours are
served in the order in which requests arrive; when it is used up, ``default`` serves. For benchmarks:
``python -m tests.support.openai_server --port 8099 --delay 5``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

#: Takes the request's body (a dict with ``messages``, ``model``, …), returns the text of the answer.
Answer = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Behaviour:
    """What to do with one chat request.

    Attributes:
        kind: ``ok slow 429 quota 500 503 401 403 400 context reset malformed truncated stall refusal
            refusal_field filtered empty length no_choices no_usage``.
        delay_s: Seconds before the answer starts.
        retry_after: Value of the ``Retry-After`` header of a 429 or 503.
        text: Overrides the answer's text.
    """

    kind: str = "ok"
    delay_s: float = 0.0
    retry_after: str | None = None
    text: str | None = None


_ERRORS: dict[str, tuple[int, str, str, str | None]] = {
    "429": (429, "Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    "quota": (
        429,
        "You exceeded your current quota, please check your plan.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "500": (500, "The server had an error while processing your request.", "server_error", None),
    "503": (503, "The engine is currently overloaded.", "server_error", None),
    "401": (401, "Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"),
    "403": (403, "You are not allowed to sample from this model", "invalid_request_error", None),
    "404": (404, "The model `{model}` does not exist.", "invalid_request_error", "model_not_found"),
    "400": (400, "Unsupported value: 'temperature' must be 1.", "invalid_request_error", "unsupported_value"),
    "context": (
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
}


@dataclass
class Seen:
    """What the server saw. Times are seconds of a monotonic clock."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    listings: int = 0
    in_flight: int = 0
    max_in_flight: int = 0


class OpenAIServer:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Args:
        script: Behaviours (or their kinds) for the first requests.
        default: Behaviour for the others.
        answer: Makes the texts; None answers with ``{"answer": <n>}``.
        models: Models served; any other is a 404. None serves all.
        key: The only key accepted; None accepts all.
        port: 0 picks a free one.
    """

    def __init__(
        self,
        script: Iterable[str | Behaviour] = (),
        default: str | Behaviour = "ok",
        *,
        answer: Answer | None = None,
        models: Iterable[str] | None = None,
        key: str | None = None,
        port: int = 0,
    ) -> None:
        self._script = deque(_behaviour(b) for b in script)
        self._default = _behaviour(default)
        self._answer = answer
        self._models = None if models is None else set(models)
        self._key = key
        self._lock = threading.Lock()
        self.seen = Seen()
        self.closing = threading.Event()
        server = self

        class Handler(_Handler):
            owner = server

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is no news."""

        self._http = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        """What to set ``llm.api_base`` to."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def chats(self) -> int:
        """Number of chat requests received."""
        return len(self.seen.bodies)

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def join(self) -> None:
        """Serves until interrupted."""
        self._thread.join()

    def begin(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[Behaviour, int]:
        """Notes a chat request and returns what to do with it, and its number."""
        with self._lock:
            seen = self.seen
            seen.bodies.append(body)
            seen.headers.append(headers)
            seen.arrived.append(time.monotonic())
            seen.in_flight += 1
            seen.max_in_flight = max(seen.max_in_flight, seen.in_flight)
            behaviour = self._script.popleft() if self._script else self._default
            number = len(seen.bodies)
        if not self.key_fits(headers):
            behaviour = Behaviour("401")
        elif self._models is not None and body.get("model") not in self._models:
            behaviour = Behaviour("404")
        return behaviour, number

    def end(self) -> None:
        """Notes that a request is done with."""
        with self._lock:
            self.seen.in_flight -= 1

    def key_fits(self, headers: dict[str, str]) -> bool:
        """Says whether a request carries the right key."""
        return self._key is None or headers.get("authorization") == f"Bearer {self._key}"

    def text(self, body: dict[str, Any], number: int) -> str:
        """Returns the text of a normal answer."""
        return self._answer(body) if self._answer else json.dumps({"answer": number})

    def listing(self) -> dict[str, Any]:
        """Returns the body of ``GET /v1/models``."""
        with self._lock:
            self.seen.listings += 1
        return {
            "object": "list",
            "data": [{"id": m, "object": "model"} for m in sorted(self._models or {"test-model"})],
        }


def _behaviour(value: str | Behaviour) -> Behaviour:
    return Behaviour(value) if isinstance(value, str) else value


class _Handler(BaseHTTPRequestHandler):
    owner: OpenAIServer
    protocol_version = "HTTP/1.1"
    # Header and body leave in two writes; without this, delayed ACKs add 40 ms to each answer.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Lists the models."""
        if not self.owner.key_fits({k.lower(): v for k, v in self.headers.items()}):
            self._error("401", {}, None)
        else:
            self._send(200, json.dumps(self.owner.listing()).encode())

    def do_POST(self) -> None:
        """Answers a chat request."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        behaviour, number = self.owner.begin(body, {k.lower(): v for k, v in self.headers.items()})
        try:
            self.owner.closing.wait(behaviour.delay_s)
            self._serve(behaviour, body, number)
        finally:
            self.owner.end()

    def _serve(self, behaviour: Behaviour, body: dict[str, Any], number: int) -> None:
        kind = behaviour.kind
        if kind in _ERRORS:
            self._error(kind, body, behaviour.retry_after)
            return
        if kind == "reset":
            # Linger 0 makes close() send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if kind == "malformed":
            self._send(200, b'{"id": "chatcmpl-1", "choices": [{"message": {"content": "hal')
            return
        text = behaviour.text if behaviour.text is not None else self.owner.text(body, number)
        content = json.dumps(_completion(kind, body, text, number)).encode()
        if kind in ("truncated", "stall"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if kind == "stall":
                self.owner.closing.wait(30)
            self.close_connection = True
            return
        self._send(200, content)

    def _error(self, kind: str, body: dict[str, Any], retry_after: str | None) -> None:
        status, message, type_, code = _ERRORS[kind]
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        message = message.format(key=key, model=body.get("model"))
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        content = {"error": {"message": message, "type": type_, "param": None, "code": code}}
        self._send(status, json.dumps(content).encode(), headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _completion(kind: str, body: dict[str, Any], text: str, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    finish = "stop"
    if kind == "refusal_field":
        message |= {"content": None, "refusal": "I can't help with that."}
    elif kind == "filtered":
        message["content"], finish = "", "content_filter"
    elif kind == "empty":
        message["content"] = ""
    elif kind == "length":
        message["content"], finish = "", "length"
    prompt = sum(len(str(m.get("content", ""))) for m in body.get("messages", ())) // 4 + 1
    out = max(1, len(message["content"] or "") // 4)
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model"),
        "choices": []
        if kind == "no_choices"
        else [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": None
        if kind == "no_usage"
        else {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out},
    }


def main() -> None:
    """Serves until interrupted; a benchmark's stand-in for a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--answer", help="module:function that takes the request's body and returns the text")
    options = parser.parse_args()
    answer: Answer | None = None
    if options.answer:
        module, _, name = options.answer.partition(":")
        answer = getattr(importlib.import_module(module), name)
    default = Behaviour("ok", delay_s=options.delay)
    with OpenAIServer(default=default, answer=answer, port=options.port) as server:
        print(f"listening: llm.model=openai/test-model llm.api_base={server.base_url}", flush=True)
        try:
            server.join()
        except KeyboardInterrupt:
            print(f"{server.chats} requests, at most {server.seen.max_in_flight} at once", flush=True)


if __name__ == "__main__":
    main()
