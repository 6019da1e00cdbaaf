"""A tenant to break things with: two sides, a team each, a rule for each of them, a site."""

PLAYBOOK = """\
playbook: 1
tenant: {tenant}
defaults:
  group_by: [site, service]
  group_wait: 0s
  resolve_wait: 1s
contacts:
  noc-primary: {{side: provider, webhook: {{url: "{url}noc", secret: hooks}}}}
  plant-it-oncall: {{side: customer, webhook: {{url: "{url}plant-it", secret: hooks}}}}
teams:
  noc: {{side: provider, contacts: [noc-primary]}}
  plant-it: {{side: customer, contacts: [plant-it-oncall]}}
escalations:
  provider-first:
    steps:
      - {{after: 0s, notify: [noc]}}
      - {{after: 1h, notify: [plant-it]}}
  customer-first:
    steps:
      - {{after: 0s, notify: [plant-it]}}
      - {{after: 1h, notify: [noc]}}
rules:
  - name: critical-in-a-factory
    match: ['severity="critical"', 'site.kind="factory"']
    owner: plant-it
    handling: needs_decision
    escalation: customer-first
    if_missing: skip
    reason: "What stops a factory is decided by the factory."
  - name: everything-else
    owner: noc
    handling: autonomous
    escalation: provider-first
    reason: "The NOC sees to the rest."
"""

CONTEXT = """\
entities:
  - kind: site
    id: plant-7
    name: Plant 7
    attributes: {kind: factory}
"""

# What the receiver checks the signatures with.
SECRET = "whsec_dGFuZGVtLWV4cGVyaW1lbnQtc2VjcmV0LTI0Kw=="


def playbook(tenant, receiver):
    """The playbook's text, with both contacts at `receiver`."""
    return PLAYBOOK.format(tenant=tenant, url=receiver.url())


def router_arguments(world):
    """The flags of a router that may call receivers on this machine and signs what it sends."""
    secret = world.folder / "hooks.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    return ["--notifier.allow_private_addresses=true", "--notifier.allow_http=true",
            "--notifier.secrets", f"*/hooks={secret}", "--log.format", "json"]


def set_up_people(installation, tenant):
    """Creates the tenant with its principals: `{tenant}-editor` (provider), `{tenant}-responder`
    and `{tenant}-viewer` (customer), `{tenant}-agent`."""
    installation.add_tenant(tenant)
    installation.add_principal(f"{tenant}-editor", "provider", "editor", tenant)
    installation.add_principal(f"{tenant}-responder", "customer", "responder", tenant)
    installation.add_principal(f"{tenant}-viewer", "customer", "viewer", tenant)
    installation.add_principal(f"{tenant}-agent", "provider", "agent", tenant)


def set_up_tenant(installation, tenant, receiver):
    """Creates the tenant with people, context and playbook."""
    set_up_people(installation, tenant)
    installation.import_context(tenant, CONTEXT, f"{tenant}-editor")
    installation.activate_playbook(tenant, playbook(tenant, receiver), f"{tenant}-editor")
