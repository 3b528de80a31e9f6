"""The texts of the inbox: a prompt as one block to paste into a chat, several in one, and answers taken apart."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from metamuse.llm.inbox_ledger import Prompt, label

#: The line above each answer of several; models like to dress it up.
_HEADING = re.compile(r"^[#*> \t]*={2,}[ \t]*(\d{4,9})[ \t]*={2,}[*: \t]*$", re.MULTILINE)
_BETWEEN = "\n\n---\n\n"
_TURNS = {"assistant": "Your earlier answer:\n\n{}"}
#: Characters that chat windows put into copied text: no-break spaces, and marks that cannot be seen.
_INVISIBLE = {0x00A0: " ", 0x202F: " ", 0x200B: None, 0xFEFF: None}


def block(prompt: Prompt) -> str:
    """A prompt, system part and all turns, as one text for a new chat."""
    return _joined(prompt.messages)


def bundles(prompts: Iterable[Prompt]) -> dict[str, tuple[list[Prompt], str]]:
    """Prompts that share their instructions as one text for a new chat, by the name they get.

    Returns:
        By name (``all-code``): the prompts, at least two, and the text.
    """
    groups: dict[tuple[str, ...], list[Prompt]] = {}
    for prompt in prompts:
        groups.setdefault(tuple(_system(prompt)), []).append(prompt)
    named: dict[str, tuple[list[Prompt], str]] = {}
    for group in groups.values():
        if len(group) > 1:
            name = f"all-{group[0].purpose}"
            while name in named:
                name += "-more"
            named[name] = group, _bundle(group)
    return named


def _system(prompt: Prompt) -> list[str]:
    return [m["content"].strip() for m in prompt.messages if m["role"] == "system"]


def _joined(messages: Sequence[Mapping[str, str]]) -> str:
    return _BETWEEN.join(_TURNS.get(m["role"], "{}").replace("{}", m["content"].strip()) for m in messages)


def _bundle(prompts: Sequence[Prompt]) -> str:
    tasks = (
        f"=== {p.label} ===\n\n" + _joined([m for m in p.messages if m["role"] != "system"]) for p in prompts
    )
    return _BETWEEN.join(
        [
            *_system(prompts[0]),
            f"There are {len(prompts)} separate tasks below. Answer each by itself, completely and in the format "
            "described above, without regard to the others. Above each answer write a line with the number of its "
            f"task between equals signs:\n\n=== {prompts[0].label} ===\n\nThe tasks:",
            *tasks,
        ]
    )


def prompt_page(prompt: Prompt, run: Path) -> str:
    """The file of a prompt: what it is, where the answer goes, the block to copy.

    Args:
        prompt: What is asked.
        run: The run directory.
    """
    again = ""
    if prompt.after is not None:
        again = (
            f"\nThis asks again, because the answer to {label(prompt.after)} could not be used. In the chat of "
            f"{label(prompt.after)} it is enough to say:\n\n> {prompt.messages[-1]['content'].strip()}\n"
        )
    return (
        f"# {prompt.label}: {prompt.purpose} ({prompt.key})\n\n"
        "Copy the block into a new chat with your model (copying this whole file works too), and save the reply as\n"
        f"`outbox/{prompt.answer_file}`. Or paste it into\n"
        f"`python -m metamuse inbox run={run} answer={prompt.label}`.\n"
        f"{again}\n{_fenced(block(prompt))}\n"
    )


def bundle_page(name: str, prompts: Sequence[Prompt], text: str, run: Path) -> str:
    """The file of a bundle, see :func:`bundles` and :func:`prompt_page`."""
    return (
        f"# {', '.join(p.label for p in prompts)}: all of this kind at once\n\n"
        "Instead of one file after the other. Copy the block into a new chat, and save the whole reply as\n"
        f"`outbox/{name}.md`. Or paste it into `python -m metamuse inbox run={run} answer=all`.\n"
        f"The answers are told apart by lines such as `=== {prompts[0].label} ===`; some may be missing.\n"
        f"\n{_fenced(text)}\n"
    )


def _fenced(text: str) -> str:
    ticks = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(4, ticks + 1)
    return f"{fence}text\n{text}\n{fence}"


def decoded(data: bytes) -> str:
    """An answer file as text: UTF-8 or UTF-16 with a byte order mark, line ends of any system, no odd spaces."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    text = data.decode(encoding, errors="replace").translate(_INVISIBLE)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def split(text: str) -> dict[int, str]:
    """Several answers in one text, by number; empty if no line announces one. Empty answers are left out."""
    headings = list(_HEADING.finditer(text))
    ends = [h.start() for h in headings[1:]] + [len(text)]
    parts = {int(h[1]): text[h.end() : end].strip() for h, end in zip(headings, ends, strict=False)}
    return {number: part.removesuffix("---").strip() for number, part in parts.items() if part}
