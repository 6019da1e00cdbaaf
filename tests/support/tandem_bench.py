"""What tools/bench measures: a router on this machine, and in the same minute what the machine
allows without one.

Absolute figures move by a third from run to run on a shared machine, so every figure of the router
stands beside a reference that was measured a few seconds before: a server that only parses and
echoes, and a file that is only appended to and synced. tests/bench/README.md says how to read it.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import time

from tandem_figures import latency, memory, parts, rules, throughput
from tandem_figures.results import Results
from tandem_figures.rig import FULL, QUICK, Rig
from tandem_harness import World
from tandem_harness.process import build_folder

SECTIONS = {"throughput": throughput, "latency": latency, "rules": rules, "memory": memory,
            "parts": parts}
SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench" / "summary.json"


def options_of(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="every figure from shorter and fewer measurements, in under 3 minutes")
    parser.add_argument("--seconds", type=float, help="of each measurement of the router "
                        f"(default {FULL.seconds}; with --quick {QUICK.seconds})")
    parser.add_argument("--json", metavar="FILE", help="also writes the summary into this file")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="NAME", default=[*SECTIONS],
                        help=f"only these of {', '.join(SECTIONS)}; the summary of the last whole "
                        "run stays")
    return parser.parse_args(arguments)


def measure(options, plan, results):
    """Runs the sections and says how long each took."""
    took = {}
    with World() as world:
        rig = Rig(world, plan, results)
        for name, section in SECTIONS.items():
            if name in options.only:
                begin = time.monotonic()
                section.measure(rig, results)
                took[name] = round(time.monotonic() - begin, 1)
    return took


def write(path, summary):
    """Whole or not at all: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    half.rename(path)
    print(f"\nsummary: {path}")


def main(arguments=None):
    options = options_of(arguments)
    plan = QUICK if options.quick else FULL
    if options.seconds:
        plan = dataclasses.replace(plan, seconds=options.seconds, latency_seconds=options.seconds)
    results = Results(lambda text: print(text, flush=True))
    begin = time.time()
    load_before = os.getloadavg()[0]
    took = measure(options, plan, results)
    results.show_targets()
    print(f"\n{sum(took.values()):.0f} s: "
          + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items()))
    summary = results.summary({
        "quick": options.quick, "sections": [*took], "plan": vars(plan),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin)), "took_seconds": took,
        "cores": os.cpu_count(), "load_before": round(load_before, 2),
        "build": build_folder().name})
    if len(took) == len(SECTIONS):
        write(SUMMARY, summary)
    if options.json:
        write(pathlib.Path(options.json), summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
