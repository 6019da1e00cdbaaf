"""The story that tools/demo tells: three customers of one provider, on this machine, in about a
minute.

Everything on the screen is real: tandemd with the playbooks and the context of deploy/examples,
agents that stream alerts, receivers that check signatures, the feed that a NOC board reads. Two
things are made shorter, and the screen says so: escalation times are divided by 60, and the plant's
shift is moved to begin at the next full minute. The last line is computed from what the agents, the
receivers and the board have in their own books.
"""

import argparse
import datetime
import re
import sys
import threading
import time
import zoneinfo

import yaml

from tandem_harness import World, books, until
from tandem_harness.agent import now
from tandem_harness.api import (alert_ingest_pb2 as ingest, common_pb2, context_pb2,
                                incidents_pb2)
from tandem_harness.board import Board, Screen
from tandem_harness.fixture import SECRET, router_arguments
from tandem_harness.installation import Installation
from tandem_harness.process import ROOT, build_folder
from tandem_harness.recorder import Recorder
from tandem_harness.storm_agent import StormAgent

TENANTS = {"harbor-mfg": "Harbor Manufacturing", "st-anna": "St. Anna Hospital",
           "meridian-bank": "Meridian Bank"}
QUICKER = 60
REPORT_AGAIN = 60  # seconds
PLANT, ZONE = "plant-7", "America/Chicago"


def example_folder(tenant):
    """The folder of deploy/examples whose playbook is the tenant's."""
    for file in sorted((ROOT / "deploy" / "examples").rglob("playbook.yaml")):
        if re.search(rf"^tenant:\s*{tenant}\s*$", file.read_text(), re.MULTILINE):
            return file.parent
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
        source = source.replace(f'"{contact["webhook"]["url"]}"', f'"{recorder.url(name)}"')
    return re.sub(r"\bsecret:\s*[\w-]+", "secret: hooks", source)


