"""Which environment variable holds whose key, and where local servers listen."""

from __future__ import annotations

from metamuse.llm.prices import model_entry

#: The variables litellm reads, the first being the one to name in messages. A provider that is not here is
#: checked by litellm itself, at the price of importing it first.
KEY_VARIABLES: dict[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("COHERE_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": (
        "FIREWORKS_AI_API_KEY",
        "FIREWORKS_API_KEY",
        "FIREWORKSAI_API_KEY",
        "FIREWORKS_AI_TOKEN",
    ),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "xai": ("XAI_API_KEY",),
}

#: Servers that run on the user's own machine and need no key, with the address litellm assumes (None: it must
#: be given).
LOCAL_BASES: dict[str, str | None] = {
    "hosted_vllm": None,
    "llamafile": "http://127.0.0.1:8080/v1",
    "lm_studio": None,
    "ollama": "http://localhost:11434",
    "ollama_chat": "http://localhost:11434",
}

#: Variables from which litellm takes the endpoint when none is given.
BASE_VARIABLES: dict[str, tuple[str, ...]] = {
    "hosted_vllm": ("HOSTED_VLLM_API_BASE",),
    "lm_studio": ("LM_STUDIO_API_BASE",),
    "ollama": ("OLLAMA_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}


def provider_of(model: str) -> str:
    """Returns the provider of a litellm name, ``openai`` of ``gpt-4o`` too; empty if unknown."""
    provider, slash, _ = model.partition("/")
    if slash:
        return provider
    entry = model_entry(model)
    return str(entry.get("litellm_provider", "")) if entry else ""


def key_variable(model: str) -> str | None:
    """Returns the usual key variable of a model's provider, or None if it is unknown here."""
    names = KEY_VARIABLES.get(provider_of(model))
    return names[0] if names else None
