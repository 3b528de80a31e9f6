"""Transformers: shapes, weights and KV bytes of the models that are simulated (their model cards, bf16)."""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of a number.
BF16 = 2

# Operator groups of a phase; WHOLE is a complete model replica.
WHOLE, QKV, ATTN, OPROJ, FFN = range(5)
GROUPS = 5
OPERATORS = (QKV, ATTN, OPROJ, FFN)
GROUP_NAMES = ("whole", "qkv", "attention", "o_proj", "ffn")


@dataclass(frozen=True)
class Model:
    """A decoder-only transformer.

    Attributes:
        name: Its id.
        layers: Layers.
        hidden: Hidden size.
        heads: Query heads.
        kv_heads: Key/value heads.
        head: Size of a head.
        ffn: Width of the dense FFN, or of the shared expert (0: none).
        vocabulary: Rows of the LM head.
        experts: Routed experts (0: dense).
        active: Experts a token is routed to.
        expert: Width of an expert.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    ffn: int
    vocabulary: int
    experts: int = 0
    active: int = 0
    expert: int = 0

    @property
    def q(self) -> int:
        """Width of the queries."""
        return self.heads * self.head

    @property
    def kv(self) -> int:
        """Width of the keys, and of the values."""
        return self.kv_heads * self.head

    @property
    def kv_bytes(self) -> int:
        """KV-cache bytes of a token, all layers."""
        return 2 * self.layers * self.kv * BF16

    def weights(self, group: int) -> float:
        """Bytes of the weights of an operator group; the embedding and the LM head count to the FFN."""
        if group == WHOLE:
            return sum(self.weights(g) for g in OPERATORS)
        layer = {
            QKV: self.hidden * (self.q + 2 * self.kv),
            ATTN: 0,
            OPROJ: self.q * self.hidden,
            FFN: 3 * self.hidden * (self.ffn + self.experts * self.expert),
        }[group]
        ends = 2 * self.vocabulary * self.hidden if group == FFN else 0
        return float(BF16 * (self.layers * layer + ends))

    def output_bytes(self, group: int) -> float:
        """Activation bytes of a token that a group hands on, one layer."""
        return float(
            BF16 * (self.q + 2 * self.kv if group == QKV else self.q if group == ATTN else self.hidden)
        )


MODELS = {
    model.name: model
    for model in (
        Model("llama3-8b", 32, 4096, 32, 8, 128, 14336, 128256),
        Model("llama3-70b", 80, 8192, 64, 8, 128, 28672, 128256),
        Model("qwen2-7b", 28, 3584, 28, 4, 128, 18944, 152064),
        Model("qwen2-57b-a14b", 28, 3584, 28, 4, 128, 20480, 151936, experts=64, active=8, expert=2560),
        Model("mixtral-8x7b", 32, 4096, 32, 8, 128, 0, 32000, experts=8, active=2, expert=14336),
    )
}