class Story:
    """The stage: router, receiver, agents, board. Scenes are methods, in their order."""

    def __init__(self, world, screen):
        self.world, self.screen = world, screen
        self.agents = []
        self.pushed = {tenant: {} for tenant in TENANTS}  # labels → summary while it fires

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
        self.board = Board(self.router, "noc-board", self.screen, in_story)

    def set_up_tenant(self, tenant, title):
        playbook, context = ((example_folder(tenant) / name).read_text()
                             for name in ("playbook.yaml", "context.yaml"))
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
        later = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)) + datetime.timedelta(seconds=85)
        return later.replace(second=0, microsecond=0)

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
            alert.ends_at.CopyFrom(now())
        with self.router.connect(f"{tenant}-agent") as agent:
            receipt = agent.call(agent.alerts.PushAlerts, ingest.PushAlertsRequest(
                batch=ingest.AlertBatch(number=1, alerts=[alert]))).receipt
        if receipt.accepted != 1:
            raise AssertionError(f"the alert was refused: {receipt}")
        self.pushed[tenant][key] = summary if fires else None

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

    # The scenes.

    def off_shift(self):
        zone = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))
        self.screen.title(f"1  {zone:%H:%M} in {ZONE}, before the shift: the MES of plant-7 stops")
        self.push("harbor-mfg", "MES does not answer", **MES)
        self.first = self.incident_with("harbor-mfg", **MES)
        self.told(self.first)
        self.because(self.first)
        self.push("harbor-mfg", "MES does not answer", fires=False, **MES)
        self.until_state(self.first, common_pb2.RESOLVED)

    def elsewhere(self):
        self.screen.title("2  At the same time at the hospital and at the bank")
        self.push("st-anna", "The server of the infusion pumps is down", **INFUSION)
        self.push("meridian-bank", "Core banking answers slowly", **BANKING)
        for tenant, labels in (("st-anna", INFUSION), ("meridian-bank", BANKING)):
            incident = self.incident_with(tenant, **labels)
            self.told(incident)
            self.because(incident)

    def storm(self):
        self.screen.title("3  A storm at all three, and the router is killed in the middle of it "
                          "(kill -9), twice")
        for seed, tenant in enumerate(TENANTS, 1):
            self.agents.append(StormAgent(
                self.world, self.router, tenant, f"agent-of-{tenant}", rate=60, seed=seed,
                context=example_folder(tenant) / "context.yaml").start())
        for _ in range(2):
            before = self.receipts()
            until(lambda: self.receipts() > before + 20, 30, "receipts in the storm")
            pid, started = self.router.process.pid, time.monotonic()
            self.router.restart()
            self.screen.note(f"killed process {pid}; {self.router.process.pid} answers after "
                             f"{1000 * (time.monotonic() - started):.0f} ms, with "
                             f"{self.receipts()} batches acknowledged so far")
        before = self.receipts()
        until(lambda: self.receipts() > before + 20, 30, "receipts after the kills")
        for agent in self.agents:
            agent.finish()
        self.screen.note(f"{sum(a.made for a in self.agents)} different alerts from "
                         f"{len(self.agents)} agents, each with its receipt; agents and board went "
                         "on behind the last thing they had")

    def in_shift(self):
        wait = self.until_shift()
        self.screen.title(f"4  {self.shift:%H:%M} in {ZONE}, the shift begins"
                          + (f" in {wait:.0f} s" if wait > 1 else "")
                          + ": the same alert, from the same machine")
        until(lambda: self.until_shift() <= 0, 120, "the shift")
        self.push("harbor-mfg", "MES does not answer", **MES)
        self.second = self.incident_with("harbor-mfg", **MES)
        self.told(self.second)
        self.because(self.second)
        with self.router.connect("harbor-mfg-responder") as responder:
            responder.call(responder.incidents.AcknowledgeIncident,
                           incidents_pb2.AcknowledgeIncidentRequest(
                               name=self.second.name, comment="Stopping line 3, then restart."))
        self.until_state(self.second, common_pb2.ACKNOWLEDGED)

    # What is shown of it.

    def until_shift(self):
        """Seconds."""
        return (self.shift - datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))).total_seconds()

    def receipts(self):
        return sum(len(agent.receipted) for agent in self.agents)

    def told(self, incident):
        until(lambda: incident.name in self.recorder.incidents(), 30,
              f"the page of {incident.name}")

    def until_state(self, incident, state):
        def reached():
            with self.router.connect("noc-board") as viewer:
                found = viewer.call(viewer.incidents.GetIncident,
                                    incidents_pb2.GetIncidentRequest(name=incident.name))
            return found.state == state
        until(reached, 30, f"{incident.name} to be {common_pb2.IncidentState.Name(state)}")

    def because(self, incident):
        with self.router.connect("noc-board") as viewer:
            why = viewer.call(viewer.incidents.ExplainIncident,
                              incidents_pb2.ExplainIncidentRequest(name=incident.name))
        self.screen.note(f"because: {why.reason}")
        for calendar in why.calendars:
            self.screen.note(f"         {calendar.calendar} is {'on' if calendar.on else 'off'} "
                             f"({calendar.local_time})")
        return why

    def summary(self):
        """The last line, computed from the books. Returns (line, sound)."""
        accepted = routed = doubled = 0
        for tenant in TENANTS:
            sent = self.sent(tenant)
            accepted += len(sent)
            routed += self.seen_on_board(tenant, sent)
            doubled += len(books.doubled_groups(self.router, tenant)[0])
        untold = self.untold()
        calls, deliveries = books.pages_are_sound(self.recorder)
        lost = accepted - routed + untold
        self.screen.note(f"{calls} webhook calls for {deliveries} deliveries about "
                         f"{len(self.recorder.incidents())} incidents, every signature valid; the "
                         f"board saw {self.board.events} events")
        return (f"demo: accepted={accepted} routed={routed} delivered={deliveries} lost={lost} "
                f"duplicate_incidents={doubled}", lost == 0 and doubled == 0)

    def sent(self, tenant):
        """The labels of every alert that has a receipt, by the senders' books."""
        agents = [agent for agent in self.agents if agent.tenant == tenant]
        return set(self.pushed[tenant]).union(*(a.firing | a.ended for a in agents))

    def seen_on_board(self, tenant, sent):
        """How many of these alerts the board was told by the feed, once it has caught up."""
        try:
            until(lambda: sent <= self.board.alerts[tenant], 60, "the board to catch up")
        except TimeoutError:
            left = sorted(sent - self.board.alerts[tenant])
            self.screen.line(f"{tenant}: {len(left)} alerts never came to the board, such as "
                             f"{dict(left[0])}")
        return len(sent & self.board.alerts[tenant])

    def untold(self):
        """How many incidents of the story no receiver was told of, those included that are over by
        now."""
        names = set(self.board.incidents)
        with self.router.connect("noc-board") as viewer:
            for tenant in TENANTS:
                names |= {incident.name for incident in viewer.all_incidents(tenant)}
        try:
            books.every_incident_was_told(self.recorder, names)
        except books.Broken as broken:
            self.screen.line(str(broken))
        return len(names - self.recorder.incidents().keys())

    # What comes after it.

    def open_incident(self):
        """One that nobody has taken over, if there is any; best one that the scenes were about."""
        with self.router.connect("noc-board") as viewer:
            waiting = [incident for tenant in TENANTS
                       for incident in viewer.all_incidents(tenant, "state=open")]
        return min(waiting, key=lambda i: not in_story(i), default=None)

    def report_again(self):
        """What still fires, as its agents do: the router would end it when its resolve timeout is
        over."""
        for tenant, alerts in self.pushed.items():
            for labels, summary in list(alerts.items()):
                if summary:
                    self.push(tenant, summary, **dict(labels))

