"""Baselines of the autothrottle problem, one policy a file."""
