"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles and how many rules of each a policy takes: ``demand`` (the rate that is planned for), ``margin`` (replicas beyond
those that are busy), ``queue`` (what waiting requests add), ``feedback`` (what the last minute teaches), ``floor``
(what is always kept), ``down`` (how replicas are given up) and ``place`` (batches and placement).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.opscale.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

#: How many rules of a role a policy takes at most.
PLACES = {"demand": 2, "margin": 2, "queue": 2, "feedback": 1, "floor": 2, "down": 1, "place": 2}


# -- demand: the rate that is planned for


def demand_slope(d: Draft) -> None:
    """Holt's trend, as far ahead as replicas take to load."""
    trust = d.number("TRUST", 0.1, 1.5)
    d.attribute("slope", "0.0")
    d.attribute("previous", "-1.0")
    d.demand += [
        "if self.previous < 0.0:",
        "    self.previous = glob[2]",
        "self.slope += 0.3 * ((glob[2] - self.previous) / self.interval - self.slope)",
        "self.previous = glob[2]",
        f"rate = max(rate, glob[2] + {trust} * self.slope * min(30.0, max(prof[6], prof[18]) + self.interval))",
    ]
    d.say("demand", f"The trend of the rate is carried on for the load delay, with trust {trust}.")


def demand_window(d: Draft) -> None:
    """The largest rate of a window."""
    window = d.number("WINDOW", 2, 60, log=True)
    recent = d.array("recent", "64")
    d.attribute("place", "0")
    d.demand += [
        "self.place = (self.place + 1) % 64",
        f"{recent}[self.place] = glob[1]",
        f"for back in range({window}):",
        f"    rate = max(rate, {recent}[(self.place - back) % 64])",
    ]
    d.say("demand", f"The largest rate of the last {window} intervals counts.")


def demand_mix(d: Draft) -> None:
    """Between the last rate and the average."""
    fresh = d.number("FRESH", 0.0, 1.0)
    d.demand.append(f"rate = {fresh} * rate + (1.0 - {fresh}) * glob[2]")
    d.say("demand", f"The newest rate counts {fresh}, the moving average the rest.")


def demand_spread(d: Draft) -> None:
    """Mean and deviations of the rate."""
    sigmas = d.number("SIGMAS", 0.2, 3.0)
    d.attribute("variance", "0.0")
    d.demand += [
        "self.variance += 0.05 * ((glob[1] - glob[2]) ** 2 - self.variance)",
        f"rate = max(rate, glob[2] + {sigmas} * self.variance**0.5)",
    ]
    d.say("demand", f"The average and {sigmas} standard deviations of the rate are planned for.")


def demand_echo(d: Draft) -> None:
    """A burst is expected to come again: its height is remembered for a while."""
    echo = d.number("ECHO", 10.0, 300.0, log=True)
    believe = d.number("BELIEVE", 0.2, 1.0)
    d.attribute("memory", "0.0")
    d.demand += [
        f"self.memory = max(glob[1], self.memory * math.exp(-self.interval / {echo}))",
        f"rate = max(rate, {believe} * self.memory)",
    ]
    d.say("demand", f"The height of bursts is remembered for {echo} s and believed to {believe}.")


# -- margin: replicas beyond those that are busy


def margin_flat(d: Draft) -> None:
    """A factor."""
    headroom = d.number("HEADROOM", 1.0, 2.5)
    d.margin.append(f"want *= {headroom}")
    d.say("replicas", f"{headroom} times as many as are busy.")


def margin_root(d: Draft) -> None:
    """Square-root staffing (Halfin and Whitt)."""
    grade = d.number("GRADE", 0.2, 3.0, log=True)
    d.margin.append(f"want += {grade} * load**0.5")
    d.say("replicas", f"Beyond the load {grade} times its square root: large pools need less in proportion.")


