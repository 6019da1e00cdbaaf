"""Compares what agents and receivers have in their books with what the router has in its own."""

import collections
import sqlite3
import subprocess

from tandem_harness.agent import labels_of
from tandem_harness.api import common_pb2
from tandem_harness.process import program
from tandem_harness.receiver import told_by
from tandem_harness.wait import until

from tandem.journal.v1 import journal_pb2  # after api: it makes the stubs known


class Broken(AssertionError):
    """A promise that did not hold."""


def journal_path(installation):
    """The journal's database."""
    return installation.data / "router" / "journal.db"


def journal_records(installation, tenant):
    """Every Record of the tenant, oldest first, read past the router. The file's layout stands in
    router/journal/FORMAT.md."""
    path = journal_path(installation)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        (key,) = database.execute("SELECT id FROM tenants WHERE name = ?", (tenant,)).fetchone()
        for (body,) in database.execute("SELECT body FROM records WHERE id BETWEEN ? AND ? "
                                        "ORDER BY id", (key << 40, ((key + 1) << 40) - 1)):
            yield journal_pb2.Record.FromString(body)


def journal_events(installation, tenant):
    """(sequence, incident's number) of every event of the tenant, in order, read past the router."""
    with sqlite3.connect(f"file:{journal_path(installation)}?mode=ro", uri=True) as database:
        (key,) = database.execute("SELECT id FROM tenants WHERE name = ?", (tenant,)).fetchone()
        return [(record - (key << 40), incident - (key << 40)) for record, incident in database.execute(
            "SELECT record, incident FROM events WHERE record BETWEEN ? AND ? "
            "ORDER BY record, incident", (key << 40, ((key + 1) << 40) - 1))]


def own_name(client_id):
    """The client id as its agent knows it: the journal puts the agent's principal before it."""
    return client_id.split("/", 1)[1]


def journal_numbers(installation, tenant):
    """client id → the numbers of its batches that are in the journal, and the highest that a
    ClientAdvanced fact names."""
    numbers, highest = collections.defaultdict(set), collections.Counter()
    for record in journal_records(installation, tenant):
        for source in (record.alert_batch, record.alert_repeat):
            if source.client_id:
                numbers[own_name(source.client_id)].add(source.number)
        for fact in record.facts:
            if fact.WhichOneof("fact") == "client_advanced":
                client = fact.client_advanced
                name = own_name(client.client_id)
                highest[name] = max(highest[name], client.number)
    return numbers, highest


def receipts_are_in_the_journal(installation, tenant, agents):
    """Every receipt that an agent has stands in the journal. Returns the number of receipts."""
    numbers, highest = journal_numbers(installation, tenant)
    total = 0
    for agent in agents:
        missing = [n for n in agent.receipted if n not in numbers[agent.client_id]]
        if missing:
            raise Broken(f"{agent.name}: {len(missing)} of {len(agent.receipted)} batches have a "
                         f"receipt and are not in the journal, the first is {missing[0]}; the "
                         f"journal's highest is {highest[agent.client_id]}")
        total += len(agent.receipted)
    return total


def incidents_of_alerts(connection, tenant):
    """labels → names of the open incidents in which the alert fires."""
    where = collections.defaultdict(list)
    for incident in connection.all_incidents(tenant, "state=open|acknowledged"):
        for alert in connection.all_alerts(incident.name):
            if alert.state == common_pb2.FIRING:
                where[labels_of(alert)].append(incident.name)
    return where


