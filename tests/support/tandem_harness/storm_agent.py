"""tandem-agent as a process, with a storm of alerts and a spool on disk, and the books that it
keeps in its logs."""

import json
import re

from tandem_harness.process import ROOT, program
from tandem_harness.wait import until

RULES = ROOT / "tests" / "data" / "alert_rules.jsonl"
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


def labels_of_key(key):
    """`{a="x",b="y"}` as a sorted tuple of pairs: the identity of an alert."""
    return tuple((name, re.sub(r'\\["\\n]', lambda m: ESCAPES[m.group()], value))
                 for name, value in LABEL.findall(key))


def read_lines(path):
    """The JSON objects of a log; a last line without its end was cut off by a kill."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True)
            if line.endswith("\n")]


class StormAgent:
    """One sender. Offers what agent.Agent offers to the comparison of books."""

    def __init__(self, world, installation, tenant, name, context=None, rate=0, count=0, seed=1):
        self.world, self.installation, self.tenant, self.name = world, installation, tenant, name
        self.client_id = f"storm/{name}"
        self.ack_log, self.alert_log = (world.folder / f"{name}.{log}" for log in ("ack", "alert"))
        self.options = ["--rate", rate, "--count", count, "--seed", seed]
        if context:
            self.options += ["--context", context]
        self.process = None
        self.logged_at_start = 0

    def start(self):
        self.logged_at_start = self.logged
        token = self.installation.token_file(f"{self.tenant}-agent")
        self.process = self.world.start(self.name, [
            program("tandem-agent"), "--address", self.installation.address, "--tenant",
            self.tenant, "--token-file", token, "--client-id", self.client_id, "--spool",
            self.world.folder / f"{self.name}.spool", "--ack-log", self.ack_log, "--alert-log",
            self.alert_log, "--drain", "60s", "storm", "--rules", RULES, *self.options])
        return self

    def restart(self):
        """SIGKILL and start: the spool is all that it remembers."""
        self.process.kill()
        self.world.processes.remove(self.process)
        return self.start()

    def finish(self, seconds=90):
        """Waits until it has sent all of its count and has every receipt, or ends it with SIGTERM,
        upon which it waits for the receipts."""
        # A process that has only just been started does not listen to signals yet.
        until(lambda: not self.process.alive or self.logged > self.logged_at_start, seconds,
              f"{self.name} to be at work")
        code = self.process.stop(seconds)
        if code != 0:
            raise AssertionError(f"{self.name} ended with {code}\n{self.process.tail()}")

    @property
    def logged(self):
        """Bytes in its log of alerts."""
        return self.alert_log.stat().st_size if self.alert_log.exists() else 0

    @property
    def receipted(self):
        """number → its line in the log, for every batch with a receipt."""
        return {line["batch"]: line for line in read_lines(self.ack_log)}

    def last_reports(self):
        """labels → (batch, whether it ends) of the newest report of each alert."""
        last = {}
        for line in read_lines(self.alert_log):
            labels = labels_of_key(line["alert"])
            if labels not in last or line["batch"] >= last[labels][0]:
                last[labels] = line["batch"], line["ends"]
        return last

    @property
    def firing(self):
        """Labels of the alerts that were last reported to fire."""
        return {labels for labels, (_, ends) in self.last_reports().items() if not ends}

    @property
    def ended(self):
        return {labels for labels, (_, ends) in self.last_reports().items() if ends}

    @property
    def made(self):
        return len(self.last_reports())
