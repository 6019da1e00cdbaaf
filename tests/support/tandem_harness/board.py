"""A NOC board on a terminal: reads the feed of all tenants and prints a line for each thing that
happened, and resumes by itself."""

import collections
import os
import sys
import threading
import time

from tandem_harness.agent import labels_of
from tandem_harness.api import common_pb2, feed_pb2, grpc

SIDE_COLOURS = {common_pb2.PROVIDER: "36", common_pb2.CUSTOMER: "35"}
SIDE_NAMES = {common_pb2.PROVIDER: "provider", common_pb2.CUSTOMER: "customer"}
SIGNS = {"OPENED": ("31", "▲"), "REOPENED": ("31", "▲"), "SEVERITY_RAISED": ("31", "▲"),
         "STEP_TAKEN": ("33", "→"), "DELIVERY_SUCCEEDED": ("32", "✓"),
         "DELIVERY_FAILED": ("31", "✗"), "DELIVERY_GIVEN_UP": ("31", "✗"), "ACKNOWLEDGED": ("32", "●"), "RESOLVED": ("32", "■"),
         "NOTED": ("0", "·"), "ESCALATION_EXHAUSTED": ("31", "!")}


class Screen:
    """Prints, in colour when a person reads. Thread-safe."""

    def __init__(self):
        self.coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.lock = threading.Lock()
        self.started = time.monotonic()

    def paint(self, colour, text):
        return f"\033[{colour}m{text}\033[0m" if self.coloured and colour != "0" else text

    def line(self, text=""):
        with self.lock:
            print(text, flush=True)

    def title(self, text):
        self.line("\n" + self.paint("1", text))

    def note(self, text):
        self.line(self.paint("2", f"  {text}"))


class Board:
    """Follows the feed until `close`; after a break it goes on behind the last event it has seen.
    Prints the incidents for which `shows(incident)` holds, and keeps of all events what a reader of
    the feed knows: how many came, and which alerts of each tenant they carried."""

    def __init__(self, installation, principal, screen, shows=lambda incident: True):
        self.shows = shows
        self.installation, self.principal, self.screen = installation, principal, screen
        self.cursor, self.events, self.breaks = "", 0, 0
        self.alerts = collections.defaultdict(set)  # tenant → labels; added to by `thread` alone
        self.incidents = set()                      # names; likewise
        self.closing = threading.Event()
        self.call = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.closing.is_set():
            try:
                with self.installation.connect(self.principal) as connection:
                    self.call = connection.stream(connection.feed.Subscribe,
                                                  feed_pb2.SubscribeRequest(
                                                      cursor=self.cursor,
                                                      from_beginning=not self.cursor))
                    for event in self.call:
                        self.cursor = event.cursor
                        if not event.heartbeat:
                            self.keep(event)
                            self.show(event)
            except grpc.RpcError:
                self.breaks += 1
                self.closing.wait(0.1)

    def keep(self, event):
        self.events += 1
        self.incidents.add(event.incident.name)
        self.alerts[event.tenant.removeprefix("tenants/")].update(map(labels_of, event.alerts))

    def show(self, event):
        incident = event.incident
        if not self.shows(incident):
            return
        number = incident.name.rsplit("/", 1)[-1]
        moment = event.time.ToDatetime().strftime("%H:%M:%S")
        for entry in event.entries:
            if entry.kind not in SIGNS:
                continue
            colour, sign = SIGNS[entry.kind]
            who = self.screen.paint(SIDE_COLOURS.get(incident.owner_side, "0"),
                                    f"{incident.owner_team} "
                                    f"({SIDE_NAMES.get(incident.owner_side, '')})")
            text = entry.text
            if entry.kind == "OPENED":
                text = f"{self.screen.paint('1', incident.title)} → {who}, rule {incident.rule}"
            self.screen.line(f"  {moment} {self.screen.paint(colour, sign)} "
                             f"{event.tenant.removeprefix('tenants/'):<14}INC-{number:<4} {text}")

    def close(self):
        self.closing.set()
        if self.call:
            self.call.cancel()
        self.thread.join(10)
