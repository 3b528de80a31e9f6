"""Finds out in a second or two, before anything is written, that asking cannot work; calls no model."""

from __future__ import annotations

import difflib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from metamuse.llm.config import LLMConfig
from metamuse.llm.custom_provider import composer_registered
from metamuse.llm.errors import LLMConfigError
from metamuse.llm.litellm_transport import load_litellm
from metamuse.llm.prices import known_providers
from metamuse.llm.providers import BASE_VARIABLES, KEY_VARIABLES, LOCAL_BASES, provider_of
from metamuse.llm.redact import redact

#: Seconds to wait for the endpoint to accept a connection, and to list its models.
_PROBE_S = 1.5
_LISTING_BYTES = 4 * 2**20
_OPENAI = "https://api.openai.com/v1"


def preflight(config: LLMConfig) -> None:
    """Checks the provider prefix, the key and the endpoint of every model in use.

    An OpenAI-compatible endpoint is also asked for its list of models, which costs nothing and shows a wrong
    key.

    Raises:
        LLMConfigError: One sentence that says what to set.
    """
    if config.provider == "offline":
        if not composer_registered():
            raise LLMConfigError(
                "llm=offline has no composer for this problem: set llm.model to a model instead."
            )
        return
    if config.provider in ("replay", "inbox"):
        return
    check_names(config)
    for model in config.models():
        provider = provider_of(model)
        base = _base(provider, config)
        _check_key(model, provider, base, config)
        if base is None and provider in LOCAL_BASES:
            raise LLMConfigError(f"{model} has no endpoint: set llm.api_base, e.g. http://localhost:8000/v1.")
        if base is not None:
            _check_reachable(base)
        if provider in ("openai", "hosted_vllm", "lm_studio"):
            _check_listing(model, base, provider, config)


def check_names(config: LLMConfig) -> None:
    """Checks what can be told without key and network: that litellm knows the provider of every model in use.

    Raises:
        LLMConfigError: One sentence that says how a model is named.
    """
    known = known_providers()
    for model in config.models() if config.provider == "litellm" else ():
        provider = provider_of(model)
        if not provider or (known and provider not in known):
            raise LLMConfigError(
                f"llm.model={model} names no provider that litellm knows: write provider/model, for instance "
                "openai/gpt-4o, anthropic/claude-sonnet-4-5, ollama/llama3.1, or openai/<name> with llm.api_base "
                "for any OpenAI-compatible server."
            )


def _base(provider: str, config: LLMConfig) -> str | None:
    if config.api_base:
        return config.api_base
    for variable in BASE_VARIABLES.get(provider, ()):
        if os.environ.get(variable):
            return os.environ[variable]
    return LOCAL_BASES.get(provider)


def _check_key(model: str, provider: str, base: str | None, config: LLMConfig) -> None:
    if config.api_key_env:
        if not os.environ.get(config.api_key_env):
            raise LLMConfigError(f"llm.api_key_env names {config.api_key_env}, which is not set: export it.")
        return
    if base is not None or provider in LOCAL_BASES:
        return  # servers of one's own mostly need none; if this one does, asking for its models shows it
    variables = KEY_VARIABLES.get(provider)
    if variables is not None:
        if not any(os.environ.get(name) for name in variables):
            raise LLMConfigError(
                f"{model} needs a key: export {variables[0]}=... (or set llm.api_base or llm.api_key_env)."
            )
        return
    missing = load_litellm().validate_environment(model)["missing_keys"]
    if missing:
        raise LLMConfigError(f"{model} needs {' and '.join(missing)} in the environment.")


def _check_reachable(base: str) -> None:
    url = urlsplit(base)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise LLMConfigError(f"llm.api_base={base} is not a URL: write it like http://localhost:8000/v1.")
    if _proxy(base):
        return  # only the proxy can be reached directly
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        with socket.create_connection((url.hostname, port), timeout=_PROBE_S):
            pass
    except socket.gaierror as error:
        raise _unknown_host(url.hostname, error) from error
    except (OSError, ValueError) as error:
        late = isinstance(error, TimeoutError)
        reason = f"no answer within {_PROBE_S} s" if late else getattr(error, "strerror", None) or error
        raise LLMConfigError(
            f"Nothing answers at {redact(base)} ({reason}): start the server or set llm.api_base to where it "
            "listens."
        ) from error


