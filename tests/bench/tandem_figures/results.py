"""What was measured: the table while it grows, and the summary at its end.

Pure but for printing; figures_test.py holds the arithmetic.
"""

import statistics

# What tests/bench promises to give, whatever is asked of it: key, target, bound. `at least` or
# `at most`; None: a figure without a target.
TARGETS = {
    "durable_over_echo_b64": ("at least", 0.5),
    "durable_over_echo_b512": ("at least", 0.6),
    "latency_p50_over_floor": ("at most", 3),
    "latency_p99_over_floor": ("at most", 10),
    "bytes_per_active_alert": ("at most", 700),
    "rules_10000_over_10": ("at most", 1.5),
    "recovery_seconds_1m": ("at most", 10),
}


def median(values):
    """The median; raises when there is nothing to take it of."""
    return statistics.median(list(values))


def median_of_ratios(pairs):
    """The median of ours / reference over pairs that were measured one after the other.

    Not the ratio of two medians: a machine that is shared slows both halves of a pair alike, and
    that cancels out only within the pair.
    """
    return median(ours / reference for ours, reference in pairs)


def verdict(key, value):
    """(met, text) of a figure with a target; (None, "") of any other."""
    if key not in TARGETS:
        return None, ""
    bound, target = TARGETS[key]
    met = value >= target if bound == "at least" else value <= target
    sign = "≥" if bound == "at least" else "≤"
    return met, f"{sign} {target:g} {'met' if met else 'NOT MET'}"


def number(value):
    """A figure in the width that a reader needs."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


class Results:
    """Figures by key, and the table that shows them as they come."""

    def __init__(self, say=print):
        self.say = say
        self.figures = {}
        self.raw = []  # what each program printed, with what it was asked

    def title(self, text):
        self.say(f"\n{text}")

    def put(self, key, value, what, unit="", note=""):
        """Keeps a figure and shows it as a row."""
        self.figures[key] = round(value, 4)
        row = f"  {what:<66}{number(value):>11} {unit:<9}"
        target = verdict(key, value)[1]
        self.say(f"{row} {'  '.join(text for text in (target, note) if text)}".rstrip())

    def missing(self):
        """The promised keys that were not measured."""
        return [key for key in TARGETS if key not in self.figures]

    def show_targets(self):
        """Every target with its figure, once more and together."""
        self.title("Targets")
        for key in TARGETS:
            if key in self.figures:
                value = self.figures[key]
                self.say(f"  {key:<66}{number(value):>11}           {verdict(key, value)[1]}")
            else:
                self.say(f"  {key:<66}{'-':>11}           not measured in this run")

    def summary(self, about):
        """What goes to the JSON file: `about` the run, figures by key, targets, raw figures."""
        targets = {key: {bound.replace(" ", "_"): target, "met": verdict(key, self.figures[key])[0]}
                   for key, (bound, target) in TARGETS.items() if key in self.figures}
        return {**about, **self.figures, "targets": targets, "raw": self.raw}
