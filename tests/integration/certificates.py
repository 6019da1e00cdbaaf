"""An agent calls with its certificate alone; what is wrong with certificates is told before a start.

Promises: a certificate that grpc.tls.client_ca vouches for is a credential of the principal that its
SAN URI names; with the token of somebody else it is refused; --check-config names every wrong file.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments  # noqa: E402
from tandem_harness.api import (admin_pb2, admin_pb2_grpc, alert_ingest_pb2,  # noqa: E402
                                alert_ingest_pb2_grpc, common_pb2, grpc)
from tandem_harness.experiment import run  # noqa: E402
from tandem_harness.process import World, program  # noqa: E402


def openssl(folder, *argv):
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)


def authority(folder):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")


def identity(folder, name, san):
    """`name`.pem and `name`.key, signed by the authority."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def connect(folder, address, name=None):
    read = lambda file: (folder / file).read_bytes()  # noqa: E731
    pair = {"private_key": read(f"{name}.key"), "certificate_chain": read(f"{name}.pem")} \
        if name else {}
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(read("ca.pem"), **pair))


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


def check_config(config, *argv):
    return subprocess.run([program("tandemd"), "--check-config", "--config", config, *argv],
                          capture_output=True, text=True, check=False)


def code_of(call, *args, **kwargs):
    try:
        call(*args, timeout=10, **kwargs)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def add_agent(channel, token):
    """A tenant and principal agent-1; returns a token of another principal of its."""
    admin = admin_pb2_grpc.AdminStub(channel)
    call = lambda method, request: method(request, timeout=10, metadata=bearer(token))  # noqa: E731
    call(admin.CreateTenant, admin_pb2.CreateTenantRequest(
        tenant=admin_pb2.Tenant(name="tenants/plant", display_name="Plant")))
    for principal in ("agent-1", "agent-2"):
        call(admin.PutPrincipal, admin_pb2.PutPrincipalRequest(principal=admin_pb2.Principal(
            id=principal, display_name=principal, side=common_pb2.PROVIDER, role=admin_pb2.AGENT,
            tenants=["tenants/plant"])))
    return call(admin.CreateToken, admin_pb2.CreateTokenRequest(principal="agent-2")).secret


def main():
    options = arguments(__doc__)
    with World(options.keep) as world:
        folder = world.folder
        authority(folder)
        identity(folder, "server", "DNS:localhost,IP:127.0.0.1")
        identity(folder, "agent", "URI:tandem://principals/agent-1")
        config = folder / "tandemd.yaml"
        config.write_text("data_dir: data\ngrpc:\n  listen: 127.0.0.1:0\n  tls:\n"
                          "    cert: server.pem\n    key: server.key\n    client_ca: ca.pem\n"
                          "admin: {listen: 127.0.0.1:0}\n")
        found = check_config(config)
        assert found.returncode == 0 and "warning: " in found.stderr, found  # two days left
        found = check_config(config, "--grpc.tls.key", folder / "agent.key",
                             "--grpc.tls.client_ca", folder / "none.pem")
        assert found.returncode == 1 and len(
            [line for line in found.stderr.splitlines() if line.startswith("--grpc.tls.")]) == 2, found

        router = world.start("router", [program(options.router), "--config", config])
        address = world.wait_for_file(folder / "data" / "addresses.json", 60, router)["grpc"]
        with connect(folder, address) as plain, connect(folder, address, "agent") as by_certificate:
            other = add_agent(plain, (folder / "data" / "admin.token").read_text().strip())
            alerts = alert_ingest_pb2_grpc.AlertIngestStub(by_certificate)
            batch = alert_ingest_pb2.PushAlertsRequest(batch=alert_ingest_pb2.AlertBatch(
                number=1, alerts=[alert_ingest_pb2.Alert(
                    labels=[{"name": "alertname", "value": "Probe"}])]))
            whoami = admin_pb2_grpc.AdminStub(by_certificate).WhoAmI(admin_pb2.WhoAmIRequest(),
                                                                     timeout=10)
            assert whoami.principal.id == "agent-1", whoami
            assert code_of(alerts.PushAlerts, batch) == grpc.StatusCode.OK
            assert code_of(alerts.PushAlerts, batch, metadata=bearer(other)) \
                == grpc.StatusCode.PERMISSION_DENIED, "a token of another principal was taken"
            plain_alerts = alert_ingest_pb2_grpc.AlertIngestStub(plain)
            assert code_of(plain_alerts.PushAlerts, batch, metadata=bearer(other)) \
                == grpc.StatusCode.OK
            assert code_of(plain_alerts.PushAlerts, batch) == grpc.StatusCode.UNAUTHENTICATED
        assert router.stop() == 0, "the router did not end well"
        return "calls=5"


run("certificates", main)
