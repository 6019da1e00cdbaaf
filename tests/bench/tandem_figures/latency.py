"""From the moment an alert is due to the subscriber that sees it, at a share of the maximum."""

from tandem_figures.machine import duration
from tandem_figures.results import median

BATCH = 64
SHARES = (10, 50)  # % of what the router takes, every alert new


def measure(rig, results):
    """Open loop; the floor, one fsync and one round trip, is measured before and after each run."""
    results.title("From the alert to a subscriber of the feed (open loop, batches of 64, every "
                  "alert new)")
    most = results.figures.get(f"durable_b{BATCH}_distinct_per_second")
    if most is None:
        with rig.router() as router:
            most = rig.ingest(router, BATCH)["alerts_per_second"]
    floors, rounds = [], {share: [] for share in SHARES}
    for _ in range(rig.plan.latency_rounds):
        with rig.router() as router:
            floors.append(floor(rig))
            for share in SHARES:
                figures = rig.load("latency", "--rate", round(most * share / 100), "--batch", BATCH,
                                   "--duration", duration(rig.plan.latency_seconds), router=router)
                floors.append(floor(rig))
                # Between the two floors: a busy disk seldom keeps to one side of a measurement.
                around = sum(sum(pair) for pair in floors[-2:]) / 2
                rounds[share].append((figures, around))
    show(results, most, floors, rounds)


def floor(rig):
    """Milliseconds of one fsync and of one round trip, p50 each."""
    return rig.append(1, record=4096)[1]["commit"]["p50_ms"], rig.round_trip()["p50_ms"]


def show(results, most, floors, rounds):
    """The rows."""
    results.put("fsync_p50_ms", median(fsync for fsync, _ in floors),
                "one append of 4 KiB with fdatasync, p50", "ms")
    results.put("round_trip_p50_ms", median(trip for _, trip in floors),
                "one round trip of a bare stream, p50", "ms")
    results.put("latency_floor_ms", median(fsync + trip for fsync, trip in floors),
                "floor: the two together", "ms")
    for share, measured in rounds.items():
        prefix = "latency" if share == SHARES[0] else f"latency_{share}"
        text = f"at {share} % of {most:,.0f}/s"
        for name in ("p50", "p99"):
            note = ""
            if name == "p99":
                missed = sum(figures["not_seen"] for figures, _ in measured)
                note = f"not seen: {missed}"
            results.put(f"{prefix}_{name}_ms",
                        median(figures["subscriber"][f"{name}_ms"] for figures, _ in measured),
                        f"{text}: {name} to the subscriber", "ms", note)
            results.figures[f"{prefix}_receipt_{name}_ms"] = median(
                figures["receipt"][f"{name}_ms"] for figures, _ in measured)
        for name in ("p50", "p99"):
            results.put(f"{prefix}_{name}_over_floor",
                        median(figures["subscriber"][f"{name}_ms"] / around
                               for figures, around in measured), f"{text}: {name} ÷ floor", "×")
