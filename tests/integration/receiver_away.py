"""The webhook receiver hangs up before it answers, is away, refuses, and is back, while the router is
killed in between.

Promises: what is open is told once the receiver is back; each call of one delivery has the same id
and body; alerts are taken all the while. Turns red with `--router tandemd-planted` and `--plant
forget-outbox`, `new-id-per-attempt` or `trust-what-was-sent`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments, until  # noqa: E402
from tandem_harness.experiment import compare_books, run, under_load  # noqa: E402
from tandem_harness.wait import pause_at_random  # noqa: E402


def receipts(load):
    return sum(len(agent.receipted) for agent in load.agents)


def main():
    options = arguments(__doc__, rounds=(3, "how often the receiver goes away"),
                        agents=(2, "how many agents send"))
    with under_load(options, options.agents) as load:
        for _ in range(options.rounds):
            load.receiver.status = None
            until(lambda: any(call.status is None for call in list(load.receiver.calls)), 30,
                  "a call that was cut off")
            load.receiver.stop()
            before = receipts(load)
            pause_at_random(load.random, 1.0)
            load.router.restart()
            until(lambda: receipts(load) > before, 30, "receipts while the receiver is away")
            load.receiver.status = 503
            load.receiver.start()
            pause_at_random(load.random, 0.5)
            load.router.restart()
            load.receiver.status = 200
        return f"rounds={options.rounds} {compare_books(load)}"


run("receiver_away", main)
