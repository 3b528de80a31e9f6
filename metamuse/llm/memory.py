"""What models said of stimuli in earlier runs: an observation is asked and paid for once, not once a run.

``<root>/observations.jsonl`` holds a line an answer. Its key is a hash of the model and of all messages (in which the
problem's version and the stimulus are), so that a changed problem, model, prompt or stimulus is asked anew. What a run
takes from here is put into its own record: it can be resumed and replayed without this file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path


def key_of(model: str, messages: Sequence[Mapping[str, str]]) -> str:
    """The key of an answer."""
    text = json.dumps([model, [dict(m) for m in messages]], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Memory:
    """Answers by key, shared by all runs under a root.

    Runs may read and add at the same time: a line is written with one call in append mode, and of two answers to
    one key the first counts. A damaged line is passed over, as nothing but money depends on it.

    Args:
        path: The file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._answers: dict[str, str] = {}
        self._start = ""
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            self._start = "" if text.endswith("\n") or not text else "\n"  # a killed process left half a line
            for line in text.splitlines():
                self._take(line)

    def get(self, key: str) -> str | None:
        """The answer, None if there is none."""
        return self._answers.get(key)

    def put(self, key: str, answer: str) -> None:
        """Remember an answer that could be used. A file that cannot be written is only a pity."""
        if key in self._answers:
            return
        self._answers[key] = answer
        line = self._start + json.dumps({"key": key, "answer": answer}) + "\n"
        self._start = ""
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError:
            return
        try:
            os.write(file, line.encode("utf-8", "surrogatepass"))
        except OSError:
            return
        finally:
            os.close(file)

    def _take(self, line: str) -> None:
        try:
            row = json.loads(line)
        except ValueError:
            return
        match row:
            case {"key": str(key), "answer": str(answer)}:
                self._answers.setdefault(key, answer)
