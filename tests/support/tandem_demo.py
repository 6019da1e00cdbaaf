"""The story that tools/demo tells: three customers of one provider, on this machine, in about a
minute.

Everything on the screen is real: tandemd with the playbooks and the context of deploy/examples,
agents that stream alerts, receivers that check signatures, the feed that a NOC board reads. Two
things are made shorter, and the screen says so: escalation times are divided by 60, and the plant's
shift is moved to begin at the next full minute. The last line is computed from what the receivers
and the agents have in their own books.
"""

import argparse
import datetime
import pathlib
import re
import sys
import tempfile
import threading
import time
import zoneinfo
from random import Random

import yaml

from tandem_harness import World, books, until
from tandem_harness.agent import Agent
from tandem_harness.api import (alert_ingest_pb2 as ingest, common_pb2, context_pb2,
                                incidents_pb2, timestamp_pb2)
from tandem_harness.board import Board, Screen
from tandem_harness.fixture import SECRET, router_arguments
from tandem_harness.installation import Installation
from tandem_harness.process import ROOT, build_folder, program
from tandem_harness.recorder import Recorder

TENANTS = {"harbor-mfg": "Harbor Manufacturing", "st-anna": "St. Anna Hospital",
           "meridian-bank": "Meridian Bank"}
QUICKER = 60
PLANT, ZONE = "plant-7", "America/Chicago"


def example(tenant):
    """(playbook, context) of deploy/examples: the two files that name the tenant and its entities."""
    for file in sorted((ROOT / "deploy" / "examples").rglob("playbook.y*ml")):
        source = file.read_text()
        if re.search(rf"^tenant:\s*{tenant}\s*$", source, re.MULTILINE):
            return source, (file.parent / "context.yaml").read_text()
    raise FileNotFoundError(f"deploy/examples holds no playbook with `tenant: {tenant}`")


def shortened(source):
    """The playbook with times divided by QUICKER: `after: 5m` becomes `after: 5s`."""
    def quicker(match):
        units = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
        total = sum(int(n) * units[u] for n, u in re.findall(r"(\d+)([smhd])", match.group(2)))
        return f"{match.group(1)}{total // QUICKER}ms"
    return re.sub(r"\b((?:after|group_wait|resolve_wait):\s*)((?:\d+[smhd])+)", quicker, source)


def pointed_at(source, recorder):
    """The playbook with every contact's URL at our receiver, and every secret ours."""
    contacts = yaml.safe_load(source)["contacts"]
    for name, contact in contacts.items():
        source = source.replace(contact["webhook"]["url"], recorder.url(name))
    return re.sub(r"\bsecret:\s*[\w-]+", "secret: hooks", source)


class Story:
    """The stage: router, receivers, agents, board. Scenes are methods, in the order of the story."""

    def __init__(self, world, screen):
        self.world, self.screen = world, screen
        self.agents = []
        self.pushed = {tenant: {} for tenant in TENANTS}  # labels → whether it fires
        self.busy = threading.Event()

    # Setting the stage.

    def set_up(self):
        self.recorder = Recorder(self.world, SECRET)
        self.router = Installation(self.world, arguments=router_arguments(self.world)).start()
        self.screen.note(f"tandemd runs on {self.router.address}, one process, one folder of data")
        self.shift = self.next_shift()
        for tenant, title in TENANTS.items():
            self.set_up_tenant(tenant, title)
        self.router.add_principal("noc-board", "provider", "viewer", *TENANTS)
        self.router.add_principal("noc-operator", "provider", "responder", *TENANTS)
        self.board = Board(self.router, "noc-board", self.screen)

    def set_up_tenant(self, tenant, title):
        playbook, context = example(tenant)
        self.router.add_tenant(tenant, title)
        for role in ("editor", "responder", "viewer"):
            self.router.add_principal(f"{tenant}-{role}", "customer", role, tenant)
        self.router.add_principal(f"{tenant}-agent", "provider", "agent", tenant)
        version = self.router.import_context(tenant, context, f"{tenant}-editor")
        if tenant == "harbor-mfg":
            version = self.move_shift()
        made = self.router.activate_playbook(
            tenant, shortened(pointed_at(playbook, self.recorder)), f"{tenant}-editor")
        self.screen.note(f"{title}: playbook {made.digest[:8]} with {made.rule_count} rules, "
                         f"context version {version}")

    def next_shift(self):
        """The next full minute that leaves time for what comes before it."""
        now = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))
        start = (now + datetime.timedelta(seconds=85)).replace(second=0, microsecond=0)
        return start

    def move_shift(self):
        """Production of plant-7 begins at `self.shift` and lasts eight hours."""
        end = self.shift + datetime.timedelta(hours=8)
        name = f"tenants/harbor-mfg/entities/site/{PLANT}"
        with self.router.connect("harbor-mfg-editor") as editor:
            entity = editor.call(editor.context.GetEntity, context_pb2.GetEntityRequest(name=name))
            calendar = entity.calendars["production"]
            calendar.location = ZONE
            del calendar.intervals[:]
            calendar.intervals.add(times=[f"{self.shift:%H:%M}-{end:%H:%M}"])
            made = editor.call(editor.context.PutEntity, context_pb2.PutEntityRequest(
                entity=entity, update_mask={"paths": ["calendars"]},
                comment="the first shift begins later today"))
        return made.version

    # What the scenes do.

    def push(self, tenant, summary, fires=True, **labels):
        """Sends one alert, or its end, as the tenant's agent does."""
        key = tuple(sorted(labels.items()))
        alert = ingest.Alert(annotations=[common_pb2.Label(name="summary", value=summary)],
                             labels=[common_pb2.Label(name=n, value=v) for n, v in key])
        if not fires:
            alert.ends_at.CopyFrom(timestamp_pb2.Timestamp(seconds=int(time.time())))
        with self.router.connect(f"{tenant}-agent") as agent:
            receipt = agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(
                batch=ingest.AlertBatch(number=1, alerts=[alert]))).receipt
        if receipt.accepted != 1:
            raise AssertionError(f"the alert was refused: {receipt}")
        self.pushed[tenant][key] = fires

    def incident_with(self, tenant, **labels):
        """The newest incident of the tenant that holds an alert with these labels."""
        wanted = set(labels.items())

        def find():
            with self.router.connect("noc-board") as viewer:
                for incident in viewer.all_incidents(tenant):
                    for alert in viewer.all_alerts(incident.name):
                        if wanted <= {(label.name, label.value) for label in alert.labels}:
                            return incident
            return None
        return until(find, 20, f"an incident with {labels}")

    def explain(self, incident):
        with self.router.connect("noc-board") as viewer:
            return viewer.call(viewer.incidents.ExplainIncident,
                               incidents_pb2.ExplainIncidentRequest(name=incident.name))
