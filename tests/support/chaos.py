"""What a bad day at a provider looks like: chooses a behaviour for every request, by seed."""

from __future__ import annotations

import hashlib
import json
from email.utils import formatdate
from time import time
from typing import Any

import numpy as np

from tests.support.openai_server import Behaviour

#: Shares of what befalls a request outside of bursts; the rest is answered well. Together about a third.
SHARES = {
    "500": 0.03,
    "502": 0.015,
    "503": 0.015,
    "529": 0.015,
    "html_error": 0.015,
    "reset": 0.015,
    "reset_inside": 0.015,
    "truncated": 0.015,
    "stall": 0.005,
    "drip": 0.005,
    "endless": 0.004,
    "malformed": 0.015,
    "html": 0.015,
    "garbage": 0.01,
    "latin1": 0.01,
    "stream": 0.01,
    "no_choices": 0.015,
    "no_usage": 0.015,
    "null_usage": 0.01,
    "negative_usage": 0.01,
    "huge_usage": 0.01,
    "text_usage": 0.005,
    "empty": 0.015,
    "null": 0.01,
    "length": 0.01,
    "refusal_field": 0.01,
    "filtered": 0.01,
    "echo": 0.015,
    "reflect": 0.015,
    "long": 0.004,
    "refusal": 0.01,
    "prose": 0.01,
    "duplicate": 0.015,
}
#: What of it is an ordinary answer with a text of its own.
TEXTS = {
    "refusal": "I'm sorry, but I can't help with that request.",
    "prose": "Natürlich! Hier ist mein Vorschlag: Wir räumen zuerst auf, was am längsten nicht benutzt wurde.",
    "duplicate": '{"answer": "the same as everybody gets"}',
}
#: Requests of a burst, and the share of bursts in which all are turned away (429).
BURST, BURSTS = 12, 0.1


class Chaos:
    """A chooser for :class:`tests.support.openai_server.OpenAIServer`.

    What befalls an attempt depends on the seed, the prompt and the number of the attempt; a burst of rate limits
    hits whoever comes then.

    Args:
        seed: Of everything.
        longest_s: The longest delay of an answer in seconds; the median is 4 ms.
        unlucky: Share of prompts that fail at every attempt (500).
    """

    def __init__(self, seed: int, longest_s: float, unlucky: float = 0.0) -> None:
        self._seed = seed
        self._longest_s = longest_s
        self._unlucky = unlucky
        self._kinds = np.array(["ok", *SHARES])
        self._shares = np.array([1 - sum(SHARES.values()), *SHARES.values()])

    def __call__(self, body: dict[str, Any], number: int, attempt: int) -> Behaviour:
        """Chooses; see :data:`tests.support.openai_server.Chooser`."""
        burst = np.random.default_rng([self._seed, number // BURST])
        if burst.random() < BURSTS:
            asked = {"date": formatdate(time() + 1, usegmt=True), "none": None}
            choice = str(burst.choice(["none", "0", "0.1", "soon", "date"]))
            return Behaviour("429", retry_after=asked.get(choice, choice))
        text = json.dumps([body["messages"], body.get("seed")]).encode()
        prompt = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
        if np.random.default_rng([self._seed, prompt]).random() < self._unlucky:
            return Behaviour("500")
        rng = np.random.default_rng([self._seed, prompt, attempt])
        delay = min(self._longest_s, 0.004 * float(rng.lognormal(0.0, 1.5)))
        kind = str(rng.choice(self._kinds, p=self._shares))
        return Behaviour("ok" if kind in TEXTS else kind, delay, text=TEXTS.get(kind))
