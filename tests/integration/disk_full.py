"""The disk fills up under load, and is freed again, several times; then the books are compared.

The router's folder lies on a small tmpfs in a mount namespace of its own (`unshare --map-root-user
--mount`), so nothing else notices. Promises: while the disk is full, input is refused with
UNAVAILABLE and a delay and reads go on; the router lives, and says that it is not ready; it takes input
again when there is room; nothing that had a receipt is lost. Turns red with `--router
tandemd-planted --plant ack-on-full-disk`.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments, until  # noqa: E402
from tandem_harness.api import (alert_ingest_pb2 as ingest, details, grpc,  # noqa: E402
                                incidents_pb2)
from tandem_harness.experiment import TENANT, compare_books, run, under_load  # noqa: E402

INSIDE = "TANDEM_DISK_FULL_FOLDER"
SIZE = "160m"


def enter_namespace():
    """Starts this script again where it may mount; ends with its exit code."""
    namespace = ["unshare", "--map-root-user", "--mount", "--"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode != 0:
        print("disk_full: not run: no mount namespace here (unshare --map-root-user --mount)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tandem-disk-") as folder:
        script = f'mount -t tmpfs -o size={SIZE} tmpfs "${INSIDE}" && exec "$@"'
        done = subprocess.run([*namespace, "sh", "-c", script, "sh", sys.executable, *sys.argv],
                              env={**os.environ, INSIDE: folder}, check=False)
    sys.exit(done.returncode)


def fill(path):
    """Writes into `path` until the disk holds nothing more."""
    block = b"\0" * (1 << 20)
    with open(path, "ab", buffering=0) as file:
        while True:
            try:
                if file.write(block) == 0:
                    return
            except OSError:
                if len(block) == 1:
                    return
                block = block[:max(1, len(block) // 16)]


def refusal(load):
    """The error of one push, or None when it was taken."""
    with load.router.connect(f"{TENANT}-agent") as agent:
        try:
            agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(batch=ingest.AlertBatch(
                number=1, alerts=[ingest.Alert(labels=[{"name": "alertname", "value": "Probe"}])])))
        except grpc.RpcError as error:
            return error
    return None


def serves(load, service):
    """What grpc.health.v1 says of a service; its two messages are small enough to write by hand."""
    with load.router.connect() as caller:
        check = caller.channel.unary_unary("/grpc.health.v1.Health/Check")
        return check(b"\x0a" + bytes([len(service)]) + service.encode(), timeout=10) == b"\x08\x01"


def main():
    options = arguments(__doc__, rounds=(2, "how often the disk fills up"),
                        agents=(2, "how many agents send"))
    folder = pathlib.Path(os.environ[INSIDE])
    with under_load(options, options.agents, data=folder / "router",
                    extra=["--router.min_free_disk", "16MiB"]) as load:
        for _ in range(options.rounds):
            before = sum(len(agent.receipted) for agent in load.agents)
            until(lambda: sum(len(a.receipted) for a in load.agents) > before + 20, 60, "receipts")
            fill(folder / "filler")
            error = until(lambda: refusal(load), 30, "a refusal on a full disk")
            if error.code() != grpc.StatusCode.UNAVAILABLE or "RetryInfo" not in details(error):
                raise AssertionError(f"a full disk is answered with {error}")
            load.router.process.must_live()
            until(lambda: load.router.admin_answer("/-/ready")[0] == 503, 30, "not ready")
            if any(serves(load, name) for name in ("", "tandem.v1.AlertIngest", "tandem.v1.Feed")):
                raise AssertionError("a router with a full disk says that it serves")
            if not serves(load, "tandem.v1.Context"):
                raise AssertionError("a full disk of the router makes the context unhealthy")
            if load.router.admin_answer("/-/healthy")[0] != 200:
                raise AssertionError("a full disk makes the process unhealthy")
            with load.router.connect(f"{TENANT}-viewer") as viewer:
                viewer.call(viewer.incidents.ListIncidents, incidents_pb2.ListIncidentsRequest(
                    parent=f"tenants/{TENANT}"))
            (folder / "filler").unlink()
            until(lambda: refusal(load) is None, 30, "input after there was room again")
            until(lambda: load.router.admin_answer("/-/ready")[0] == 200, 30, "ready again")
            until(lambda: serves(load, "") and serves(load, "tandem.v1.AlertIngest"), 30, "serving")
        return f"rounds={options.rounds} {compare_books(load)}"


if INSIDE not in os.environ:
    enter_namespace()
run("disk_full", main)
