"""A reader of the feed that keeps exact books: which events it was told, in which order."""

import threading

from tandem_harness import books
from tandem_harness.api import feed_pb2, grpc


class FeedReader:
    """Follows the feed of one tenant until `close`; after a break it goes on behind the last event
    it has. `resumes`: it leaves after so many events by itself, and comes back with its cursor."""

    def __init__(self, installation, principal, resumes=0):
        self.installation, self.principal, self.resumes = installation, principal, resumes
        self.cursor = ""
        self.told = []      # (sequence, incident's number), in the order in which they came
        self.breaks = 0     # streams that ended by themselves
        self.closing = threading.Event()
        self.call = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.closing.is_set():
            try:
                with self.installation.connect(self.principal) as connection:
                    self.read(connection)
            except grpc.RpcError:
                self.breaks += 1
                self.closing.wait(0.05)

    def read(self, connection):
        """One stream."""
        self.call = connection.stream(connection.feed.Subscribe, feed_pb2.SubscribeRequest(
            cursor=self.cursor, from_beginning=not self.cursor, omit_alerts=True))
        here = 0
        for event in self.call:
            self.cursor = event.cursor
            if event.heartbeat:
                continue
            self.told.append((event.sequence, int(event.incident.name.rsplit("/", 1)[1])))
            here += 1
            if self.resumes and here >= self.resumes:
                self.call.cancel()
                return

    def has(self, sequence):
        """Whether it was told an event of this record or a later one."""
        return bool(self.told) and self.told[-1][0] >= sequence

    def close(self):
        self.closing.set()
        if self.call:
            self.call.cancel()
        self.thread.join(10)


def was_told_the_journal(reader, events, last):
    """Up to the record `last`, and further as far as the reader was told, it was told these events
    of the journal, in their order, once each, and no others. Returns how many."""
    told = list(reader.told)
    events = [event for event in events if event[0] <= last or event <= told[-1]]
    invented = sorted(set(told) - set(events))
    if invented:
        raise books.Broken(f"{len(invented)} of {len(told)} events were told that the journal does "
                           f"not hold, the first is record {invented[0][0]}, incident "
                           f"{invented[0][1]}")
    missed = sorted(set(events) - set(told))
    if missed:
        raise books.Broken(f"{len(missed)} of {len(events)} events were not told, the first is "
                           f"record {missed[0][0]}, incident {missed[0][1]}")
    if told != events:
        first = next(n for n, pair in enumerate(zip(told, events + [None])) if pair[0] != pair[1])
        raise books.Broken(f"event {first + 1} was told again or out of its order: {told[first]}")
    return len(told)
