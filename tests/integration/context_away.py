"""The context service, a process of its own here, is killed, stopped and brought back under load.

Promises: alerts are taken and routed all the while, with the last known context, and what was routed
says how old that context was; a change made after the return is known to the router soon. Then the
books are compared. Turns red with `--router tandemd-planted` and `--plant forget-context` or
`fresh-context`.
"""

import pathlib
import signal
import sys
import time
from random import Random
from types import SimpleNamespace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import World, arguments, seed_from, until  # noqa: E402
from tandem_harness.agent import Agent  # noqa: E402
from tandem_harness.api import alert_ingest_pb2 as ingest, context_pb2, incidents_pb2  # noqa: E402
from tandem_harness.experiment import TENANT, compare_books, run  # noqa: E402
from tandem_harness.fixture import SECRET, playbook, router_arguments, set_up_people  # noqa: E402
from tandem_harness.installation import Installation  # noqa: E402
from tandem_harness.process import free_port  # noqa: E402
from tandem_harness.receiver import Receiver  # noqa: E402

SITE = f"tenants/{TENANT}/entities/site/plant-7"


class Split:
    """A router and a context service that know each other by address and token."""

    def __init__(self, world, options):
        plant = ["--plant", options.plant] if options.plant else []
        self.router = Installation(world, binary=options.router,
                                   arguments=[*router_arguments(world), *plant]).start()
        self.router.add_principal("services", "provider", "service", "-")
        token = self.router.token_file("services")
        port = free_port()
        self.router.arguments += ["--roles", "router,notifier", "--context.address",
                                  f"127.0.0.1:{port}", "--peers.token", token]
        self.router.restart()
        self.context = Installation(
            world, "context", arguments=["--roles", "context", "--router.address",
                                         self.router.address, "--peers.token", token,
                                         "--log.format", "json"])
        self.context.addresses = {"grpc": f"127.0.0.1:{port}"}
        self.context.tokens = self.router.tokens
        self.context.answers = lambda: True
        self.context.start()

    def set_kind(self, kind):
        """The plant becomes a `kind`; returns the context version."""
        with self.context.connect(f"{TENANT}-editor") as editor:
            return editor.call(editor.context.PutEntity, context_pb2.PutEntityRequest(
                entity=context_pb2.Entity(name=SITE, attributes={"kind": kind}),
                comment="tried")).version

    def route(self, name):
        """Sends one critical alert at the plant; returns why it went where it went."""
        labels = {"alertname": name, "site": "plant-7", "service": name, "severity": "critical"}
        with self.router.connect(f"{TENANT}-editor") as editor:
            editor.call(editor.alerts.PushAlerts, ingest.PushAlertsRequest(
                batch=ingest.AlertBatch(number=1, alerts=[ingest.Alert(labels=[
                    {"name": n, "value": v} for n, v in labels.items()])])))
            incident = next(i for i in editor.all_incidents(TENANT)
                            if any(label.value == name for label in i.group_labels))
            return editor.call(editor.incidents.ExplainIncident,
                               incidents_pb2.ExplainIncidentRequest(name=incident.name))


def rule_of(explanation):
    return next(rule.rule for rule in explanation.rules if rule.matched)


def until_known(split, version, what):
    """Routes alerts until one was decided with this context version."""
    tries = iter(range(10_000))
    return until(lambda: (lambda why: why.context_version >= version and why)(
        split.route(f"{what}-{next(tries)}")), 30, f"context version {version} at the router",
        every=0.1)


def age_of(explanation):
    """Seconds between what the router last heard of the context and its decision."""
    return explanation.context_age.ToTimedelta().total_seconds()


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def main():
    options = arguments(__doc__, rounds=(2, "how often the context service goes away"))
    random = seed_from(options)
    with World(options.keep) as world:
        receiver = Receiver(SECRET)
        world.stack.callback(receiver.stop)
        split = Split(world, options)
        set_up_people(split.router, TENANT)
        version = split.set_kind("factory")
        split.router.activate_playbook(TENANT, playbook(TENANT, receiver), f"{TENANT}-editor")
        why = until_known(split, version, "first")
        expect(rule_of(why) == "critical-in-a-factory", f"routed by {rule_of(why)}")
        agents = [Agent("agent-0", split.router, TENANT, Random(random.getrandbits(32)))]
        agents[0].start()
        ages = []
        for number in range(options.rounds):
            split.context.kill()
            killed = time.monotonic()
            away = split.route(f"away-{number}")
            expect(rule_of(away) == "critical-in-a-factory", "the last known context was not used")
            silence = time.monotonic() - killed
            ages.append(age_of(split.route(f"silent-{number}")))
            expect(ages[-1] > silence / 2, f"after {silence:.3f} s without a context service the "
                   f"context is said to be {ages[-1]:.6f} s old")
            split.router.restart()
            again = split.route(f"restarted-{number}")
            expect(rule_of(again) == "critical-in-a-factory",
                   "the last known context did not survive a restart of the router")
            expect(again.HasField("context_unheard_since") and age_of(again) > 0,
                   "nothing says that the context is from before the restart")
            split.context.start()
            kind = ("office", "factory")[number % 2]
            why = until_known(split, split.set_kind(kind), f"back-{number}")
            expect((rule_of(why) == "critical-in-a-factory") == (kind == "factory"),
                   f"the plant is a {kind} and the alert was routed by {rule_of(why)}")
            if kind == "office":
                until_known(split, split.set_kind("factory"), f"restored-{number}")
        split.context.process.signal(signal.SIGSTOP)
        stopped = split.route("stopped")
        split.context.process.signal(signal.SIGCONT)
        expect(rule_of(stopped) == "critical-in-a-factory", "a context service that hangs")
        figures = compare_books(SimpleNamespace(router=split.router, receiver=receiver,
                                                agents=agents, patience=options.patience))
        return f"rounds={options.rounds} oldest_context={max(ages):.1f}s {figures}"


run("context_away", main)