def margin_erlang(d: Draft) -> None:
    """Erlang C: as many as keep the mean wait within a part of the SLO."""
    wait = d.number("WAIT", 0.02, 0.8, log=True)
    d.method(
        "erlang",
        "load, service, budget",
        [
            "servers = int(load) + 1",
            "blocked = 1.0",
            "for i in range(1, servers):",
            "    blocked = load * blocked / (i + load * blocked)",
            "for _ in range(64):",
            "    blocked = load * blocked / (servers + load * blocked)",
            "    waits = blocked / (1.0 - load / servers * (1.0 - blocked))",
            "    if servers > load and waits * service <= budget * (servers - load):",
            "        break",
            "    servers += 1",
            "return float(servers)",
        ],
    )
    d.margin += [
        "if prof[row + 10] == 0 and load > 0.0:",
        "    service = prof[row + 3] * glob[3] + prof[row + 2] * glob[3] * glob[3]",
        f"    want = max(want, self.erlang(min(load, 1000.0), service, {wait} * self.ttft_slo))",
    ]
    d.say(
        "replicas", f"By Erlang's C formula the mean wait stays within {wait} of the time to the first token."
    )


def margin_late(d: Draft) -> None:
    """The longer a replica takes to load, the more are kept."""
    late = d.number("LATE", 0.1, 1.5)
    d.margin.append(f"want *= 1.0 + {late} * prof[row + 6] / (prof[row + 6] + 10.0)")
    d.say("replicas", f"Slow loading calls for up to {late} more in proportion.")


def margin_gap(d: Draft) -> None:
    """Part of the way to the past's peak, as slow loading makes it wise."""
    brace = d.number("BRACE", 0.05, 1.0)
    d.margin += [
        "peak = part * self.load(g, glob[14], 0.0, glob, prof)",
        "if peak > want:",
        f"    want += {brace} * prof[row + 6] / (prof[row + 6] + 5.0) * (peak - want)",
    ]
    d.say(
        "replicas",
        f"They are braced for the past's peak, {brace} of the way if loading is slow, less if it is fast.",
    )


# -- queue: what waiting requests add


def queue_drain(d: Draft) -> None:
    """Enough to clear what waits in a given time."""
    drain = d.number("DRAIN", 0.3, 20.0, log=True)
    d.queue += [
        "if prof[row + 10] == 0:",
        f"    want += obs[row + 2] * (prof[row] + prof[row + 2] * glob[3] * (1.0 + glob[4])) / {drain}",
    ]
    d.say("replicas", f"What waits is to be cleared within {drain} s.")


def queue_alarm(d: Draft) -> None:
    """An old wait is an alarm."""
    patience = d.number("PATIENCE", 0.05, 0.8)
    shout = d.number("SHOUT", 0.2, 2.0)
    d.queue += [
        f"if obs[row + 3] > {patience} * self.ttft_slo:",
        f"    want = max(want, (1.0 + {shout}) * obs[row + 6])",
    ]
    d.say("replicas", f"If one waits longer than {patience} of the SLO, the pool grows by {shout} of itself.")


def queue_flight(d: Draft) -> None:
    """What is loading does not count as missing twice."""
    calm = d.number("CALM", 0.2, 1.0)
    d.queue.append(f"want = max(load, want - (1.0 - {calm}) * obs[row + 7])")
    d.say("replicas", f"Of the replicas that are loading {calm} are taken for granted.")


# -- feedback: what the last minute teaches


def feedback_tail(d: Draft) -> None:
    """An integral controller of the tail latency."""
    goal = d.number("GOAL", 0.3, 0.95)
    gain = d.number("GAIN", 0.002, 0.1, log=True)
    factor = d.array("factor")
    d.feedback += [
        "tail = glob[9] if prof[row + 10] > 0 else glob[8]",
        "if tail > 0.0:",
        f"    {factor}[g] += {gain} * (min(tail, 2.0) - {goal})",
        f"    {factor}[g] = min(1.0, max(-0.3, {factor}[g]))",
        f"want *= 1.0 + {factor}[g]",
    ]
    d.say("replicas", f"A controller with gain {gain} steers the tail latency to {goal} of the SLO.")


def feedback_miss(d: Draft) -> None:
    """Misses of the last minute make it careful."""
    fear = d.number("FEAR", 1.0, 20.0, log=True)
    d.feedback.append(f"want *= 1.0 + min(1.0, {fear} * (1.0 - glob[10]))")
    d.say("replicas", f"Each percent of the last minute's requests that were late adds {fear} percent.")


# -- floor: what is always kept


def floor_past(d: Draft) -> None:
    """A part of what the past's busy minutes took."""
    keep = d.number("KEEP", 0.1, 1.6)
    d.floor.append(f"want = max(want, part * {keep} * self.load(g, glob[15], 0.0, glob, prof))")
    d.say("replicas", f"Never fewer than {keep} of what the past's 95th percentile needs.")


