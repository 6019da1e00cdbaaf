"""Runs each experiment against a router with a bug that breaks its promise, and demands that it
turns red. An experiment that never failed proves nothing; neither does one that always fails, so
the same program without a bug must pass it first.

usage: planted.py [EXPERIMENT…]; the bugs stand in router/base/plant.h, the program is
tandemd-planted.
"""

import pathlib
import subprocess
import sys

NOT_HERE = 77  # the exit code of an experiment that this machine has not got the means for
PATIENCE = "30"  # seconds; without a bug everybody has been told long before
HERE = pathlib.Path(__file__).resolve().parent
# experiment, bug, size
PLANTS = (
    ("kill_router", "ack-before-commit", ["--kills", "30"]),
    ("kill_agent", "ack-before-commit", ["--kills", "40"]),
    ("kill_router", "forget-groups", ["--kills", "2"]),
    ("kill_router", "forget-outbox", ["--kills", "3"]),
    ("kill_feed", "skip-at-hand-over", ["--kills", "15"]),
    ("kill_feed", "tell-before-commit", ["--kills", "10"]),
    ("receiver_away", "forget-outbox", ["--rounds", "1"]),
    ("receiver_away", "new-id-per-attempt", ["--rounds", "1"]),
    ("receiver_away", "trust-what-was-sent", ["--rounds", "1"]),
    ("context_away", "forget-context", ["--rounds", "1"]),
    ("context_away", "fresh-context", ["--rounds", "1"]),
    ("disk_full", "ack-on-full-disk", ["--rounds", "1"]),
    ("fsync_fails", "retry-fsync", ["--rounds", "2"]),
)
CONTROLS = {"kill_router": ["--kills", "2"], "kill_agent": ["--kills", "2"],
            "kill_feed": ["--kills", "2"],
            "receiver_away": ["--rounds", "1"], "context_away": ["--rounds", "1"],
            "disk_full": ["--rounds", "1"], "fsync_fails": ["--rounds", "1"]}


def run_with(experiment, plant, size):
    return subprocess.run([sys.executable, "-B", HERE / f"{experiment}.py", "--router",
                           "tandemd-planted", "--plant", plant, *size],
                          capture_output=True, text=True, check=False, timeout=600)


def fitness(experiment):
    """Says whether the program is fit for the experiment as long as no bug is planted: True, False,
    or None where the experiment cannot be made on this machine."""
    run = run_with(experiment, "none", CONTROLS[experiment])
    if run.returncode == NOT_HERE:
        print(f"NOT RUN  {run.stdout.strip()[-400:]}", flush=True)
        return None
    if run.returncode != 0:
        print(f"UNFIT    {experiment} fails without a bug: {run.stdout[-400:]}", flush=True)
    return run.returncode == 0


def turns_red(experiment, plant, size):
    """True when the experiment says BROKEN; prints what it said."""
    run = run_with(experiment, plant, [*size, "--patience", PATIENCE])
    red = run.returncode == 1 and "BROKEN" in run.stdout
    said = next((line for line in run.stdout.splitlines() if experiment in line),
                run.stderr.strip().splitlines()[-1:] or "nothing")
    print(f"{'killed  ' if red else 'SURVIVED'} {plant} in {experiment}: {str(said)[:200]}",
          flush=True)
    return red


def main():
    wanted = sys.argv[1:]
    plants = [plant for plant in PLANTS if not wanted or plant[0] in wanted]
    fit = {name: fitness(name) for name in dict.fromkeys(plant[0] for plant in plants)}
    results = [fit[plant[0]] and turns_red(*plant) for plant in plants
               if fit[plant[0]] is not None]
    print(f"planted: {sum(results)} of {len(results)} bugs were found")
    if not results and plants and all(fit[plant[0]] is None for plant in plants):
        return NOT_HERE
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
