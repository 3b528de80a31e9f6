"""What litellm's exceptions mean. Imports litellm and openai, hence itself imported only when a call is
made."""

from __future__ import annotations

import re
from collections.abc import Set

import httpx
import litellm
import openai

from metamuse.llm.config import COMPOSER_MODEL, LLMConfig
from metamuse.llm.errors import LLMConfigError
from metamuse.llm.providers import key_variable, provider_of
from metamuse.llm.redact import redact
from metamuse.llm.retry import retry_after_s
from metamuse.llm.transport import TransportFailure
from metamuse.llm.types import Call, RawAnswer

#: Base of everything ``litellm.acompletion`` raises.
ProviderError = openai.OpenAIError
#: Signs that the question never got through, or at least that no answer had begun.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.WriteError)
#: An endpoint's words for "I do not take this parameter", as against "this value is too large".
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|not (?:allowed|permitted)|unexpected|only the default",
    re.IGNORECASE,
)
#: "litellm.RateLimitError: RateLimitError: OpenAIException - " and the like.
_PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Exception|Timeout)(?:: | - ))+")
_MAX_SAID = 300


def classify(error: openai.OpenAIError, call: Call, config: LLMConfig) -> RawAnswer:
    """Turns litellm's exception into an unusable answer, a failure to retry or a sentence for the user.

    Raises:
        TransportFailure: Another attempt may succeed.
        LLMConfigError: None will.
    """
    causes = _causes(error)
    if call.model == COMPOSER_MODEL:
        raise causes[-1]  # our own code failed: not the network, and nothing to retry
    if isinstance(error, litellm.ContextWindowExceededError):
        return RawAnswer("", "context", 0, 0, problem="context")
    if isinstance(error, litellm.ContentPolicyViolationError):
        return RawAnswer("", "content_filter", 0, 0, problem="refusal")
    status = _http_status(causes)
    said = _said(error, config)
    where = config.api_base or provider_of(call.model)
    key_name = config.api_key_env or key_variable(call.model) or "the provider's key"
    if status == 401 or isinstance(error, litellm.AuthenticationError):
        raise LLMConfigError(f"{where} rejects the key (401): set {key_name} to a valid one. It said: {said}")
    if status == 403:
        raise LLMConfigError(
            f"{where} does not let this key use {call.model} (403): set {key_name} or llm.model to a pair "
            f"that may. It said: {said}"
        )
    if status == 404 or isinstance(error, litellm.NotFoundError):
        raise LLMConfigError(
            f"{where} does not serve {call.model} (404): set llm.model (or llm.api_base) to one it does. "
            f"It said: {said}"
        )
    if status == 429 or isinstance(error, litellm.RateLimitError):
        if _out_of_quota(causes):
            raise TransportFailure(f"the account's quota is used up (429): {said}", final=True)
        raise TransportFailure(f"rate limit (429): {said}", retry_after_s=_asked_pause_s(causes), busy=True)
    if status in (400, 413, 422) or (status is None and isinstance(error, litellm.BadRequestError)):
        raise LLMConfigError(
            f"{where} does not accept the request ({status or 'not sent'}): change llm.model, "
            f"llm.temperatures or llm.max_tokens. It said: {said}"
        )
    if isinstance(error, litellm.Timeout):
        raise TransportFailure(f"time-out: {said}", billed=not _unsent(causes))
    if status is None and _unsent(causes):
        raise TransportFailure(f"{where} cannot be reached ({_reason(causes)})", busy=True)
    raise TransportFailure(
        f"{where} failed ({status or type(causes[-1]).__name__}): {said}",
        # An honest 5xx is not billed; an answer that was torn off on its way, or cannot be read, may be.
        billed=status is None,
        busy=status in (503, 529),
        retry_after_s=_asked_pause_s(causes),
    )


def _out_of_quota(causes: list[BaseException]) -> bool:
    """Whether waiting is in vain. Newer releases of openai keep the provider's code out of the message."""
    said = [word for c in causes for word in (getattr(c, "code", None), getattr(c, "type", None), str(c))]
    return any("insufficient_quota" in str(word) for word in said)


def _unsent(causes: list[BaseException]) -> bool:
    return any(isinstance(cause, _UNSENT) for cause in causes)


def _reason(causes: list[BaseException]) -> str:
    """Returns what the operating system or the proxy says of a connection that cannot be made."""
    first = next(cause for cause in causes if isinstance(cause, _UNSENT))
    return redact(str(first)) or type(first).__name__


def refused_parameter(error: openai.OpenAIError, sent: Set[str]) -> str | None:
    """Returns which of the parameters sent the model does not take, or None if the error is about something else."""
    text = str(getattr(error, "message", None) or error)
    if _http_status(_causes(error)) not in (400, 422) or not _UNSUPPORTED.search(text):
        return None
    return next((name for name in sorted(sent) if re.search(rf"\b{name}\b", text)), None)


def _said(error: openai.OpenAIError, config: LLMConfig) -> str:
    """Returns the provider's own words: one line, shortened, without litellm's prefixes, without secrets."""
    text = " ".join(str(getattr(error, "message", None) or error).split())
    text = _PREFIX.sub("", text).partition(" Traceback (most recent call last)")[0]
    text = redact(text, (config.api_key_env,) if config.api_key_env else ())
    return text if len(text) <= _MAX_SAID else text[: _MAX_SAID - 3] + "..."


def _causes(error: BaseException) -> list[BaseException]:
    """Returns the exception and what it came from, outermost first."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


def _http_status(causes: list[BaseException]) -> int | None:
    """Returns the status the endpoint sent, or None if it sent none (litellm then invents a 500)."""
    for cause in causes[1:]:
        if isinstance(cause, openai.APIStatusError | httpx.HTTPStatusError):
            return cause.response.status_code
    return None


def _asked_pause_s(causes: list[BaseException]) -> float | None:
    for cause in causes[1:]:
        if isinstance(cause, openai.APIStatusError | httpx.HTTPStatusError):
            return retry_after_s(cause.response.headers)
    return None
