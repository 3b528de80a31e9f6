"""Cache replacement: traces, the simulator, bounds."""
