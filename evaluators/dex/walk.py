"""Which node is where on an operation's way, and the word that a policy keeps of it."""

from __future__ import annotations

from evaluators.dex import layout as k
from evaluators.dex.memory import compiled, i1, i3, s1, u1
from evaluators.dex.mixing import mix


@compiled
def node_at(table, server, leaf, level):  # type: ignore[no-untyped-def]
    """The node of a level on the way to a leaf of a server."""
    levels = i3(table, k.LEVELS)
    if level == 0:
        return levels[server, 0, k.BASE] + leaf
    ints = i1(table, k.INTS)
    i = levels[server, 0, k.FIRST] + leaf
    for _ in range(level):
        i //= ints[k.FANOUT]
    return levels[server, level, k.BASE] + i - levels[server, level, k.FIRST]


@compiled
def leaf_of(table, server, leaf, op):  # type: ignore[no-untyped-def]
    """The leaf itself, or the one split from it if the key of an operation lies there."""
    node = i3(table, k.LEVELS)[server, 0, k.BASE] + leaf
    twin = s1(table, k.TWIN)
    if len(twin) > 1 and twin[node] >= 0 and mix(op) & 1:
        return int(twin[node])
    return node


@compiled
def word_place(table, server, node):  # type: ignore[no-untyped-def]
    """Place of a node's word."""
    mask = i1(table, k.INTS)[k.WORD_MASK]
    return server * (mask + 1) + (mix(node) & mask)


@compiled
def uses_words(table):  # type: ignore[no-untyped-def]
    """Whether the policy changes words: else they are all 0, and need not be read."""
    ints = i1(table, k.INTS)
    return ints[k.USES_HIT] == 1 or ints[k.USES_NOTE] == 1


@compiled
def word_of(table, server, node):  # type: ignore[no-untyped-def]
    """A node's word."""
    if not uses_words(table):
        return 0
    return int(u1(table, k.WORDS)[word_place(table, server, node)])
