"""What the experiments have in common: a router under load, and the comparison of the books."""

import contextlib
import sys
import time
from random import Random
from types import SimpleNamespace

from tandem_harness import books
from tandem_harness.agent import Agent
from tandem_harness.fixture import SECRET, router_arguments, set_up_tenant
from tandem_harness.installation import Installation
from tandem_harness.process import World, seed_from
from tandem_harness.receiver import Receiver

TENANT = "harbor-mfg"


@contextlib.contextmanager
def under_load(options, agents=4, data=None, environment=None, extra=(), wrapper=()):
    """A router with a tenant, a receiver and agents that send.

    Yields .world .router .receiver .agents .random .patience. `data`: its folder, when it must lie
    elsewhere; `wrapper`: what the router is started through, from the second start on.
    """
    random = seed_from(options)
    with World(options.keep) as world:
        receiver = Receiver(SECRET)
        world.stack.callback(receiver.stop)
        plant = ["--plant", options.plant] if options.plant else []
        router = Installation(world, binary=options.router, environment=environment, data=data,
                              arguments=[*router_arguments(world), *plant, *extra])
        router.start()
        set_up_tenant(router, TENANT, receiver)
        router.wrapper = list(wrapper)
        senders = [Agent(f"agent-{n}", router, TENANT, Random(random.getrandbits(32)))
                   for n in range(agents)]
        for sender in senders:
            sender.start()
        try:
            yield SimpleNamespace(world=world, router=router, receiver=receiver, agents=senders,
                                  random=random, patience=options.patience)
        finally:
            for sender in senders:
                if isinstance(sender, Agent):
                    sender.stopping.set()


def compare_books(load):
    """Lets the agents finish and compares every book; stops the router. Returns the figures."""
    for agent in load.agents:
        agent.finish()
    receipts = books.receipts_are_in_the_journal(load.router, TENANT, load.agents)
    firing = books.every_alert_is_in_one_incident(load.router, TENANT, load.agents)
    books.groups_have_one_open_incident(load.router, TENANT)
    incidents = books.every_open_incident_was_told(load.router, TENANT, load.receiver,
                                                   load.patience)
    calls, deliveries = books.pages_are_sound(load.receiver)
    load.router.process.stop()
    books.journal_verifies(load.router)
    alerts = sum(agent.made for agent in load.agents)
    return (f"receipts={receipts} alerts={alerts} firing={firing} incidents={incidents} "
            f"deliveries={deliveries} calls={calls} lost=0 duplicate_incidents=0")


def run(name, main):
    """Runs `main() -> figures`, prints one line about it and exits: 0 held, 1 broken."""
    started = time.monotonic()
    try:
        figures = main()
    except (AssertionError, TimeoutError, RuntimeError) as error:
        print(f"{name}: BROKEN after {time.monotonic() - started:.0f} s: {error}", flush=True)
        sys.exit(1)
    print(f"{name}: {figures} in {time.monotonic() - started:.0f} s", flush=True)
