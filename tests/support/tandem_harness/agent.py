"""A monitoring agent that keeps exact books: what it sent, and what it has a receipt for.

Written from the .proto file. Sends numbered batches on a stream with several in flight, and after
every break goes on above the last durable batch with all that has no receipt. Its batches hold new
alerts, repeats of firing ones, and ends.
"""

import queue
import threading
import time

from tandem_harness.api import (Connection, alert_ingest_pb2 as ingest, common_pb2, grpc,
                                timestamp_pb2)

WINDOW = 16          # batches without a receipt
FIRING_MAX = 3_000   # alerts of one agent that fire at a time
PATIENCE = 20        # seconds without a receipt after which a stream is given up


def planted(agent):
    """A new alert of the experiments: labels that no other agent ever sends."""
    severity = agent.random.choice(("critical", "warning", "info"))
    return (("alertname", "Planted"), ("id", f"{agent.name}-{agent.made}"),
            ("service", f"svc-{agent.random.randrange(12)}"), ("severity", severity),
            ("site", "plant-7"))


def labels_of(message):
    """The label set of an alert, as a sorted tuple: its identity."""
    return tuple(sorted((label.name, label.value) for label in message.labels))


class Agent(threading.Thread):
    """Runs until `finish`. All fields may be read once it has ended; `receipted` at any time."""

    def __init__(self, name, installation, tenant, random, batch_alerts=20, make=planted,
                 pace=None):
        """`make(agent)` returns the labels of a new alert, sorted; `pace(agent)`, asked before each
        batch, may wait."""
        super().__init__(name=name, daemon=True)
        self.installation, self.tenant, self.random = installation, tenant, random
        self.client_id, self.batch_alerts = f"books/{name}", batch_alerts
        self.make, self.pace = make, pace or (lambda agent: None)
        self.next_number = 1
        self.made = 0
        self.firing = {}      # labels → number of the batch that last reported it as firing
        self.ended = {}       # labels → number of the batch that reported its end
        self.waiting = {}     # number → AlertBatch without a receipt, ascending
        self.receipted = {}   # number → Receipt
        self.breaks = 0       # streams that ended with an error
        self.failure = None   # what broke the protocol, if anything did
        self.finishing = threading.Event()
        self.stopping = threading.Event()

    # What is sent.

    def make_batch(self):
        number = self.next_number
        self.next_number += 1
        batch = ingest.AlertBatch(number=number)
        for _ in range(self.batch_alerts):
            dice = self.random.random()
            end = None
            if self.firing and (dice < 0.3 or len(self.firing) >= FIRING_MAX):
                labels = self.random.choice(list(self.firing))
                if dice < 0.05 and self.firing[labels] != number:
                    end = timestamp_pb2.Timestamp(seconds=int(time.time()))
            else:
                self.made += 1
                labels = self.make(self)
            if labels in self.ended:
                continue
            batch.alerts.add(labels=[common_pb2.Label(name=n, value=v) for n, v in labels],
                             ends_at=end)
            if end:
                del self.firing[labels]
                self.ended[labels] = number
            else:
                self.firing[labels] = number
        if not batch.alerts:
            return self.make_batch()
        self.waiting[number] = batch
        return batch

    # How it is sent.

    def run(self):
        while not self.stopping.is_set() and not (self.finishing.is_set() and not self.waiting):
            try:
                self.stream_once()
            except grpc.RpcError:
                self.breaks += 1
                self.stopping.wait(0.05)
            except Exception as error:  # kept for whoever reads the books
                self.failure = error
                return

    def stream_once(self):
        """One stream, until it breaks or nothing is left to send."""
        requests = queue.SimpleQueue()
        with Connection(self.installation.address,
                        self.installation.tokens[f"{self.tenant}-agent"]) as connection:
            call = connection.alerts.StreamAlerts(
                iter(requests.get, None), metadata=connection.metadata, timeout=600)
            watchdog = threading.Timer(PATIENCE, call.cancel)
            watchdog.start()
            try:
                requests.put(ingest.StreamAlertsRequest(hello=ingest.Hello(
                    parent=f"tenants/{self.tenant}", client_id=self.client_id)))
                welcome = next(call).welcome
                self.settle(welcome.last_durable_batch)
                self.converse(call, requests)
            except StopIteration:
                self.breaks += 1
            finally:
                watchdog.cancel()
                requests.put(None)
                call.cancel()

    def settle(self, last_durable):
        """Batches up to `last_durable` are durable although their receipts were lost."""
        highest = max(self.receipted, default=0)
        if last_durable < highest:
            raise AssertionError(f"{self.name}: batch {highest} had a receipt, but the router "
                                 f"knows only {last_durable}")
        for number in [n for n in self.waiting if n <= last_durable]:
            self.receipted[number] = None
            del self.waiting[number]

    def converse(self, call, requests):
        in_flight = 0
        for batch in list(self.waiting.values()):
            requests.put(ingest.StreamAlertsRequest(batch=batch))
            in_flight += 1
        while not self.stopping.is_set():
            while in_flight < WINDOW and not self.finishing.is_set():
                self.pace(self)
                requests.put(ingest.StreamAlertsRequest(batch=self.make_batch()))
                in_flight += 1
            if in_flight == 0:
                return
            receipt = next(call).receipt
            in_flight -= 1
            batch = self.waiting.pop(receipt.batch_number)
            if receipt.refusals or (receipt.accepted != len(batch.alerts)
                                    and not receipt.already_durable):
                raise AssertionError(f"{self.name}: {receipt} for {len(batch.alerts)} alerts")
            self.receipted[receipt.batch_number] = receipt

    def finish(self, seconds=60):
        """Sends no more, waits until every batch has its receipt, and ends."""
        self.finishing.set()
        self.join(seconds)
        if self.failure:
            raise self.failure
        if self.is_alive() or self.waiting:
            self.stopping.set()
            raise TimeoutError(f"{self.name}: {len(self.waiting)} batches without a receipt after "
                               f"{seconds} s")
