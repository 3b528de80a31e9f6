"""A scripted model for the real local server: plausible answers for every waypoint, chosen by the prompt.

The code comes from ``tests/corpus``: raw answers of a large language model.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "corpus"


def answer(body: dict[str, Any]) -> str:
    """The answer to one chat request (the JSON body of the OpenAI protocol)."""
    system, user = body["messages"][0]["content"], body["messages"][1]["content"]
    pick = int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big")
    if "Word: " in user:
        word = user.rsplit("Word: ", 1)[1].strip()
        text = f"objects are ordered by how long ago they were like a {word}, rule {pick % 97}"
        return json.dumps({"properties": ["heavy", "slow", word], "property": "heavy", "observation": text})
    if "Observations:" in user:
        keys = re.findall(r'^- "(\w+)":', system, re.MULTILINE)
        return (
            "Here it is.\n```json\n" + json.dumps({k: f"{k} of design {pick % 9973}" for k in keys}) + "\n```"
        )
    problem = re.search(r"Problem \((\w+)-v\d+\)", system)
    assert problem is not None, system[:200]
    files = sorted(CORPUS.glob(f"{problem[1]}-*.md"))
    return files[pick % len(files)].read_text(encoding="utf-8")
