"""The router is killed at random moments while two readers watch its feed: one that stays until its
stream breaks, one that leaves every hundred events and comes back with its cursor.

Promises: a reader is told nothing that the journal does not hold; over all breaks it is told every
event, once, in order. Turns red with `--router tandemd-planted` and `--plant tell-before-commit` or
`skip-at-hand-over`.
"""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments, books, until  # noqa: E402
from tandem_harness.experiment import TENANT, run, under_load  # noqa: E402
from tandem_harness.reader import FeedReader, was_told_the_journal  # noqa: E402
from tandem_harness.wait import pause_at_random  # noqa: E402


def wait_for_news(load, readers):
    """Every reader is told something that it had not been told: it has resumed."""
    before = [len(reader.told) for reader in readers]
    until(lambda: all(len(reader.told) > n for reader, n in zip(readers, before)), load.patience,
          "news for every reader")


def main():
    options = arguments(__doc__, kills=(10, "how often the router is killed"),
                        agents=(2, "how many agents send"))
    with under_load(options, options.agents) as load:
        readers = [FeedReader(load.router, f"{TENANT}-viewer", resumes) for resumes in (0, 100)]
        for reader in readers:
            load.world.stack.callback(reader.close)
        for _ in range(options.kills):
            wait_for_news(load, readers)
            pause_at_random(load.random, 0.3)
            load.router.restart()
        wait_for_news(load, readers)
        for agent in load.agents:
            agent.finish()
        books.every_open_incident_was_told(load.router, TENANT, load.receiver, load.patience)
        # What happens after this, while the router ends, need not reach them any more.
        last = books.journal_events(load.router, TENANT)[-1][0]
        with contextlib.suppress(TimeoutError):  # the books tell what is missing
            until(lambda: all(reader.has(last) for reader in readers), load.patience,
                  "the last event at every reader")
        load.router.process.stop()
        for reader in readers:
            reader.close()
        events = books.journal_events(load.router, TENANT)
        told = [was_told_the_journal(reader, events, last) for reader in readers]
        return (f"kills={options.kills} events={len(events)} told={told} "
                f"breaks={[reader.breaks for reader in readers]} missed=0 invented=0")


run("kill_feed", main)
