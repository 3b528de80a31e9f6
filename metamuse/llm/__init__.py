"""The LLM layer: one way to ask, whoever answers. Importing it does not import litellm."""

from metamuse.llm.budget import Budget, Reservation, Spent, estimate_prompt_tokens
from metamuse.llm.client import LLMClient
from metamuse.llm.config import COMPOSER_MODEL, INBOX_MODEL, LLMConfig
from metamuse.llm.custom_provider import ComposerCall, register_composer
from metamuse.llm.errors import (
    BudgetExhausted,
    LLMBadAnswer,
    LLMConfigError,
    LLMError,
    LLMUnavailable,
    ReplayMissing,
)
from metamuse.llm.memory import Memory
from metamuse.llm.parse import AnswerError, check_schema, extract_code, extract_json, last_line, parse_answer
from metamuse.llm.preflight import check_names, preflight
from metamuse.llm.prices import Price, price_of, price_table
from metamuse.llm.redact import redact
from metamuse.llm.store import CompletionStore, Totals
from metamuse.llm.types import LLMReply, LLMRequest

__all__ = [
    "COMPOSER_MODEL",
    "INBOX_MODEL",
    "AnswerError",
    "Budget",
    "BudgetExhausted",
    "CompletionStore",
    "ComposerCall",
    "LLMBadAnswer",
    "LLMClient",
    "LLMConfig",
    "LLMConfigError",
    "LLMError",
    "LLMReply",
    "LLMRequest",
    "LLMUnavailable",
    "Memory",
    "Price",
    "ReplayMissing",
    "Reservation",
    "Spent",
    "Totals",
    "check_names",
    "check_schema",
    "estimate_prompt_tokens",
    "extract_code",
    "extract_json",
    "last_line",
    "parse_answer",
    "preflight",
    "price_of",
    "price_table",
    "redact",
    "register_composer",
]
