"""Ways to search side by side, at equal budget: the command ``compare`` (docs/arms.md)."""
