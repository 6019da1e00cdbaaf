"""A router with its tenants, people and playbooks, that can be killed and started again."""

import contextlib
import pathlib
import urllib.error
import urllib.request

from tandem_harness.api import (Connection, admin_pb2, common_pb2, context_pb2, grpc,
                                playbooks_pb2)
from tandem_harness.process import program
from tandem_harness.wait import until

SIDES = {"provider": common_pb2.PROVIDER, "customer": common_pb2.CUSTOMER}
ROLES = {"viewer": admin_pb2.VIEWER, "responder": admin_pb2.RESPONDER,
         "editor": admin_pb2.EDITOR, "admin": admin_pb2.ADMIN, "agent": admin_pb2.AGENT,
         "service": admin_pb2.SERVICE}


class Installation:
    """One tandemd with a data folder of its own. It keeps the port of its first start."""

    def __init__(self, world, name="router", binary="tandemd", arguments=(), environment=None,
                 data=None):
        self.world, self.name, self.binary = world, name, binary
        self.arguments, self.environment = list(arguments), dict(environment or {})
        self.data = pathlib.Path(data or world.folder / name)
        self.data.mkdir(parents=True, exist_ok=True)
        self.wrapper = []  # a program that the next start goes through, with its arguments
        self.process = None
        self.starts = 0
        self.addresses = {}
        self.tokens = {}

    # Starting and ending.

    def start(self, seconds=60):
        """Starts it and waits until it answers."""
        (self.data / "addresses.json").unlink(missing_ok=True)
        self.starts += 1
        self.process = self.world.start(
            self.name, [*self.wrapper, program(self.binary), "--data_dir", self.data,
                        "--grpc.listen", self.addresses.get("grpc", "127.0.0.1:0"),
                        "--admin.listen", "127.0.0.1:0",
                        *self.arguments], self.environment)
        self.addresses = self.world.wait_for_file(self.data / "addresses.json", seconds,
                                                  self.process)
        until(self.answers, seconds, f"an answer of {self.name}")
        return self

    def kill(self):
        self.process.kill()
        self.world.processes.remove(self.process)

    def restart(self, seconds=60):
        """SIGKILL and start."""
        self.kill()
        return self.start(seconds)

    def answers(self):
        """True when the router knows its own administrator."""
        self.process.must_live()
        with contextlib.suppress(grpc.RpcError), self.connect() as admin:
            admin.call(admin.admin.WhoAmI, admin_pb2.WhoAmIRequest(), 2)
            return True
        return False

    # Speaking to it.

    def admin_answer(self, path):
        """Status and text of a page of the admin port."""
        try:
            with urllib.request.urlopen(f"http://{self.addresses['admin']}{path}", timeout=10) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """The value of a metric without labels."""
        for line in self.admin_answer("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"there is no metric {name}")

    @property
    def address(self):
        return self.addresses["grpc"]

    @property
    def admin_token(self):
        return (self.data / "admin.token").read_text().strip()

    def connect(self, principal=None):
        """A connection as `principal`, or as the administrator."""
        return Connection(self.address, self.tokens[principal] if principal else self.admin_token)

    # Filling it.

    def add_tenant(self, tenant, display_name=""):
        with self.connect() as admin:
            admin.call(admin.admin.CreateTenant, admin_pb2.CreateTenantRequest(
                tenant=admin_pb2.Tenant(name=f"tenants/{tenant}",
                                        display_name=display_name or tenant)))

    def add_principal(self, principal, side, role, *tenants):
        """Creates a principal and keeps its token; returns the secret. Tenant `-`: all."""
        with self.connect() as admin:
            admin.call(admin.admin.PutPrincipal, admin_pb2.PutPrincipalRequest(
                principal=admin_pb2.Principal(
                    id=principal, display_name=principal, side=SIDES[side], role=ROLES[role],
                    tenants=[f"tenants/{tenant}" for tenant in tenants])))
            answer = admin.call(admin.admin.CreateToken,
                                admin_pb2.CreateTokenRequest(principal=principal))
        self.tokens[principal] = answer.secret
        return answer.secret

    def token_file(self, principal):
        """A file with the principal's token, readable by its owner alone."""
        path = self.world.folder / f"{principal}.token"
        path.touch(mode=0o600)
        path.write_text(self.tokens[principal] + "\n")
        return path

    def activate_playbook(self, tenant, source, principal):
        """Makes `source` the active playbook; its findings become the text of the error."""
        with self.connect(principal) as caller:
            return caller.call(
                caller.playbooks.ActivatePlaybook, playbooks_pb2.ActivatePlaybookRequest(
                    parent=f"tenants/{tenant}", source=source, comment="set up"), 60)

    def import_context(self, tenant, content, principal):
        """Imports entities from YAML and returns the context version."""
        with self.connect(principal) as caller:
            return caller.call(
                caller.context.ImportEntities, context_pb2.ImportEntitiesRequest(
                    parent=f"tenants/{tenant}", format=context_pb2.ImportEntitiesRequest.YAML,
                    content=content.encode(), comment="set up"), 60).version
