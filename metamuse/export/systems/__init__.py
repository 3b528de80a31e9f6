"""What exports need of a problem's system: golden decisions from its simulator, and its loop for production.

A system is a module named like its problem, with a class ``SYSTEM``.
"""