MES = {"alertname": "MesDown", "site": PLANT, "service": "mes", "severity": "critical"}
INFUSION = {"alertname": "InfusionServerDown", "site": "main-house", "service": "infusion-server",
            "severity": "critical"}
BANKING = {"alertname": "LatencyHigh", "site": "dc-north", "service": "core-banking",
           "severity": "major"}
TITLES = {"MES does not answer", "The server of the infusion pumps is down",
          "Core banking answers slowly"}


def in_story(incident):
    """True for what the scenes are about; the storm is only counted."""
    return incident.title in TITLES


def try_next(story, screen):
    """What a newcomer may do while everything runs on."""
    tokens = {name: story.router.token_file(name) for name in ("noc-operator",)}
    tandem = f"{build_folder() / 'bin' / 'tandem'}"
    screen.title("Everything runs on. Try in another terminal:")
    screen.line(f"  export TANDEM_ADDRESS={story.router.address} "
                f"TANDEM_TOKEN_FILE={tokens['noc-operator']}")
    commands = [("incident list -T -", "what is open at all three customers"),
                (f"incident show {story.second.name}", "one incident with its timeline"),
                (f"explain {story.second.name}", "why it went where it went"),
                ("feed -T -", "watch what happens, live")]
    waiting = story.open_incident()
    if waiting:
        commands.insert(1, (f"incident ack {waiting.name}",
                            "take one over (the escalation rests)"))
    for command, what in commands:
        screen.line(f"  {tandem} {command:<58} # {what}")
    screen.line("  Ctrl-C ends it all.")


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    options = parser.parse_args()
    screen = Screen()
    screen.title("Tandem: one provider, three customers, one router")
    with World(options.keep) as world:
        story = Story(world, screen)
        story.set_up()
        screen.note(f"Shortened here: escalation times divided by {QUICKER}; the shift of {PLANT} "
                    f"begins at {story.shift:%H:%M} {ZONE}.")
        story.off_shift()
        story.elsewhere()
        story.storm()
        story.in_shift()
        screen.title("5  The books")
        line, sound = story.summary()
        screen.line(screen.paint("1;32" if sound else "1;31", line))
        if not options.once:
            try_next(story, screen)
            try:
                while not threading.Event().wait(REPORT_AGAIN):
                    story.report_again()
            except KeyboardInterrupt:
                screen.line()
        story.board.close()
        story.router.process.stop()
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
