"""Runs each experiment against a router with a bug that breaks its promise, and demands that it
turns red. An experiment that never failed proves nothing.

usage: planted.py [EXPERIMENT…]; the bugs stand in router/base/plant.h, the program is
tandemd-planted.
"""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# experiment, bug, size
PLANTS = (
    ("kill_router", "ack-before-commit", ["--kills", "30"]),
    ("kill_agent", "ack-before-commit", ["--kills", "40"]),
    ("kill_router", "forget-outbox", ["--kills", "3"]),
    ("receiver_away", "forget-outbox", ["--rounds", "1"]),
    ("fsync_fails", "retry-fsync", ["--rounds", "2"]),
)


def turns_red(experiment, plant, size):
    """True when the experiment says BROKEN; prints what it said."""
    run = subprocess.run([sys.executable, "-B", HERE / f"{experiment}.py", "--router",
                          "tandemd-planted", "--plant", plant, *size],
                         capture_output=True, text=True, check=False, timeout=600)
    red = run.returncode == 1 and "BROKEN" in run.stdout
    said = next((line for line in run.stdout.splitlines() if experiment in line),
                run.stderr.strip().splitlines()[-1:] or "nothing")
    print(f"{'killed  ' if red else 'SURVIVED'} {plant} in {experiment}: {str(said)[:200]}",
          flush=True)
    return red


def main():
    wanted = sys.argv[1:]
    results = [turns_red(*plant) for plant in PLANTS if not wanted or plant[0] in wanted]
    print(f"planted: {sum(results)} of {len(results)} bugs were found")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
