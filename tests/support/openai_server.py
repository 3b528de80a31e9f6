"""A real HTTP server that speaks the OpenAI chat protocol and misbehaves on demand.

In tests: ``with OpenAIServer(["429", "ok"]) as server: … server.base_url``. The script's behaviours are
served in the order in which requests arrive; when it is used up, ``default`` serves. For benchmarks:
``python -m tests.support.openai_server --port 8099 --delay 5``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import socket
import struct
import threading
import time
from collections import Counter, deque
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
        kind: ``ok``; an HTTP error ``400 401 403 404 429 500 502 503 529 quota context html_error key_in_error`` or a name of
            :data:`UNSUPPORTED` (an error as long as the request has that parameter); a bad connection ``reset reset_inside truncated stall drip endless``; a bad body
            ``malformed html garbage latin1 stream no_choices no_usage null_usage negative_usage huge_usage
            text_usage``; or a bad answer ``empty null length refusal_field filtered echo reflect long``.
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
    "key_in_error": (500, "Internal error for key {key} of {model}.", "server_error", None),
    "502": (502, "Bad gateway.", "server_error", None),
    "529": (529, "Overloaded", "overloaded_error", None),
    "503": (503, "The engine is currently overloaded.", "server_error", None),
    "401": (401, "Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"),
    "403": (403, "You are not allowed to sample from this model", "invalid_request_error", None),
    "404": (404, "The model `{model}` does not exist.", "invalid_request_error", "model_not_found"),
    "400": (
        400,
        "max_tokens is too large: 2048. This model supports at most 1024 completion tokens.",
        "invalid_request_error",
        "invalid_value",
    ),
    "context": (
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
}

#: What OpenAI's API says of a parameter that a model does not take, in its own words.
UNSUPPORTED = {
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    "temperature": "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) "
    "value is supported.",
    "seed": "Unrecognized request argument supplied: seed",
    "response_format": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
    "model.",
}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
#: Repetitions of an answer's text that is called long: about 3 MB.
_LONG = 3_000_000

#: Chooses what to do with a request: its body, its number from 1, and how often this prompt was asked before.
Chooser = Callable[[dict[str, Any], int, int], Behaviour]


@dataclass
class Seen:
    """What the server saw. Times are seconds of a monotonic clock.

    Attributes:
        attempts: Requests by prompt, sampling seed included: the attempts at one ask.
        served: Chat requests by kind of behaviour.
    """

    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    listings: int = 0
    in_flight: int = 0
    max_in_flight: int = 0


class OpenAIServer:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Args:
        script: Behaviours (or their kinds) for the first requests.
        default: Behaviour for the others.
        chooser: Chooses the behaviour of every request, instead of script and default.
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
        chooser: Chooser | None = None,
        answer: Answer | None = None,
        models: Iterable[str] | None = None,
        key: str | None = None,
        port: int = 0,
    ) -> None:
        self._script = deque(_behaviour(b) for b in script)
        self._default = _behaviour(default)
        self._chooser = chooser
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
            number = len(seen.bodies)
            prompt = json.dumps([body.get("messages"), body.get("seed")])
            if self._chooser is not None:
                behaviour = self._chooser(body, number, seen.attempts[prompt])
            else:
                behaviour = self._script.popleft() if self._script else self._default
            seen.attempts[prompt] += 1
            seen.served[behaviour.kind] += 1
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
        elif self.path != "/v1/models":
            self._error("404", {}, None)
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
        if kind in _ERRORS or (kind in body and kind in UNSUPPORTED):
            self._error(kind, body, behaviour.retry_after)
        elif kind == "reset":
            self._reset()
        elif kind == "malformed":
            self._send(200, b'{"id": "chatcmpl-1", "choices": [{"message": {"content": "hal')
        elif kind in ("html", "html_error"):
            self._send(200 if kind == "html" else 502, _PAGE, type_="text/html")
        elif kind == "garbage":
            self._send(200, hashlib.sha512(str(number).encode()).digest() * 20)
        elif kind == "endless":
            self._endless()
        else:
            text = behaviour.text if behaviour.text is not None else self.owner.text(body, number)
            if kind == "reflect":
                text = f"You sent {self.headers.get('Authorization')}. {text}"
            content = _completion(kind, body, text, number)
            if kind == "stream":
                self._stream(content)
            elif kind in ("truncated", "stall", "reset_inside", "drip"):
                self._half(kind, json.dumps(content).encode())
            else:
                unicode = kind == "latin1"
                encoded = json.dumps(content, ensure_ascii=not unicode)
                self._send(200, encoded.encode("latin-1" if unicode else "utf-8", "replace"))

    def _reset(self) -> None:
        # Linger 0 makes close() send RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _half(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        if kind == "stall":
            self.owner.closing.wait(30)
        elif kind == "reset_inside":
            self._reset()
        elif kind == "drip":
            for byte in content[half:]:  # no pause between bytes is long, all together are
                if self.owner.closing.wait(0.1):
                    break
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
        self.close_connection = True

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"choices": [{"message": {"content": "')
        while not self.owner.closing.is_set():
            self.wfile.write(b"on and " * 10_000)
        self.close_connection = True

    def _stream(self, content: dict[str, Any]) -> None:
        message = content["choices"][0]["message"]
        chunk = {**content, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": message}]}
        lines = [f"data: {json.dumps(chunk)}\n\n", "data: [DONE]\n\n"]
        self._send(200, "".join(lines).encode(), type_="text/event-stream")

    def _error(self, kind: str, body: dict[str, Any], retry_after: str | None) -> None:
        unsupported = (400, UNSUPPORTED.get(kind, ""), "invalid_request_error", "unsupported_parameter")
        status, message, type_, code = _ERRORS.get(kind, unsupported)
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        message = message.format(key=key, model=body.get("model"))
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        content = {"error": {"message": message, "type": type_, "param": None, "code": code}}
        self._send(status, json.dumps(content).encode(), headers)

    def _send(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str] | None = None,
        type_: str = "application/json",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
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
    elif kind == "null":
        message["content"] = None
    elif kind == "echo":
        message["content"] = body["messages"][-1]["content"]
    elif kind == "long":
        message["content"] = (text + "\n") * (_LONG // len(text))
    elif kind == "latin1":
        message["content"] = "d\u00e9j\u00e0 vu: " + text
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
    } | _usage(kind, prompt, out)


def _usage(kind: str, prompt: int, out: int) -> dict[str, Any]:
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": out,
        "total_tokens": prompt + out,
    }
    if kind == "no_usage":
        return {}
    if kind == "null_usage":
        return {"usage": None}
    if kind == "negative_usage":
        usage = dict.fromkeys(usage, -1000)
    elif kind == "huge_usage":
        usage = dict.fromkeys(usage, 10**12)
    elif kind == "text_usage":
        usage = dict.fromkeys(usage, "many")
    return {"usage": usage}


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
