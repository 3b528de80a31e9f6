"""A B+-tree on disaggregated memory, as DEX caches and offloads it (PVLDB 17(10), 2603-2616)."""
