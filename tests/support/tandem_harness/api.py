"""The API from the .proto files alone: messages and stubs that protoc made into the
build tree (target tandem_python_stubs).
"""

import sys

from tandem_harness.process import build_folder

_stubs = build_folder() / "python"
if not (_stubs / "tandem" / "v1" / "alert_ingest_pb2_grpc.py").exists():
    raise FileNotFoundError(f"{_stubs} holds no stubs; run: cmake --build {build_folder()} "
                            "--target tandem_python_stubs")
sys.path.insert(0, str(_stubs))

import grpc  # noqa: E402
from google.protobuf import duration_pb2, timestamp_pb2  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from tandem.v1 import (admin_pb2, admin_pb2_grpc, alert_ingest_pb2,  # noqa: E402
                       alert_ingest_pb2_grpc, common_pb2, context_pb2, context_pb2_grpc,
                       deliveries_pb2, deliveries_pb2_grpc, feed_pb2, feed_pb2_grpc,
                       incidents_pb2, incidents_pb2_grpc, playbooks_pb2, playbooks_pb2_grpc)

__all__ = [name for name in dir() if name.endswith(("_pb2", "_pb2_grpc")) or name == "grpc"]


class Connection:
    """One caller: a channel and its token. Use as `with`."""

    def __init__(self, address, token):
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.max_receive_message_length", 64 << 20)])
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.admin = admin_pb2_grpc.AdminStub(self.channel)
        self.alerts = alert_ingest_pb2_grpc.AlertIngestStub(self.channel)
        self.context = context_pb2_grpc.ContextStub(self.channel)
        self.deliveries = deliveries_pb2_grpc.DeliveriesStub(self.channel)
        self.feed = feed_pb2_grpc.FeedStub(self.channel)
        self.incidents = incidents_pb2_grpc.IncidentsStub(self.channel)
        self.playbooks = playbooks_pb2_grpc.PlaybooksStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.channel.close()

    def call(self, method, request, seconds=10):
        """One unary call with a deadline."""
        return method(request, timeout=seconds, metadata=self.metadata)

    def stream(self, method, request, seconds=None):
        """A streaming call; iterate over it, and `cancel()` it."""
        return method(request, timeout=seconds, metadata=self.metadata)

    def all_incidents(self, tenant, filter_text=""):
        """Every incident of the tenant, over all pages."""
        found, page = [], ""
        while True:
            answer = self.call(self.incidents.ListIncidents, incidents_pb2.ListIncidentsRequest(
                parent=f"tenants/{tenant}", page_size=500, page_token=page, filter=filter_text), 60)
            found += answer.incidents
            page = answer.next_page_token
            if not page:
                return found

    def all_alerts(self, incident_name):
        """Every alert that the incident holds or held, over all pages."""
        found, page = [], ""
        while True:
            answer = self.call(
                self.incidents.ListIncidentAlerts, incidents_pb2.ListIncidentAlertsRequest(
                    parent=incident_name, page_size=1000, page_token=page), 60)
            found += answer.alerts
            page = answer.next_page_token
            if not page:
                return found

    def timeline(self, incident_name):
        """Everything that happened to the incident, oldest first."""
        found, page = [], ""
        while True:
            answer = self.call(self.incidents.ListTimeline, incidents_pb2.ListTimelineRequest(
                parent=incident_name, page_size=1000, page_token=page), 60)
            found += answer.entries
            page = answer.next_page_token
            if not page:
                return found


def details(error):
    """What an error carries: {message name: message} of its google.rpc details."""
    found = {}
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for any_message in status_pb2.Status.FromString(value).details:
                kind = any_message.type_url.rsplit(".", 1)[-1]
                message = getattr(error_details_pb2, kind)()
                any_message.Unpack(message)
                found[kind] = message
    return found
