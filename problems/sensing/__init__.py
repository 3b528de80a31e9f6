"""``problem=sensing``: when a soil sensor node wakes, reads CO2 and opens its radio."""
