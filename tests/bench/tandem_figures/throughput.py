"""Durable, routed alerts a second beside the two ceilings: parse and echo, append and sync."""

from tandem_figures.machine import metrics
from tandem_figures.results import median, median_of_ratios

KNOWN = 20_000  # alerts that are sent again and again
RUN = 7  # what makes them others than those that are new
WORKLOADS = {"repeated": f"{KNOWN:,} known alerts again and again",
             "distinct": "every alert new"}


def measure(rig, results):
    """Each pair: echo, router. A receipt comes when the batch is decided, routed and synced."""
    results.title("Durable, routed alerts a second (closed loop, one stream; receipt = routed and "
                  "on the disk)")
    for batch, pairs in ((64, rig.plan.pairs), (512, rig.plan.pairs), (1, 1)):
        measure_batch(rig, results, batch, pairs)


def measure_batch(rig, results, batch, pairs):
    """One size of batch. Repeats come first: new alerts leave a snapshot to be written."""
    runs = {workload: [] for workload in WORKLOADS}
    for _ in range(pairs):
        with rig.router() as router:
            rig.load("ingest", "--batch", 64, "--run", RUN, "--count", KNOWN, router=router)
            runs["repeated"].append(
                measure_pair(rig, router, batch, "--run", RUN, "--distinct", KNOWN))
            runs["distinct"].append(measure_pair(rig, router, batch))
    show(results, batch, runs)


def measure_pair(rig, router, batch, *options):
    """Echo, router, append: one directly after the other."""
    echo = rig.echo(batch)["alerts_per_second"]
    before = metrics(router)
    ours = rig.ingest(router, batch, *options)
    after = metrics(router)
    # As many alerts as the router itself wrote with one fsync.
    commits = after["tandem_journal_commits"] - before["tandem_journal_commits"]
    records = after["tandem_journal_records"] - before["tandem_journal_records"]
    group = max(1, round(batch * records / max(1, commits)))
    append = rig.append(group)[group]["records_per_second"]
    return {"echo": echo, "append": append, "group": group, **ours}


def show(results, batch, runs):
    """The rows of one size of batch."""
    results.put(f"echo_b{batch}_per_second",
                median(pair["echo"] for pairs in runs.values() for pair in pairs),
                f"batch {batch}: parse and echo, no router", "/s")
    for workload, pairs in runs.items():
        cpu, p99 = (median(pair["server_cpu_us_per_alert"] for pair in pairs),
                    median(pair["receipt"]["p99_ms"] for pair in pairs))
        results.put(f"durable_b{batch}_{workload}_per_second",
                    median(pair["alerts_per_second"] for pair in pairs),
                    f"batch {batch}: {WORKLOADS[workload]}", "/s",
                    f"{cpu:.2f} µs CPU an alert, receipt p99 {p99:.1f} ms")
        results.figures[f"server_cpu_us_b{batch}_{workload}"] = round(cpu, 3)
    append = median(pair["append"] for pair in runs["distinct"])
    group = median(pair["group"] for pair in runs["distinct"])
    results.put(f"append_b{batch}_per_second", append,
                f"batch {batch}: append and fdatasync in the same groups", "/s",
                f"{group:.0f} alerts a commit when every alert is new")
    for workload, pairs in runs.items():
        ratio = median_of_ratios((pair["alerts_per_second"], pair["echo"]) for pair in pairs)
        # The key figure is the harder of the two (router/decisions/0014).
        key = f"durable_over_echo_b{batch}"
        main = workload == "distinct"
        results.put(key if main else f"{key}_{workload}", ratio,
                    f"batch {batch}: durable ÷ echo, {WORKLOADS[workload]}", "×")
        results.figures[f"{key}_{workload}"] = round(ratio, 4)
    results.put(f"durable_over_append_b{batch}",
                median_of_ratios((pair["alerts_per_second"], pair["append"])
                                 for pair in runs["distinct"]),
                f"batch {batch}: durable ÷ append, every alert new", "×")