def _check_listing(model: str, base: str | None, provider: str, config: LLMConfig) -> None:
    variable = config.api_key_env or KEY_VARIABLES.get(provider, ("",))[0]
    key = os.environ.get(variable, "")
    url = (base or _OPENAI).rstrip("/")
    try:
        listing = _fetch(f"{url}/models", key)
    except urllib.error.HTTPError as error:
        # Anything else than a refused key says nothing: many servers have no such listing.
        if error.code in (401, 403):
            name = variable or "the variable that llm.api_key_env names"
            what = "rejects the key" if key else "wants a key"
            raise LLMConfigError(
                f"{redact(url)} {what} ({error.code}): export {name}=... with a valid one."
            ) from error
        if error.code == 407:
            raise _bad_proxy(url, error) from error
        if error.code == 404 and not url.endswith("/v1") and _lists(f"{url}/v1/models", key):
            raise LLMConfigError(
                f"{redact(url)} has no OpenAI interface, but {redact(url)}/v1 has: set llm.api_base to that."
            ) from error
    except TimeoutError:
        pass  # slow, not dead: the calls have their own patience
    except OSError as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, TimeoutError):
            raise _unreachable(url, reason) from error
    else:
        _check_listed(model, url, listing)


def _check_listed(model: str, url: str, listing: dict[str, Any]) -> None:
    """Refuses a model that a complete listing does not hold; most servers' are not complete."""
    rows = [row for row in listing.get("data") or () if isinstance(row, dict)]
    names = [str(row.get("id")) for row in rows]
    complete = url == _OPENAI or any(row.get("owned_by") == "vllm" for row in rows)
    name = model.partition("/")[2] or model
    if complete and names and name not in names:
        near = difflib.get_close_matches(name, names, 3, 0.3) or names[:3]
        raise LLMConfigError(
            f"{redact(url)} does not serve {name}: set llm.model, for instance to "
            f"{' or '.join(f'{model[: -len(name)]}{n}' for n in near)}."
        )


def _fetch(url: str, key: str) -> dict[str, Any]:
    request = urllib.request.Request(url)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=_PROBE_S) as response:
        try:
            listing = json.loads(response.read(_LISTING_BYTES))
        except ValueError:
            return {}
    return listing if isinstance(listing, dict) else {}


def _lists(url: str, key: str) -> bool:
    try:
        return "data" in _fetch(url, key)
    except OSError:
        return False


def _proxy(url: str) -> str | None:
    """Returns the variable that sends requests for a URL through a proxy, or None if they go straight."""
    parts = urlsplit(url)
    used = urllib.request.getproxies().get(parts.scheme)
    return f"{parts.scheme}_proxy" if used and not urllib.request.proxy_bypass(parts.hostname or "") else None


def _unreachable(url: str, reason: object) -> LLMConfigError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return LLMConfigError(
            f"{redact(url)} shows a certificate that is not trusted ({reason.verify_message}): set SSL_CERT_FILE to "
            "a file that holds its authority's certificate."
        )
    if _proxy(url):
        return _bad_proxy(url, reason)
    if isinstance(reason, ssl.SSLError):
        return LLMConfigError(
            f"{redact(url)} does not speak TLS ({reason.reason}): write http:// instead of https:// if that is meant."
        )
    if isinstance(reason, socket.gaierror):
        return _unknown_host(urlsplit(url).hostname, reason)
    return LLMConfigError(
        f"{redact(url)} cannot be reached ({redact(str(reason))}): check the network or llm.api_base."
    )


def _unknown_host(host: str | None, error: socket.gaierror) -> LLMConfigError:
    return LLMConfigError(
        f"No address is known for {host} ({error.strerror}): check the network and the spelling of llm.api_base."
    )


def _bad_proxy(url: str, reason: object) -> LLMConfigError:
    variable = _proxy(url) or "http_proxy"
    return LLMConfigError(
        f"The proxy that {variable} names does not get through to {urlsplit(url).hostname} "
        f"({redact(str(reason))}): correct or unset {variable}, or add the host to no_proxy."
    )
