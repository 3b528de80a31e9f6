"""Runs tasks on untrusted candidates: see :mod:`metamuse.executor.base` for the contract."""
