"""Memory of active alerts, and how soon a killed router has a million of them back."""

import shutil
import time

from tandem_figures.machine import metrics, resident_bytes
from tandem_figures.rig import await_rest

STEPS = ((100_000, "100k"), (1_000_000, "1m"))


def measure(rig, results):
    """Loads, rests, weighs; then SIGKILL while nothing but the journal knows."""
    results.title("Memory and recovery (alerts with 8 labels in 10 incidents)")
    with rig.router() as router:
        await_rest(router.process)
        before = resident_bytes(router.process.pid)
        results.put("resident_bytes_empty", before, "resident without any alert", "bytes")
        loaded = 0
        for count, name in STEPS:
            rig.load("ingest", "--batch", 64, "--window", 16, "--run", 1, "--first", loaded,
                     "--count", count - loaded, router=router)
            loaded = count
            await_rest(router.process)
            each = (resident_bytes(router.process.pid) - before) / count
            last = count == STEPS[-1][0]
            results.put("bytes_per_active_alert" if last else f"bytes_per_active_alert_{name}",
                        each, f"more than that for each of {count:,} active alerts", "bytes")
            results.figures[f"bytes_per_active_alert_{name}"] = round(each, 1)
        results.put("recovery_seconds_1m", recover(router), "SIGKILL → serving 1,000,000 alerts",
                    "s", "newest snapshot and the records behind it")
        await_rest(router.process)
        after = (resident_bytes(router.process.pid) - before) / loaded
        results.put("bytes_per_active_alert_recovered", after, "memory of an alert after that",
                    "bytes")
        results.put("recovery_seconds_1m_journal_only", recover(router, keep_snapshots=False),
                    "the same without any snapshot", "s", "every record from the first on")


def recover(router, keep_snapshots=True):
    """Seconds from the start of the process to its first answer."""
    router.kill()
    if not keep_snapshots:
        folders = [path for path in router.data.rglob("snapshots") if path.is_dir()]
        if not folders:
            raise RuntimeError(f"no folder `snapshots` below {router.data}")
        for folder in folders:
            shutil.rmtree(folder)
    begin = time.monotonic()
    router.start(seconds=600)
    took = time.monotonic() - begin
    active = int(metrics(router)["tandem_alerts_active"])
    if active != STEPS[-1][0]:
        raise RuntimeError(f"{active:,} alerts are back, not {STEPS[-1][0]:,}")
    return took