def every_alert_is_in_one_incident(installation, tenant, agents):
    """Every alert that fires is in exactly one open incident, and no other. Returns how many."""
    with installation.connect(f"{tenant}-viewer") as viewer:
        where = incidents_of_alerts(viewer, tenant)
    firing = {labels for agent in agents for labels in agent.firing}
    lost = [labels for labels in firing if not where.get(labels)]
    twice = [labels for labels, names in where.items() if len(names) > 1]
    ended = {labels for agent in agents for labels in agent.ended}
    strangers = [labels for labels in where if labels in ended and labels not in firing]
    if lost:
        raise Broken(f"{len(lost)} of {len(firing)} firing alerts are in no open incident: "
                     f"{dict(lost[0])}")
    if twice:
        raise Broken(f"{len(twice)} alerts are in more than one open incident: {dict(twice[0])} in "
                     f"{where[twice[0]]}")
    if strangers:
        raise Broken(f"{len(strangers)} alerts fire that have ended: {dict(strangers[0])}")
    return len(firing)


def doubled_groups(installation, tenant):
    """Lists of open incidents that share rule and group, and the number of open incidents."""
    with installation.connect(f"{tenant}-viewer") as viewer:
        incidents = viewer.all_incidents(tenant, "state=open|acknowledged")
    seen = collections.defaultdict(list)
    for incident in incidents:
        group = tuple(sorted((label.name, label.value) for label in incident.group_labels))
        seen[incident.rule, group].append(incident.name)
    return [names for names in seen.values() if len(names) > 1], len(incidents)


def groups_have_one_open_incident(installation, tenant):
    """No two open incidents share rule and group. Returns the number of open incidents."""
    doubles, total = doubled_groups(installation, tenant)
    if doubles:
        raise Broken(f"{len(doubles)} groups have several open incidents: {doubles[0]}")
    return total


def every_open_incident_was_told(installation, tenant, receiver, seconds=60):
    """The first page of every open incident arrives. Returns the number of open incidents."""
    with installation.connect(f"{tenant}-viewer") as viewer:
        def missing():
            told = receiver.incidents()
            return [i.name for i in viewer.all_incidents(tenant, "state=open|acknowledged")
                    if i.name not in told]
        try:
            until(lambda: not missing(), seconds, "the pages of all open incidents", every=0.2)
        except TimeoutError:
            left = missing()
            raise Broken(f"{len(left)} open incidents were told to nobody within {seconds} s: "
                         f"{left[:3]}") from None
        return len(viewer.all_incidents(tenant, "state=open|acknowledged"))


def every_incident_was_told(receiver, names, seconds=60):
    """A page of each of these incidents arrives, whatever has become of it since. Returns how many
    they are."""
    def missing():
        return sorted(set(names) - receiver.incidents().keys())
    try:
        until(lambda: not missing(), seconds, "the pages of all incidents", every=0.2)
    except TimeoutError:
        left = missing()
        raise Broken(f"{len(left)} of {len(names)} incidents were told to nobody within "
                     f"{seconds} s: {left[:3]}") from None
    return len(names)


def pages_are_sound(receiver):
    """Each call is signed; calls with one id have one body, and what is told has one id however
    often it is told. Returns (calls, distinct ids)."""
    bodies, ids = {}, {}
    for call in list(receiver.calls):
        if call.signed is False:
            raise Broken(f"the call {call.delivery} is not signed with our secret")
        first = bodies.setdefault(call.delivery, call.body)
        if first != call.body:
            raise Broken(f"the delivery {call.delivery} was sent with two bodies:\n"
                         f"  {first.decode()}\n  {call.body.decode()}")
        known = ids.setdefault(told_by(call), call.delivery)
        if known != call.delivery:
            raise Broken(f"the same was told as {known} and as {call.delivery}: "
                         f"{call.body.decode()}")
    return len(receiver.calls), len(bodies)


def journal_verifies(installation):
    """`tandem journal verify` finds every record sound."""
    run = subprocess.run([program("tandem"), "journal", "verify", journal_path(installation)],
                         capture_output=True, text=True, timeout=300, check=False)
    if run.returncode != 0:
        raise Broken(f"tandem journal verify ended with {run.returncode}:\n{run.stdout}"
                     f"{run.stderr}")
    return run.stdout.strip().splitlines()[-1] if run.stdout.strip() else ""
