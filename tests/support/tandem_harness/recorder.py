"""tandem-webhook-receiver as a process, and what it has recorded."""

import collections
import json

from tandem_harness.process import program
from tandem_harness.receiver import Call, incident_of
from tandem_harness.wait import until


class Recorder:
    """One receiver process. Offers what receiver.Receiver offers to the comparison of books."""

    def __init__(self, world, secret, name="receiver"):
        self.path = world.folder / f"{name}.jsonl"
        address = world.folder / f"{name}.address"
        self.process = world.start(name, [program("tandem-webhook-receiver"), "--secret", secret,
                                          "--address-file", address, "--record", self.path])

        def read():
            self.process.must_live()
            return address.exists() and address.read_text().strip()
        self.base = until(read, 20, f"the address of {name}")

    def url(self, path=""):
        return f"{self.base.rstrip('/')}/{path}"

    @property
    def calls(self):
        """Every call so far, in order."""
        calls, attempts = [], collections.Counter()
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                entry = json.loads(line)
                attempts[entry["webhook_id"]] += 1
                calls.append(Call(entry["webhook_id"], entry["path"].strip("/"), entry["time"],
                                  entry["body"].encode(), entry["signature_valid"],
                                  attempts[entry["webhook_id"]], 200))
        return calls

    accepted = calls.fget

    def incidents(self):
        """Names of the incidents that were told, each with its set of delivery ids."""
        told = collections.defaultdict(set)
        for call in self.calls:
            told[incident_of(call)].add(call.delivery)
        return told
