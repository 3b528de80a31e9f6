"""``problem=dex``: caching and offloading for a B+-tree on disaggregated memory."""
