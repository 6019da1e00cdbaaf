"""A client that was written from the .proto files alone, with Debian's python3-grpcio.

Pushes alerts, streams them and resumes, subscribes and resumes from a cursor without gap or repeat,
acknowledges, asks why, and reads the details of errors. What it knows of Tandem stands in
proto/tandem/v1; the harness only starts the programs.
"""

import queue
import threading
import unittest

from tandem_harness import World, until
from tandem_harness.api import (Connection, alert_ingest_pb2 as ingest, common_pb2 as common,
                                details, feed_pb2, grpc, incidents_pb2)
from tandem_harness.fixture import SECRET, router_arguments, set_up_tenant
from tandem_harness.installation import Installation
from tandem_harness.receiver import Receiver

TENANT = "harbor-mfg"


def alert(name, **labels):
    made = ingest.Alert(annotations=[common.Label(name="summary", value=f"{name} is not well")])
    for key, value in {"alertname": name, **labels}.items():
        made.labels.add(name=key, value=value)
    return made


class Stream:
    """StreamAlerts: batches up, receipts down."""

    def __init__(self, connection, client_id):
        self.requests = queue.Queue()
        self.call = connection.alerts.StreamAlerts(iter(self.requests.get, None), timeout=60,
                                                   metadata=connection.metadata)
        self.requests.put(ingest.StreamAlertsRequest(hello=ingest.Hello(
            parent=f"tenants/{TENANT}", client_id=client_id, agent_version="interop/1")))
        self.welcome = next(self.call).welcome

    def send(self, number, *alerts):
        self.requests.put(ingest.StreamAlertsRequest(
            batch=ingest.AlertBatch(number=number, alerts=alerts)))
        return next(self.call).receipt

    def close(self):
        self.requests.put(None)
        return list(self.call)


