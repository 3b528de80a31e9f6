"""Known policies, in the policy contract."""
