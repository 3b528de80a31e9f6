"""Baseline policies of the bin packing problem; the file name is the id."""
