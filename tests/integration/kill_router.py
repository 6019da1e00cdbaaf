"""The router is killed at random moments under load, again and again; then the books are compared.

Promises: an alert with a receipt is never lost; an alert that fires is in exactly one open incident; every
open incident reaches its people; the journal is sound. Turns red with --plant ack-before-commit and
--plant forget-outbox.
"""

import sys
import time
from random import Random

from tandem_harness import World, arguments, books, seed_from
from tandem_harness.agent import Agent
from tandem_harness.fixture import SECRET, router_arguments, set_up_tenant
from tandem_harness.installation import Installation
from tandem_harness.receiver import Receiver
from tandem_harness.wait import pause_at_random

TENANT = "harbor-mfg"


def main():
    options = arguments(__doc__, kills=(50, "how often the router is killed"),
                        agents=(4, "how many agents send"),
                        longest=(0.8, "the longest life of a router in seconds"))
    random = seed_from(options)
    started = time.monotonic()
    with World(options.keep) as world:
        receiver = Receiver(SECRET)
        extra = ["--plant", options.plant] if options.plant else []
        router = Installation(world, binary=options.router,
                              arguments=router_arguments(world) + extra).start()
        set_up_tenant(router, TENANT, receiver)
        agents = [Agent(f"agent-{n}", router, TENANT, Random(random.getrandbits(32)))
                  for n in range(options.agents)]
        for agent in agents:
            agent.start()
        for _ in range(options.kills):
            pause_at_random(random, options.longest)
            router.restart()
        for agent in agents:
            agent.finish()

        receipts = books.receipts_are_in_the_journal(router, TENANT, agents)
        firing = books.every_alert_is_in_one_incident(router, TENANT, agents)
        incidents = books.groups_have_one_open_incident(router, TENANT)
        books.every_open_incident_was_told(router, TENANT, receiver)
        calls, deliveries = books.pages_are_sound(receiver)
        router.process.stop()
        books.journal_verifies(router)
        receiver.stop()
    made = sum(agent.made for agent in agents)
    print(f"kill_router: kills={options.kills} receipts={receipts} alerts={made} firing={firing} "
          f"incidents={incidents} deliveries={deliveries} calls={calls} lost=0 "
          f"duplicate_incidents=0 in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except (books.Broken, AssertionError, TimeoutError, RuntimeError) as error:
        print(f"kill_router: BROKEN: {error}")
        sys.exit(1)
