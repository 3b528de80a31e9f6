"""A soil sensor network: weather, soil, nodes with a battery or a panel, radio links, faults, and what is recovered."""
