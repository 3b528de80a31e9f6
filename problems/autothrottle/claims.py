"""The acceptance claims S1 to S12 of the simulator, and anti-claims A1 to A3.

Tolerances were set before the simulator was calibrated, and the calibration was frozen before they were measured.
None of them is changed to make a claim hold; one that fails is reported with its analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from evaluators.autothrottle.generators import HOUR
from problems.autothrottle.acceptance import ablation, design, quota, savings, throttling
from problems.autothrottle.acceptance.hours import hours, steady
from problems.base import Problem
from problems.claims import Bench, Claim, Measured

_CODE = "microsoft/autothrottle (MIT), commit d237d7f"
_PAPER = "Autothrottle, arXiv 2212.12180, abstract"
_READERS = "readers' notes on Autothrottle (NSDI '24), qualitative"
_OWN = "design of Captain; the bound is this project's"


def claims(problem: Problem, quick: bool) -> Sequence[Claim]:
    """All of them; the short form measures 7 minutes instead of hours, of the social network only."""
    loads = hours(problem.config, quick)
    cells = savings.Cells(loads, problem.baselines["tower"])
    n = float(len(loads))
    short = " Short form: the social network only, 7 minutes instead of hours." if quick else ""
    settle_s, measured_s = (240, 420) if quick else (1800, 1980)
    tracked, longer = (steady(loads, settle_s, settle_s + n * measured_s) for n in (1, 20))
    ratcheted = steady(loads, settle_s=10 * HOUR, length_s=12 * HOUR)
    social = {kind: load for (name, kind), load in loads.items() if name == "social"}
    two = [social["diurnal"], social["bursty"]]

    def claim(
        id: str,
        text: str,
        low: float | None,
        high: float | None,
        source: str,
        kind: str,
        measure: Callable[[Bench], Measured],
        analysis: str,
    ) -> Claim:
        return Claim(id, text + short, low, high, source, kind, measure, analysis)

    return [
        claim(
            "S1",
            "CFS quota of one service with constant demand: it is throttled in every period if the limit is below the"
            " demand, never if the limit covers all its threads, never more with a higher limit; limits are kept and"
            " work is conserved. The value counts violations.",
            0.0,
            0.0,
            "Linux kernel, Documentation/scheduler/sched-bwc.rst",
            "must",
            partial(quota.measure, seconds=60 if quick else 600),
            "",
        ),
        claim(
            "S2",
            "Captain tracks its target: the long-run throttle ratio of each service that uses more than 0.1 cores lies"
            " within 0.3 to 1.5 of the target for targets of 0.04 and more (value: percent of services and targets for"
            " which it does), and is 0 for target 0 (after ten hours of constant load). Where a ratio is less than three standard"
            " errors from a bound, all services are measured again for twenty times as long.",
            100.0,
            100.0,
            _CODE,
            "must",
            partial(throttling.tracking, loads=tracked, longer=longer, longest=ratcheted),
            "The ratio is below the target because a cut is taken back as soon as it throttles too much and because the"
            " margin integrates the error only while it is above zero; services with even demands (the hotel's caches) have none"
            " left in four of five decisions and stay at the largest usage of 5 s. In half an hour the standard error of their"
            " ratio is a thirtieth of the target, as much as they are off the bound: hence the longer measurement. At target 0"
            " the margin can only grow, by a tenth of a deviation for each throttled period: the ratio falls with the inverse of"
            " time, and what is left are bursts so seldom that the margin has not grown to cover them yet.",
        ),
        claim(
            "S3",
            "Throttles go with latency better than utilisation: one service limited at a time, random limits and loads a"
            " minute; percent of the services that can move the P99 for which Pearson(throttles, P99) is above"
            " Pearson(usage/limit, P99), and a mean difference of at least 0.1.",
            70.0,
            None,
            f"{_READERS} (Fig. 7)",
            "should",
            partial(throttling.proxy, load=social["constant"], n=20 if quick else 61),
            "The advantage is linearity: the rank correlations beside it are about equal.",
        ),
        claim(
            "S4",
            "Allocation falls and P99 rises with the throttle target and with the utilisation target: the least of six"
            " Spearman correlations.",
            0.95,
            None,
            _OWN,
            "must",
            partial(throttling.monotone, loads=two),
            "",
        ),
        claim(
            "S5",
            "Captain and Tower need fewer cores than K8s-CPU tuned for each trace, at the objective: mean saving in"
            " percent, and a saving in every cell.",
            10.0,
            40.0,
            _PAPER,
            "should",
            partial(savings.against_slow, cells),
            "A cell without a number is one in which Tower or the baseline missed the objective.",
        ),
        claim(
            "S6",
            "Captain and Tower need no more cores than the better of K8s-CPU and K8s-CPU-Fast, each tuned for each trace:"
            " largest saving of a cell in percent (the paper: 26.21), and none below zero.",
            15.0,
            35.0,
            _PAPER,
            "outcome",
            partial(savings.against_best, cells),
            "K8s-CPU-Fast is the discriminating test: it follows usage within a second, so Captain is ahead of it only where"
            " little time is left between the unthrottled P99 and the objective, and where services differ in burstiness"
            " (one utilisation target must suit the worst). The best static pair beside it shows that Captain is ahead in every"
            " cell; what Tower loses to it is the latency it leaves unused (S9): it is trained on the P99 of minutes of"
            " another hour, and stops below the objective of the hour, farthest where minutes scatter most. The tuned"
            " baselines' targets come from the very hour they are measured on.",
        ),
        claim(
            "S7",
            "The tuned utilisation targets are the authors' within 0.1: cells, for the baseline with fewer; those of the"
            " social network in 0.4 to 0.6, none 0.8 or more but the hotel's fast one.",
            9.0 if not quick else 3.0,
            None,
            f"{_CODE}, tuned configurations",
            "outcome",
            partial(savings.tuned_targets, cells),
            "In parentheses are the authors' targets. A slow rule meets the objective up to a target that depends on how much the"
            " load moves within its window, a fast one on how bursty services are between 0.1 and 1 s. If K8s-CPU is right and"
            " K8s-CPU-Fast too bold, burstiness of that length is missing in the model, most in the applications whose demands"
            " are invented (no table of them is public); with more of it Captain, which adapts a margin to each service, would"
            " gain on the fast rule (S6). The calibration is frozen and is not changed for it.",
        ),
        claim(
            "S8",
            "K8s-CPU wastes more on the bursty trace than on the constant one: applications in which Captain and Tower save"
            " more there.",
            len(loads) / 4.0,
            None,
            "the 300 s maximum window of K8s-CPU",
            "should",
            partial(savings.by_trace, cells),
            "",
        ),
        claim(
            "S9",
            "The P99 under Captain and Tower is closer to the objective than under the baselines, on at least 3 of 4 traces"
            " (the fewest, over applications and baselines), and never beyond it.",
            3.0,
            None,
            f"{_READERS} (Fig. 9b)",
            "should",
            partial(savings.closeness, cells),
            "Tower learns from the P99 of minutes, which scatters more than that of an hour: a pair whose hour is just within the"
            " objective has costs of 2 and more in many of its minutes, so pairs are preferred that stay well below. A tuned"
            " baseline is told by the hour itself, with hindsight, which of nine targets just meets it.",
        ),
        claim(
            "S10",
            "Two clusters of services are better than one, and a third one adds less: gain of the second cluster minus gain"
            " of the third, percent of cores of the best static targets.",
            1e-9,
            None,
            f"{_READERS} (section 5.3)",
            "should",
            partial(design.clusters, loads=two),
            "",
        ),
        claim(
            "S11",
            "Taking cuts back and adapting the margin matter: without either one there are more minutes beyond the"
            " objective at equal cores (the fewer additional minutes of the two, over all hours, each at its best static pair"
            " and with three seeds), and the 95 % interval of the mean of each excludes zero.",
            1.0,
            None,
            _OWN,
            "must",
            partial(ablation.parts, cells),
            "Until it had failed it was measured at a target of 0.1 on the social network alone, where most minutes are beyond the"
            " objective whatever is left out (docs/autothrottle.md has those figures). An hour that just meets its objective is"
            " where a pair of targets is chosen. It is not shown there either: at the targets of the hotel and the train, 0.2 to"
            " 0.3, a cut is taken back only if seven to ten periods of ten are throttled, which next to none is; and where a"
            " target is 0.3, one hour in several never recovers from a surge, with every part or without: such hours decide the"
            " cores and the P99.",
        ),
        claim(
            "S12",
            "All of a node's cores for every service cost many times those of tuned K8s-CPU (value: times, on the social"
            " network), and nothing is faster.",
            5.0,
            10.0,
            "arithmetic: 32 cores for each service; the band is this project's, for an application like the social network",
            "must",
            partial(design.over_provisioned, cells),
            "The larger an application and the less each service uses, the larger the factor; those of the other"
            " applications stand beside it.",
        ),
        claim(
            "A1",
            "Anti-claim: a fixed limit for all services, or a utilisation target of 0.9, is cheaper than Captain at its best"
            " static pair. The value counts cells.",
            None,
            0.0,
            _OWN,
            "must",
            partial(design.naive_rules, cells),
            "",
        ),
        claim(
            "A2",
            "Anti-claim: a policy that changes every limit in every period, and so gets its quota refilled, is cheaper than"
            " Captain at its best static pair. The value counts cells.",
            None,
            0.0,
            "Linux kernel, tg_set_cfs_bandwidth: a write refills the quota",
            "must",
            partial(design.rewriting, cells),
            "What a write refills is counted as allocated.",
        ),
        claim(
            "A3",
            "Anti-claim: the largest throttle target for all services is always the best static pair, so that Tower would have"
            " nothing to do. The value counts cells.",
            None,
            n - 1.0,
            _CODE,
            "must",
            partial(design.always_most, cells),
            "",
        ),
    ]
