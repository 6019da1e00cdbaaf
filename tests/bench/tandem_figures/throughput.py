"""Durable, routed alerts a second beside the two ceilings: parse and echo, append and sync."""

from tandem_figures.results import median, median_of_ratios

KNOWN = 20_000  # alerts that are sent again and again


def measure(rig, results):
    """Each pair: echo, router. A receipt comes when the batch is decided, routed and synced."""
    results.title("Durable, routed alerts a second (closed loop, one stream; receipt = routed and "
                  "on the disk)")
    for batch, pairs in ((64, rig.plan.pairs), (512, rig.plan.pairs), (1, 1)):
        measure_batch(rig, results, batch, pairs)


def measure_batch(rig, results, batch, pairs):
    """One size of batch. Repeats come first: new alerts leave a snapshot to be written."""
    runs = {"echo": [], "append": [], "distinct": [], "repeated": []}
    ratios = {"distinct": [], "repeated": []}
    for _ in range(pairs):
        with rig.router() as router:
            runs["append"].append(rig.append(batch)[batch]["records_per_second"])
            for workload, options in (("repeated", ("--distinct", KNOWN)), ("distinct", ())):
                echo = rig.echo(batch)
                ours = rig.ingest(router, batch, *options)
                runs["echo"].append(echo["alerts_per_second"])
                runs[workload].append(ours)
                ratios[workload].append((ours["alerts_per_second"], echo["alerts_per_second"]))
    show(results, batch, runs, ratios)


def show(results, batch, runs, ratios):
    """The rows of one size of batch."""
    echo = median(runs["echo"])
    results.put(f"echo_b{batch}_per_second", echo, f"batch {batch}: parse and echo, no router", "/s")
    results.put(f"append_b{batch}_per_second", median(runs["append"]),
                f"batch {batch}: append and fdatasync in groups of {batch}", "/s")
    words = {"distinct": "every alert new", "repeated": f"{KNOWN:,} known alerts again and again"}
    for workload, text in words.items():
        rates = [run["alerts_per_second"] for run in runs[workload]]
        cpu = median(run.get("server_cpu_us_per_alert", 0) for run in runs[workload])
        p99 = median(run["receipt"]["p99_ms"] for run in runs[workload])
        results.put(f"durable_b{batch}_{workload}_per_second", median(rates),
                    f"batch {batch}: {text}", "/s",
                    f"{cpu:.2f} µs CPU an alert, receipt p99 {p99:.1f} ms")
        results.figures[f"server_cpu_us_b{batch}_{workload}"] = round(cpu, 3)
    main = median_of_ratios(ratios["distinct"])
    results.put(f"durable_over_echo_b{batch}", main,
                f"batch {batch}: durable ÷ echo, every alert new", "×")
    results.figures[f"durable_over_echo_b{batch}_distinct"] = round(main, 4)
    results.put(f"durable_over_echo_b{batch}_repeated", median_of_ratios(ratios["repeated"]),
                f"batch {batch}: durable ÷ echo, known alerts", "×")
