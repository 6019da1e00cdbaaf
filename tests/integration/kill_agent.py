"""Agents and router are killed at random moments during a storm; then the books are compared.

The senders are tandem-agent with its spool on disk: what it read and what it sent survives its own
death too. Promises as in kill_router.py. Full size: --kills 50. Turns red with `--router
tandemd-planted --plant ack-before-commit`.
"""

from tandem_harness import arguments
from tandem_harness.experiment import TENANT, compare_books, run, under_load
from tandem_harness.storm_agent import StormAgent
from tandem_harness.wait import pause_at_random


def main():
    options = arguments(__doc__, kills=(20, "how often somebody is killed"),
                        rate=(400, "alerts a second"),
                        longest=(0.8, "the longest peace in seconds"))
    with under_load(options, agents=0) as load:
        agent = StormAgent(load.world, load.router, TENANT, "storm", rate=options.rate,
                           seed=load.random.randrange(1, 1 << 30)).start()
        load.agents.append(agent)
        for _ in range(options.kills):
            pause_at_random(load.random, options.longest)
            victim = load.random.choice((load.router, agent))
            victim.restart()
        return f"kills={options.kills} {compare_books(load)}"


run("kill_agent", main)
