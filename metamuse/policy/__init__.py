"""Policies: the language they are written in, its check, and its two ways of execution.

``load`` (:mod:`metamuse.policy.program`) checks a text; ``CompiledPolicy`` and ``InterpretedPolicy``
(:mod:`metamuse.policy.compiled`) run it with the same decisions. See ``docs/policy-contract.md``.
"""