def floor_burst(d: Draft) -> None:
    """A part of what the past's peak takes, where loading is slow."""
    brace = d.number("READY", 0.1, 1.2)
    d.floor += [
        "if prof[row + 6] > 5.0:",
        f"    want = max(want, part * {brace} * self.load(g, glob[14], 0.0, glob, prof))",
    ]
    d.say(
        "replicas",
        f"Where loading takes more than 5 s, {brace} of what the past's peak needs is always kept.",
    )


def floor_spare(d: Draft) -> None:
    """Spare replicas."""
    spare = d.number("SPARE", 0.2, 4.0, log=True)
    d.floor.append(f"want = max(want, load + {spare})")
    d.say("replicas", f"At least {spare} more than are busy.")


# -- down: how replicas are given up


def down_hold(d: Draft) -> None:
    """After a time of wanting less, to the most that was wanted in it."""
    hold = d.number("HOLD", 4.0, 300.0, log=True)
    since, most = d.array("since"), d.array("most")
    d.down += [
        "if want >= last:",
        f"    {since}[g] = 0.0",
        f"    {most}[g] = 0.0",
        "else:",
        f"    {since}[g] += self.interval",
        f"    {most}[g] = max({most}[g], want)",
        f"    want = last if {since}[g] < {hold} else {most}[g]",
        f"    if {since}[g] >= {hold}:",
        f"        {since}[g] = 0.0",
        f"        {most}[g] = 0.0",
    ]
    d.say("scale_down", f"After {hold} s of wanting less, to the most that was wanted meanwhile.")


def down_fade(d: Draft) -> None:
    """Exponentially."""
    fade = d.number("FADE", 4.0, 300.0, log=True)
    d.down.append(f"want = max(want, last * math.exp(-self.interval / {fade}))")
    d.say("scale_down", f"Targets fade with a time constant of {fade} s.")


def down_price(d: Draft) -> None:
    """The longer it takes to load a replica again, the longer it is kept."""
    worth = d.number("WORTH", 0.3, 10.0, log=True)
    d.down.append(f"want = max(want, last * math.exp(-self.interval / (2.0 + {worth} * prof[row + 6])))")
    d.say(
        "scale_down", f"Targets fade within {worth} times the load delay: what loads fast is given up fast."
    )


def down_step(d: Draft) -> None:
    """One at a time."""
    step = d.number("STEP", 2.0, 60.0, log=True)
    d.down.append(f"want = max(want, last - self.interval / {step})")
    d.say("scale_down", f"One replica in {step} s.")


# -- place: batches and placement


def place_batch(d: Draft) -> None:
    """Prefill batches as large as a part of the SLO allows."""
    chunk = d.number("CHUNK", 0.05, 0.6)
    cap = d.array("cap")
    d.scheme = [
        *d.scheme,
        "if not decode:",
        "    for g in range(first, first + 5):",
        f"        {cap}[g] = min(8192.0, max(512.0, {chunk} * self.ttft_slo / prof[12 * first + 3]))",
    ]
    d.batch = [f"return int({cap}[group])"]
    d.say("placement", f"Prefill batches take at most {chunk} of the time to the first token.")


def place_slices(d: Draft) -> None:
    """The lesser operators get parts of GPUs."""
    slices = d.number("SLICE", 2, 7)
    size = d.array("size")
    d.scheme = [
        "for g in range(first, first + 5):",
        f"    {size}[g] = 8.0 if g % 5 == 0 or g % 5 == 4 or decode else {slices}",
        *d.scheme,
    ]
    d.share = [f"return max(1, int({size}[group]))"]
    # A slice does part of a GPU's work, so more of them are wanted.
    d.margin.append(f"want *= 8.0 / max(1.0, {size}[g])")
    d.say("placement", f"QKV, attention and output projection get {slices} eighths of a GPU.")


def place_apart(d: Draft) -> None:
    """Who is bound by the memory's bandwidth gets GPUs of its own."""
    d.pack = ["return -1 if group % 5 == 2 else 0"]
    d.say("placement", "Attention shares no GPU with others.")


RULES: dict[str, Rule] = {
    name: function
    for name, function in list(globals().items())
    if name.partition("_")[0] in PLACES and callable(function)
}
