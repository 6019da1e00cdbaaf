"""The programs that are measured: a router, an echo server, the load generator, the parts."""

import contextlib
import dataclasses
import json
import shutil
import time

from tandem_figures.machine import cpu_seconds, duration, run_json
from tandem_harness.fixture import CONTEXT, playbook, router_arguments, set_up_people
from tandem_harness.installation import Installation
from tandem_harness.process import build_folder, program
from tandem_harness.receiver import Receiver
from tandem_harness.wait import until

TENANT = "harbor-mfg"
WINDOWS = {1: 64, 64: 16, 512: 8}  # batches without a receipt, by alerts a batch
RULE = """\
  - name: rule-{n}
    match: ['job="exporter-{n:04}"', 'severity=~"warning|critical"']
    owner: noc
    handling: autonomous
    escalation: provider-first
    reason: "One of many."
"""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long and how often."""

    pairs: int  # reference and router, one after the other
    seconds: float  # of each measurement of the router
    reference_seconds: float  # of each measurement beside it
    latency_rounds: int
    latency_seconds: float  # of each share of the maximum
    parts_seconds: float  # of each part, at least
    parts_rounds: int


FULL = Plan(pairs=3, seconds=5, reference_seconds=3, latency_rounds=3,
            latency_seconds=6, parts_seconds=0.2, parts_rounds=5)
QUICK = Plan(pairs=2, seconds=2, reference_seconds=1.2, latency_rounds=2,
             latency_seconds=3, parts_seconds=0.03, parts_rounds=3)


def with_rules(source, count):
    """The playbook with `count` more rules before its last one, each for one job of tandem-load,
    and with a first step after an hour: nobody is called while it is measured."""
    end = "  - name: everything-else"
    head, last = source.replace("group_wait: 0s", "group_wait: 1h").split(end)
    return "".join([head, *(RULE.format(n=n) for n in range(count)), end, last])


class Rig:
    """Starts routers, each with a fresh data folder, and runs tandem-load against them."""

    def __init__(self, world, plan, results):
        self.world, self.plan, self.results = world, plan, results
        self.receiver = Receiver()
        world.stack.callback(self.receiver.stop)
        self.routers = 0
        echo = world.start("echo", [program("tandem-load"), "echo-server"])
        self.echo_address = until(lambda: self._address_of(echo), 10, "the echo server's address")

    @staticmethod
    def _address_of(echo):
        echo.must_live()
        with contextlib.suppress(json.JSONDecodeError, IndexError):
            return json.loads(echo.log().splitlines()[0])["address"]
        return None

    @contextlib.contextmanager
    def router(self, rules=None):
        """A router with one tenant, gone with its data at the end. `rules`: a tenant for each
        count, named by `tenant_of`; else TENANT with the harness's playbook."""
        self.routers += 1
        # An hour: no alert of a measurement ends by itself in a later one.
        router = Installation(self.world, name=f"router-{self.routers}", arguments=[
            *router_arguments(self.world), "--log.level", "warn", "--router.resolve_timeout", "1h"])
        router.start()
        try:
            tenants = {TENANT: None} if rules is None else {tenant_of(n): n for n in rules}
            for tenant, count in tenants.items():
                source = playbook(tenant, self.receiver)
                set_up_people(router, tenant)
                router.import_context(tenant, CONTEXT, f"{tenant}-editor")
                router.activate_playbook(
                    tenant, source if count is None else with_rules(source, count),
                    f"{tenant}-editor")
            yield router
        finally:
            router.kill()
            shutil.rmtree(router.data, ignore_errors=True)

    def load(self, mode, *options, router=None, tenant=TENANT):
        """What tandem-load printed."""
        command = [program("tandem-load"), mode, *options]
        if router:
            # A feed reader needs more than the role of an agent, so the administrator measures.
            command += ["--address", router.address, "--tenant", tenant, "--token-file",
                        router.data / "admin.token", "--server-pid", router.process.pid]
        figures = run_json(command)
        self.results.raw.append({"asked": [mode, *map(str, options)], **figures})
        return figures

    def ingest(self, router, batch, *options, tenant=TENANT):
        """Durable alerts in a closed loop on one stream; each alert is new."""
        return self.load("ingest", "--batch", batch, "--window", WINDOWS[batch], "--warm-up",
                         "500ms", "--duration", duration(self.plan.seconds), *options,
                         router=router, tenant=tenant)

    def echo(self, batch):
        """The same batches through a server, a process of its own, that parses and echoes them."""
        return self.load("echo", "--address", self.echo_address, "--batch", batch, "--window",
                         WINDOWS[batch], "--warm-up", "300ms", "--duration",
                         duration(self.plan.reference_seconds))

    def append(self, *groups, record=276, seconds=0.5):
        """Bare appends with fdatasync, by records a group."""
        figures = self.load("fsync", "--directory", self.world.folder, "--duration",
                            duration(seconds), "--record", record, "--group", *groups)
        return {group["group"]: group for group in figures["groups"]}

    def round_trip(self, batch):
        """One batch at a time to the server that echoes, and back."""
        return self.load("roundtrip", "--address", self.echo_address, "--batch", batch, "--count",
                         2000)["round_trip"]

    def parts(self):
        """What Google Benchmark printed about the parts, as its JSON."""
        path = build_folder() / "bench" / "parts_bench"
        if not path.exists():
            raise FileNotFoundError(f"{path} is not built; run: cmake --build {build_folder()} "
                                    "--target parts_bench")
        return run_json([path, "--benchmark_format=json",
                         f"--benchmark_min_time={self.plan.parts_seconds}",
                         f"--benchmark_repetitions={self.plan.parts_rounds}",
                         "--benchmark_enable_random_interleaving=true"],
                        {"TANDEM_BENCH_FOLDER": str(self.world.folder)})


def tenant_of(rules):
    return f"rules-{rules}"


def await_rest(process, seconds=120):
    """Waits until the process uses less than 5 % of a core for half a second: what it still had to
    do behind its last receipt (snapshots, checkpoints) is done."""
    last = [time.monotonic(), cpu_seconds(process.pid)]

    def rests():
        process.must_live()
        now, used = time.monotonic(), cpu_seconds(process.pid)
        quiet = used - last[1] < 0.05 * (now - last[0])
        last[:] = now, used
        return quiet
    until(rests, seconds, f"{process.name} to come to rest", every=0.5)
