"""One whole replica of a phase, whatever comes."""


class Policy:
    """Bad on purpose: it shows the check which way is up."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups

    def control(self, t, glob, obs, prof):
        return

    def replicas(self, group):
        return 1 if group % 5 == 0 else 0
