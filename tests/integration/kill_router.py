"""The router is killed at random moments under load, again and again; then the books are compared.

Promises: an alert with a receipt is never lost; an alert that fires is in exactly one open
incident; every open incident reaches its people; the journal is sound. Full size: --kills 50.
Turns red with `--router tandemd-planted` and `--plant ack-before-commit`, `forget-groups` or
`forget-outbox`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments  # noqa: E402
from tandem_harness.experiment import compare_books, run, under_load  # noqa: E402
from tandem_harness.wait import pause_at_random  # noqa: E402


def main():
    options = arguments(__doc__, kills=(50, "how often the router is killed"),
                        agents=(4, "how many agents send"),
                        longest=(0.8, "the longest life of a router in seconds"))
    with under_load(options, options.agents) as load:
        for _ in range(options.kills):
            pause_at_random(load.random, options.longest)
            load.router.restart()
        return f"kills={options.kills} {compare_books(load)}"


run("kill_router", main)
