"""One fsync of the journal fails, once, under load; then the books are compared.

The kernel marks the pages clean when it reports the error, so a second fsync says nothing about
them: the router must not try again. Promises: it acknowledges nothing after the error, exits with
a code other than 0, and recovers from what the disk holds. Turns red with `--router tandemd-planted
--plant retry-fsync`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments  # noqa: E402
from tandem_harness.experiment import compare_books, run, under_load  # noqa: E402
from tandem_harness.process import build_folder  # noqa: E402

LIBRARY = "libtandem_fault.so"


def main():
    options = arguments(__doc__, rounds=(3, "how many times an fsync fails"),
                        agents=(2, "how many agents send"))
    library = next(build_folder().rglob(LIBRARY))
    with under_load(options, options.agents) as load:
        for _ in range(options.rounds):
            nth = load.random.randrange(20, 200)
            load.router.kill()
            load.router.environment = {"LD_PRELOAD": str(library),
                                       "TANDEM_FAULT": f"fsync:{nth}:journal.db"}
            load.router.start()
            code = load.router.process.wait(options.patience)
            if code == 0:
                raise AssertionError("the router ended with 0 after a failed fsync")
            load.router.environment = {}
            load.router.start()
        return f"rounds={options.rounds} {compare_books(load)}"


run("fsync_fails", main)
