"""Baseline policies of the cache problem; the file name is the id."""
