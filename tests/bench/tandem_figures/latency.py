"""From the moment an alert is due to the subscriber that sees it, at a share of the maximum."""

import dataclasses
import statistics

from tandem_figures.machine import duration
from tandem_figures.results import median


@dataclasses.dataclass(frozen=True)
class Load:
    """What is offered: batches of one size, at a share of what the router takes of them."""

    prefix: str  # of its keys
    batch: int
    share: int  # %


LOADS = (Load("latency", 64, 10), Load("latency_50", 64, 50), Load("latency_b1", 1, 10))


@dataclasses.dataclass(frozen=True)
class Floor:
    """What the machine allows a batch: milliseconds, p50 each."""

    fsync: float  # one append of as many bytes as the batch has, with fdatasync
    trip: float  # the batch to a bare server, which parses it, and back

    @property
    def both(self):
        """One after the other."""
        return self.fsync + self.trip


def measure(rig, results):
    """Open loop; the floor is measured with the same batches before and after each run."""
    results.title("From the alert to a subscriber of the feed (open loop, every alert new)")
    most = {batch: most_of(rig, results, batch) for batch in {load.batch for load in LOADS}}
    measured = {load: [] for load in LOADS}
    for _ in range(rig.plan.latency_rounds):
        with rig.router() as router:
            for load in LOADS:
                before = floor(rig, load.batch)
                figures = rig.load("latency", "--rate", round(most[load.batch] * load.share / 100),
                                   "--batch", load.batch, "--duration",
                                   duration(rig.plan.latency_seconds), router=router)
                # Between two floors: a busy disk seldom keeps to one side of a measurement.
                measured[load].append((figures, (before, floor(rig, load.batch))))
    for load in LOADS:
        show(results, load, most[load.batch], measured[load])


def most_of(rig, results, batch):
    """New alerts a second in such batches."""
    known = results.figures.get(f"durable_b{batch}_distinct_per_second")
    if known is not None:
        return known
    with rig.router() as router:
        return rig.ingest(router, batch)["alerts_per_second"]


def floor(rig, batch):
    """Of now."""
    return Floor(rig.append(batch)[batch]["commit"]["p50_ms"], rig.round_trip(batch)["p50_ms"])


def show(results, load, most, measured):
    """The rows of one load; `measured` is of (figures, the floors around them)."""
    text = f"batches of {load.batch}, {load.share} % of {most:,.0f}/s"
    if load.share == 10:
        floors = [floor for _, around in measured for floor in around]
        results.put(f"fsync_b{load.batch}_p50_ms", median(floor.fsync for floor in floors),
                    f"append of {load.batch} with fdatasync, p50", "ms")
        results.put(f"round_trip_b{load.batch}_p50_ms", median(floor.trip for floor in floors),
                    f"round trip of {load.batch} to a server that echoes, p50", "ms")
        results.put(f"{load.prefix}_floor_ms", median(floor.both for floor in floors),
                    "floor: the two together", "ms")
    missed = sum(figures["not_seen"] for figures, _ in measured)
    for name in ("p50", "p99"):
        results.put(f"{load.prefix}_{name}_ms",
                    median(figures["subscriber"][f"{name}_ms"] for figures, _ in measured),
                    f"{text}: {name} to the subscriber", "ms",
                    f"not seen: {missed}" if name == "p99" else "")
        results.figures[f"{load.prefix}_receipt_{name}_ms"] = median(
            figures["receipt"][f"{name}_ms"] for figures, _ in measured)
    for name in ("p50", "p99"):
        ratios = [figures["subscriber"][f"{name}_ms"] /
                  statistics.mean(floor.both for floor in around) for figures, around in measured]
        results.put(f"{load.prefix}_{name}_over_floor", median(ratios),
                    f"{text}: {name} ÷ floor", "×")