class Events:
    """Subscribe, read by a thread of its own."""

    def __init__(self, connection, **request):
        self.call = connection.stream(connection.feed.Subscribe, feed_pb2.SubscribeRequest(
            parents=[f"tenants/{TENANT}"], **request))
        self.seen = []
        self.error = None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for event in self.call:
                self.seen.append(event)
        except grpc.RpcError as error:
            self.error = error

    def changes(self):
        return [event for event in self.seen if not event.heartbeat]

    def close(self):
        self.call.cancel()
        self.thread.join(10)


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.receiver = Receiver(SECRET)
        cls.addClassCleanup(cls.receiver.stop)
        cls.router = Installation(cls.world, arguments=router_arguments(cls.world)).start()
        set_up_tenant(cls.router, TENANT, cls.receiver)

    def connect(self, role):
        connection = self.router.connect(f"{TENANT}-{role}")
        self.addCleanup(connection.channel.close)
        return connection

    def incident_at(self, service):
        found = [i for i in self.connect("viewer").all_incidents(TENANT)
                 if any(label.name == "service" and label.value == service
                        for label in i.group_labels)]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_a_pushed_alert_opens_one_incident_that_the_other_side_acknowledges(self):
        agent, responder = self.connect("agent"), self.connect("responder")
        batch = ingest.AlertBatch(number=1, alerts=[
            alert("MesDown", site="plant-7", service="mes", severity="critical")])
        request = ingest.PushAlertsRequest(parent=f"tenants/{TENANT}", client_id="interop/push",
                                           batch=batch)

        first = agent.call(agent.alerts.PushAlerts, request).receipt
        again = agent.call(agent.alerts.PushAlerts, request).receipt

        self.assertEqual((first.batch_number, first.accepted), (1, 1))
        self.assertTrue(again.already_durable)
        self.assertEqual(again.accepted, 0)
        incident = self.incident_at("mes")
        self.assertEqual(incident.state, common.OPEN)
        self.assertEqual(incident.firing_alerts, 1)

        until(lambda: incident.name in self.receiver.incidents(), 20, "the page")
        self.assertTrue(all(call.signed for call in self.receiver.accepted()))

        taken = responder.call(responder.incidents.AcknowledgeIncident,
                               incidents_pb2.AcknowledgeIncidentRequest(
                                   name=incident.name, comment="on my way"))
        self.assertEqual(taken.state, common.ACKNOWLEDGED)
        self.assertEqual(taken.acknowledged_by.principal, f"{TENANT}-responder")
        self.assertEqual(taken.acknowledged_by.side, common.CUSTOMER)
        kinds = [entry.kind for entry in responder.timeline(incident.name)]
        for kind in ("OPENED", "STEP_TAKEN", "DELIVERY_PLANNED", "ACKNOWLEDGED"):
            self.assertIn(kind, kinds)

    def test_the_reason_is_verified_and_names_the_rule(self):
        agent, viewer = self.connect("agent"), self.connect("viewer")
        agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(batch=ingest.AlertBatch(
            number=1, alerts=[alert("Slow", site="office", service="mail", severity="warning")])))

        why = viewer.call(viewer.incidents.ExplainIncident, incidents_pb2.ExplainIncidentRequest(
            name=self.incident_at("mail").name))

        self.assertTrue(why.verified)
        self.assertEqual([r.rule for r in why.rules if r.matched], ["everything-else"])
        self.assertTrue(why.rules[0].failed_condition)
        self.assertTrue(why.text)

    def test_a_stream_goes_on_above_the_last_durable_batch(self):
        stream = Stream(self.connect("agent"), "interop/stream")
        self.assertEqual(stream.welcome.last_durable_batch, 0)
        for number in (1, 2, 5):
            receipt = stream.send(number, alert("Disk", service="files", instance=str(number)))
            self.assertEqual((receipt.batch_number, receipt.accepted), (number, 1))
        self.assertEqual(stream.close(), [])

        resumed = Stream(self.connect("agent"), "interop/stream")
        self.assertEqual(resumed.welcome.last_durable_batch, 5)
        self.assertTrue(resumed.send(5, alert("Disk", service="files")).already_durable)
        self.assertEqual(resumed.send(6, alert("Disk", service="files")).accepted, 1)
        resumed.close()

    def test_each_alert_of_a_batch_is_judged_alone(self):
        agent = self.connect("agent")
        twice = alert("Twice", service="judged")
        twice.labels.add(name="service", value="other")
        receipt = agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(
            batch=ingest.AlertBatch(number=1, alerts=[
                alert("Good", service="judged"), ingest.Alert(), twice]))).receipt

        self.assertEqual(receipt.accepted, 1)
        self.assertEqual([(r.index, r.reason) for r in receipt.refusals],
                         [(1, "NO_LABELS"), (2, "LABEL_DUPLICATE")])

    def test_a_subscriber_resumes_without_gap_or_repeat(self):
        agent, viewer = self.connect("agent"), self.connect("viewer")

        def push(instance):
            agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(batch=ingest.AlertBatch(
                number=1, alerts=[alert("Cpu", service="resume", instance=str(instance))])))

        def mine(events):
            return [e for e in events.changes()
                    if any(l.value == "resume" for l in e.incident.group_labels)]

        events = Events(viewer, from_beginning=True)
        push(1)
        push(2)
        until(lambda: len(mine(events)) >= 2, 20, "the first events")
        events.close()
        cursor = mine(events)[0].cursor
        push(3)

        resumed = Events(viewer, cursor=cursor)
        until(lambda: sum(e.incident.total_alerts == 3 for e in mine(resumed)), 20,
              "the event of the third alert")
        resumed.close()
        whole = Events(viewer, from_beginning=True)
        until(lambda: len(whole.changes()) >= len(events.changes()[:1]) and any(
            e.cursor == mine(resumed)[-1].cursor for e in whole.changes()), 20, "the whole history")
        whole.close()

        cursors = [e.cursor for e in whole.changes()]
        start = cursors.index(cursor) + 1
        got = [e.cursor for e in resumed.changes()]
        self.assertEqual(got, cursors[start:start + len(got)])
        self.assertEqual(len(set(cursors)), len(cursors))

    def test_an_error_says_what_a_program_needs(self):
        with Connection(self.router.address, "tdm_wrong") as stranger:
            with self.assertRaises(grpc.RpcError) as caught:
                stranger.call(stranger.alerts.PushAlerts, ingest.PushAlertsRequest())
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(details(caught.exception)["ErrorInfo"].reason, "TOKEN_INVALID")

        agent = self.connect("agent")
        with self.assertRaises(grpc.RpcError) as caught:
            agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(
                parent="tenants/st-anna", batch=ingest.AlertBatch(number=1)))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

        with self.assertRaises(grpc.RpcError) as caught:
            agent.call(agent.incidents.ListIncidents, incidents_pb2.ListIncidentsRequest(
                parent=f"tenants/{TENANT}"))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.PERMISSION_DENIED)


if __name__ == "__main__":
    unittest.main(verbosity=2)
