"""What tools/bench measures: a router on this machine, and in the same run what the machine allows
without one.

Absolute figures move by a third from run to run on a shared machine, so every figure of the router
stands beside a reference that was measured a few seconds before: a server that only parses and
echoes, and a file that is only appended to and synced.
"""

import argparse
import json
import subprocess
import sys

from tandem_harness import World
from tandem_harness.fixture import playbook, router_arguments, set_up_tenant
from tandem_harness.installation import Installation
from tandem_harness.process import program
from tandem_harness.receiver import Receiver

TENANT = "harbor-mfg"
RULE = """\
  - name: rule-{n}
    match: ['service="svc-{n}"', 'severity="{severity}"']
    owner: noc
    handling: autonomous
    escalation: provider-first
    reason: "One of many."
"""


def with_rules(source, count):
    """The playbook with `count` more rules before its last one."""
    head, last = source.split("  - name: everything-else")
    rules = "".join(RULE.format(n=n, severity=("critical", "warning")[n % 2]) for n in range(count))
    return f"{head}{rules}  - name: everything-else{last}"


class Bench:
    """One router; each measurement is one call of tandem-load."""

    def __init__(self, world, seconds):
        self.world, self.seconds = world, seconds
        self.receiver = Receiver()
        world.stack.callback(self.receiver.stop)
        self.router = Installation(world, arguments=[*router_arguments(world), "--log.level",
                                                     "warn"]).start()
        set_up_tenant(self.router, TENANT, self.receiver)

    def load(self, mode, *options, router=True):
        """What tandem-load printed."""
        command = [program("tandem-load"), mode]
        if router:
            # A feed reader needs more than the role of an agent, so the administrator measures.
            command += ["--address", self.router.address, "--tenant", TENANT, "--token-file",
                        self.router.data / "admin.token", "--server-pid",
                        str(self.router.process.pid)]
        run = subprocess.run([*map(str, command), *map(str, options)], capture_output=True,
                             text=True, check=False, timeout=600)
        if run.returncode != 0:
            raise RuntimeError(f"tandem-load {mode} ended with {run.returncode}: {run.stderr}")
        return json.loads(run.stdout)

    def rules(self, count):
        self.router.activate_playbook(
            TENANT, with_rules(playbook(TENANT, self.receiver), count), f"{TENANT}-editor")

    def ingest(self, what, batch, window, *options):
        figures = self.load("ingest", "--batch", batch, "--window", window, "--duration",
                            f"{self.seconds}s", *options)
        echo = self.load("echo", "--batch", batch, "--window", window, "--duration", "2s",
                         router=False)
        row(what, f"{figures['alerts_per_second']:,.0f}/s",
            f"p50 {milliseconds(figures['receipt'], 'p50')}  "
            f"p99 {milliseconds(figures['receipt'], 'p99')}  "
            f"{figures.get('server_cpu_us_per_alert', 0):.2f} µs/alert",
            f"parse and echo {echo['alerts_per_second']:,.0f}/s")
        return figures

    def latency(self, rate, batch):
        figures = self.load("latency", "--rate", rate, "--batch", batch, "--duration",
                            f"{self.seconds}s")
        row(f"{rate:,}/s, batches of {batch}",
            f"p50 {milliseconds(figures['subscriber'], 'p50')}",
            f"p99 {milliseconds(figures['subscriber'], 'p99')} to the subscriber; receipt p50 "
            f"{milliseconds(figures['receipt'], 'p50')} p99 "
            f"{milliseconds(figures['receipt'], 'p99')}",
            f"not seen: {figures['not_seen']}")
        return figures


def milliseconds(latencies, name):
    """A percentile of tandem-load's figures as text."""
    return f"{latencies.get(name + '_ms', 0):.2f} ms"


def row(what, figure, more="", reference=""):
    print(f"  {what:<34}{figure:>14}   {more:<44}{reference}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--json", help="also writes every figure into this file")
    options = parser.parse_args()
    figures = {}
    with World() as world:
        print("What the disk allows (append and fdatasync):", flush=True)
        disk = Bench.load(None, "fsync", "--directory", world.folder, "--duration", "1s",
                          router=False)
        figures["fsync"] = disk
        for group in disk["groups"]:
            row(f"groups of {group['group']}", f"{group['records_per_second']:,.0f}/s",
                f"commit p50 {milliseconds(group['commit'], 'p50')}")
        bench = Bench(world, options.seconds)
        print("\nDurable, routed alerts (closed loop, one stream), beside the reference:")
        for batch, window in ((512, 8), (64, 16), (1, 64)):
            figures[f"ingest-{batch}"] = bench.ingest(f"new, batches of {batch}", batch, window)
        figures["repeat-64"] = bench.ingest("repeats, batches of 64", 64, 16, "--distinct", 20_000)
        bench.rules(10_000)
        figures["rules-64"] = bench.ingest("new, 10,000 rules, batches of 64", 64, 16)
        bench.rules(0)
        print("\nFrom the alert to the subscriber (open loop):")
        for rate, batch in ((100, 1), (20_000, 64), (100_000, 64)):
            figures[f"latency-{rate}"] = bench.latency(rate, batch)
        bench.router.process.stop(60)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
