"""Simulators: the systems and their physics. They know policies only through evaluators.base."""
