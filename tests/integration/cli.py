"""The command line as people use it, against a real router: every command, its JSON, its exit codes.

Promises: 0 done, 1 refused or a finding, 2 wrong usage, 3 nobody answers; what --json prints is JSON;
colour only on a terminal; an error says what was wrong and what to do; TLS with a client certificate
works, and a certificate that nobody vouches for is called by its name.
"""

import json
import os
import pathlib
import pty
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import World, arguments  # noqa: E402
from tandem_harness.experiment import TENANT, run  # noqa: E402
from tandem_harness.fixture import (CONTEXT, SECRET, playbook, router_arguments,  # noqa: E402
                                    set_up_tenant)
from tandem_harness.installation import Installation  # noqa: E402
from tandem_harness.process import free_port, program  # noqa: E402
from tandem_harness.receiver import Receiver  # noqa: E402

PATIENCE = 60  # seconds, for one command
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Cli:
    """`tandem` with an address and a token; runs in a folder without a data folder of its own."""

    def __init__(self, folder, address, token_file=None, *options):
        self.folder, self.options, self.runs = folder, list(options), 0
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("TANDEM_") and key != "NO_COLOR"}
        self.environment |= {"TANDEM_ADDRESS": address, "TZ": "UTC"}
        if token_file:
            self.environment["TANDEM_TOKEN_FILE"] = str(token_file)

    def __call__(self, *arguments, code=DONE, says="", stdin="", **environment):
        """Runs it; the exit code must be `code`, and `says` must stand in what it prints."""
        argv = [str(program("tandem")), *self.options, *map(str, arguments)]
        ended = subprocess.run(argv, input=stdin, capture_output=True, text=True, cwd=self.folder,
                               env=self.environment | environment, timeout=PATIENCE, check=False)
        self.runs += 1
        told = f"{' '.join(argv[1:])}: exit code {ended.returncode}\n{ended.stdout}{ended.stderr}"
        expect(ended.returncode == code, f"expected exit code {code}: {told}")
        expect(says in ended.stdout + ended.stderr, f"expected \"{says}\": {told}")
        expect("\x1b" not in ended.stdout + ended.stderr, f"colour in a pipe: {told}")
        expect("ssl_transport" not in ended.stderr, f"a library's log: {told}")
        if code == DONE:
            expect(ended.stdout, f"says nothing: {told}")
        else:
            expect(ended.stderr or ended.stdout, f"says nothing: {told}")
        return ended.stdout

    def runs_well(self, *arguments):
        """Whether `tandem whoami` gets an answer."""
        return subprocess.run([str(program("tandem")), "whoami", *map(str, arguments)],
                              capture_output=True, cwd=self.folder, env=self.environment,
                              timeout=PATIENCE, check=False).returncode == DONE

    def json(self, *arguments, code=DONE, stdin=""):
        """Runs it with --json and returns what it printed, read."""
        text = self(*arguments, "--json", code=code, stdin=stdin)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise AssertionError(f"{arguments}: no JSON: {error}: {text}") from None

    def both(self, *arguments, says=""):
        """Runs it for people and for programs; returns what the programs get."""
        self(*arguments, says=says)
        return self.json(*arguments)

    def on_terminal(self, *arguments, **environment):
        """What it prints to a terminal of 100 columns."""
        screen, terminal = pty.openpty()
        ended = subprocess.Popen([str(program("tandem")), *self.options, *arguments],
                                 stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
                                 cwd=self.folder,
                                 env=self.environment | {"TERM": "xterm"} | environment)
        os.close(terminal)
        text = b""
        while True:
            try:
                part = os.read(screen, 65536)
            except OSError:  # the other end is closed
                part = b""
            if not part:
                break
            text += part
        os.close(screen)
        self.runs += 1
        expect(ended.wait(PATIENCE) == DONE, f"{arguments} on a terminal: {text!r}")
        return text.decode()


def every_command(tree_of, path=()):
    """Every command with the words that lead to it, found by reading the help of each."""
    text = tree_of(*path, "--help", says=f"Usage: {' '.join(('tandem', *path))}")
    yield path
    if "Subcommands:" not in text:
        return
    for line in text.split("Subcommands:")[1].splitlines():
        if line.startswith("  ") and line[2:3].strip():
            yield from every_command(tree_of, (*path, line.split()[0]))


def try_help(cli):
    commands = list(every_command(cli))
    expect(len(commands) > 35, f"only these commands have help: {commands}")
    cli("--help-all", says="Write the history of --tenant")
    cli("--version", says="tandem ")
    expect(cli.json("version")["version"], "no version")
    for shell in ("bash", "zsh", "fish"):
        script = cli("completion", shell)
        for path in commands:
            expect(not path or path[-1] in script, f"completion {shell} does not know {path}")
    bash = subprocess.run(["bash", "-n"], input=cli("completion", "bash"), text=True, check=False,
                          capture_output=True, timeout=PATIENCE)
    expect(bash.returncode == 0, f"bash does not read its completion: {bash.stderr}")
    return len(commands)


def try_usage(cli):
    cli(code=USAGE, says="`tandem` needs a command behind it: alert, incident")
    cli("incident", code=USAGE, says="`tandem incident` needs a command behind it: list")
    cli("incident", "lst", code=USAGE, says="did you mean list?")
    cli("incident", "list", "--stat", "open", code=USAGE, says="did you mean --state?")
    cli("incident", "list", "--state", "opne", code=USAGE, says="did you mean open?")
    cli("incident", "show", "twelve", code=USAGE, says="is not an incident")
    cli("alert", "send", code=USAGE, says="--label is required")
    cli("alert", "send", "--lable", "a=b", code=USAGE, says="did you mean --label?")
    cli("incident", "lst", "--help", code=USAGE, says="did you mean list?")
    cli("feed", "--cursor", "", code=USAGE, says="--cursor")
    cli("alert", "stream", "--batch", "513", code=USAGE, says="1 to 512")
    cli("completion", "tcsh", code=USAGE, says="tcsh")
    cli("whoami", "--timeout", "0s", code=USAGE, says="--timeout")
    cli("whoami", "--address", "router", code=USAGE, says="expected HOST:PORT")
    cli("whoami", "--ca", "no-such-file", code=USAGE, says="--ca")
    cli("admin", "tenant", "create", "Bad Name", code=USAGE, says="is not a tenant")
    cli("admin", "principal", "put", "x", "--side", "both", "--role", "viewer", code=USAGE,
        says="provider")
    failure = json.loads(subprocess.run(
        [str(program("tandem")), "incident", "lst", "--json"], capture_output=True, text=True,
        check=False, timeout=PATIENCE).stderr or "{}")
    expect(failure.get("message"), "an error with --json is no JSON")


def try_unreachable(cli):
    nobody = f"127.0.0.1:{free_port()}"
    for command in (["whoami"], ["incident", "list"], ["feed"], ["health"], ["context", "list"],
                    ["alert", "send", "-l", "alertname=Lost"]):
        cli(*command, "--address", nobody, code=UNREACHABLE, says="Connection refused")
    cli("doctor", "--address", nobody, code=REFUSED, says="✗ address")
    cli("whoami", "--address", "no.such.host.invalid:1", "--plaintext", code=UNREACHABLE,
        says="no router answers at no.such.host.invalid:1")


def try_admin(admin, folder):
    admin("admin", "tenant", "create", "acme", "--display-name", "Acme", says="tenant acme created")
    admin("admin", "tenant", "create", "acme", code=REFUSED, says="TENANT_EXISTS")
    tenants = admin.both("admin", "tenant", "list", says="Acme")["tenants"]
    expect([t["name"] for t in tenants] == ["tenants/acme", f"tenants/{TENANT}"], tenants)
    put = admin.json("admin", "principal", "put", "ana", "--side", "customer", "--role",
                     "responder", "--member", "acme")
    expect(put["tenants"] == ["tenants/acme"], put)
    listed = admin.both("admin", "principal", "list", says="responder")["principals"]
    expect(any(p["id"] == "ana" for p in listed), listed)
    admin("admin", "token", "create", "nobody", code=REFUSED, says="PRINCIPAL_NOT_FOUND")
    secret = admin("admin", "token", "create", "ana", "--expires-in", "9d").strip()
    path = folder / "ana.token"
    path.write_text(secret)
    ana = Cli(folder, admin.environment["TANDEM_ADDRESS"], path)
    ana("whoami", says="tandem admin token create ana")  # it ends in less than 14 days
    me = ana.json("whoami")
    expect(me["principal"]["id"] == "ana" and me["tokenExpireTime"], me)
    ana("doctor", says="! token")
    ana("admin", "tenant", "list", code=REFUSED, says="ROLE_INSUFFICIENT")
    ana("incident", "list", says="No incidents")
    tokens = admin.both("admin", "token", "list", "--principal", "ana", says="ana")["tokens"]
    expect([t["id"] for t in tokens] == [me["tokenId"]], tokens)
    admin("admin", "token", "revoke", me["tokenId"], says=me["tokenId"])
    admin("admin", "token", "revoke", me["tokenId"], code=REFUSED, says="TOKEN_NOT_FOUND")
    ana("whoami", code=REFUSED, says="TOKEN_INVALID")
    nobody = Cli(folder, admin.environment["TANDEM_ADDRESS"])
    nobody("whoami", code=REFUSED, says="--token-file")
    nobody("health", says="SERVING")


def try_playbook(editor, folder, source):
    good, bad, large = folder / "good.yaml", folder / "bad.yaml", folder / "large.yaml"
    good.write_text(source + "# second\n")
    bad.write_text(source.replace("owner: noc", "owner: nok"))
    large.write_text(source + "#" * (3 << 20))
    expect(editor.both("playbook", "check", good, says="valid, 2 rules")["valid"], "is valid")
    editor("playbook", "check", bad, code=REFUSED, says="did you mean \"noc\"?")
    expect(not editor.json("playbook", "check", bad, code=REFUSED)["valid"], "is not valid")
    editor("playbook", "check", large, code=REFUSED, says="3145728 (3 MiB)")
    editor("playbook", "activate", large, "-m", "x", code=USAGE, says="PLAYBOOK_TOO_LARGE")
    editor("playbook", "check", "no-such.yaml", code=REFUSED, says="No such file")
    editor("playbook", "activate", good, code=USAGE, says="--message is required")
    editor("playbook", "activate", bad, "-m", "no", code=REFUSED, says="bad.yaml:")
    editor("playbook", "activate", good, "-m", "dry", "--check", says="would be active")
    answer = editor.json("playbook", "activate", good, "-m", "second")
    expect(answer["active"] and answer["ruleCount"] == 2, answer)
    expect(editor("playbook", "show") == good.read_text(), "the source came back altered")
    listed = editor.both("playbook", "list", says="second")["playbooks"]
    expect([p.get("active", False) for p in listed] == [True, False], listed)
    first = editor.json("playbook", "show", listed[1]["digest"])
    expect(first["source"] == source, "an older version is another text")
    expect(editor("playbook", "show", listed[1]["digest"][:8]) == source, "by its first digits")
    editor("playbook", "show", "0" * 64, code=REFUSED, says="PLAYBOOK_NOT_FOUND")
    editor("playbook", "show", "12", code=USAGE, says="64 hexadecimal")


def try_context(editor, folder):
    csv, wrong = folder / "more.csv", folder / "wrong.csv"
    csv.write_text("kind,id,name,tier\nsite,plant-8,Plant 8,1\nsite,plant-9,Plant 9,2\n")
    wrong.write_text("kind,id,name\nsiet,plant-8,Plant 8\n")
    editor("context", "import", csv, "--check", says="2 created")
    near = folder / "near.csv"
    near.write_text("kind,id,critcality\nsite,plant-8,high\n")
    editor("context", "import", near, "--check", says="did you mean \"criticality\"?")
    editor("context", "import", wrong, code=REFUSED, says="column \"kind\"")
    expect(editor.json("context", "import", csv, "-m", "more")["created"] == 2, "two sites")
    editor("context", "import", "-", "--format", "yaml", stdin=CONTEXT, says="1 unchanged")
    editor("context", "put", "device/plc-1", "--attribute", "kind=plc", "--relation",
           "runs_at=site/plant-8", "-m", "found", says="device/plc-1")
    editor("context", "put", "device/plc-1", "--attribute", "kind=", "--attribute", "tier=2")
    plc = editor.both("context", "get", "device/plc-1", says="tier = 2")
    expect(plc["attributes"] == {"tier": "2"} and len(plc["relations"]) == 1, plc)
    old = editor.json("context", "get", "device/plc-1", "--version", str(int(plc["version"]) - 1))
    expect(old["attributes"] == {"kind": "plc"}, old)
    listed = editor.both("context", "list", "--kind", "site", says="plant-9")["entities"]
    expect(len(listed) == 3, listed)
    editor("context", "get", "site/nowhere", code=REFUSED, says="ENTITY_NOT_FOUND")
    editor("context", "get", "nowhere", code=USAGE, says="is not an entity")
    editor("context", "put", "device/plc-2", "--relation", "runs_at=site/plant-77",
           says="warning: device/plc-2: relations[0].target: runs_at site/plant-77")
    for form in ("yaml", "json"):
        text = editor("context", "export", "--format", form)
        editor("context", "import", "-", "--format", form, stdin=text,
               says="0 created, 0 updated, ")
        expect(editor("context", "export", "--format", form) == text, f"{form} comes back altered")
    editor("context", "import", "-", "--format", "yaml", "--check", stdin=text,
           says="site/plant-77: there is no such entity")
    table = editor("context", "export", "--format", "csv")
    editor("context", "import", "-", "--format", "csv", stdin=table, says="0 created, 0 updated, ")
    editor("context", "delete", "site/plant-8", "-m", "sold",
           says="warning: device/plc-1: relations[0].target: runs_at site/plant-8")
    editor("context", "delete", "device/plc-2", "-m", "gone", says="deleted")
    editor("context", "delete", "device/plc-1", "-m", "gone", says="deleted")
    history = editor.both("context", "history", "device/plc-1", says="gone")["revisions"]
    expect([r["comment"] for r in history] == ["gone", "", "found"], history)
    expect(len(editor.json("context", "history", "--limit", "2")["revisions"]) == 2, "limit")


def try_incidents(editor):
    editor("alert", "send", "-l", "alertname=Down", "-l", "site=plant-7", "-l", "service=mes",
           "-l", "severity=critical", "-a", "summary=MES stands", says="durable")
    receipt = editor.json("alert", "send", "-l", "alertname=Slow", "-l", "service=erp")
    expect(receipt["receipt"]["accepted"] == 1, receipt)
    editor("alert", "send", "-l", "1bad=x", code=REFUSED, says="LABEL_NAME_INVALID")
    lines = "".join(json.dumps({"labels": {"alertname": "Many", "service": f"s{n}"}}) + "\n"
                    for n in range(20))
    editor("alert", "stream", "--batch", "7", stdin=lines, says="20 accepted")
    editor("alert", "stream", stdin=lines + "rubbish\n", code=REFUSED, says="line 21")
    expect(editor.json("alert", "stream", stdin=lines)["accepted"] == 20, "20 repeats")
    listed = editor.both("incident", "list", says="MES stands")["incidents"]
    expect(len(listed) == 22, f"{len(listed)} incidents")
    editor("incident", "list", "--severity", "critical", "--side", "customer", says="MES stands")
    expect(len(editor.json("incident", "list", "--label", "service=erp")["incidents"]) == 1, "erp")
    editor("incident", "list", "--filter", "statte=open", code=USAGE, says="did you mean \"state\"")
    page = editor.both("incident", "show", "1", says="MES stands")
    expect(page["incident"]["name"] == f"tenants/{TENANT}/incidents/1" and page["alerts"], page)
    editor("incident", "ack", "1", "-m", "mine", "--for", "30m", says="acknowledged")
    editor("incident", "ack", "1", "--for", "5h", says="the rule allows at most 1h")
    editor("incident", "note", f"{TENANT}/1", "-m", "look at the fan", says="acknowledged")
    editor("incident", "note", "1", code=USAGE, says="--message is required")
    editor("incident", "reopen", "1", code=REFUSED, says="INCIDENT_STATE")
    expect(editor.json("incident", "resolve", "1")["state"] == "RESOLVED", "resolved")
    editor("incident", "reopen", f"tenants/{TENANT}/incidents/1", says="open")
    why = editor.both("incident", "explain", "1", says="critical-in-a-factory")
    expect(why["verified"] and "contextUnheardSince" not in why, why)
    editor("explain", "2", says="everything-else")
    for absent in ("999", "nobody/1"):
        editor("incident", "show", absent, code=REFUSED, says="NOT_FOUND")
    editor("incident", "show", "1", "-T", "-", code=USAGE, says="of which tenant")


def try_feed(editor):
    editor("feed", "--from-beginning", "--count", "2", says="MES stands")
    lines = editor("feed", "--from-beginning", "--count", "8", "--json").splitlines()
    events = [json.loads(line) for line in lines]
    expect(len(events) == 8 and all(e["cursor"] for e in events), "8 events with cursors")
    rest = editor("feed", "--cursor", events[2]["cursor"], "--count", "5", "--json").splitlines()
    expect([json.loads(line)["cursor"] for line in rest] == [e["cursor"] for e in events[3:]],
           "resuming behind an event gives the next one")
    editor("feed", "--cursor", "rubbish", code=USAGE, says="CURSOR_INVALID")
    editor("feed", "--severity", "critical", "--from-beginning", "--count", "1", says="critical")


def try_colour(editor):
    expect("\x1b[" in editor.on_terminal("incident", "list"), "no colour on a terminal")
    for plain in ({"arguments": ["--no-color"]}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        extra = plain.pop("arguments", [])
        text = editor.on_terminal("incident", "list", *extra, **plain)
        expect("\x1b[" not in text and "MES stands" in text, f"colour in spite of {plain or extra}")


def try_journal(cli, data, folder):
    for path in (data, data / "router", data / "router" / "journal.db"):
        cli("journal", "verify", path, says=TENANT)
    cli.json("journal", "verify", data)
    cli("journal", "verify", folder, code=REFUSED, says="journal.db")
    export = folder / "history.export"
    cli("journal", "export", data, "--out", export, code=USAGE, says="--tenant")
    cli("journal", "export", data, "-T", TENANT, "--out", export, says="exported")
    cli("journal", "verify", export, says="verified")
    cli.json("journal", "verify", export)
    altered = bytearray(export.read_bytes())
    altered[len(altered) // 2] ^= 1
    export.write_bytes(altered)
    cli("journal", "verify", export, code=REFUSED, says="DATA_LOSS")


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True,
                   timeout=PATIENCE)


def make_authority(folder, name):
    """A certificate authority of its own: {name}.pem and {name}.key."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_certificate(folder, name, authority, usage):
    """{name}.pem and {name}.key for 127.0.0.1, signed by the authority."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text(
        f"subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage={usage}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
            f"{authority}.key", "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext", "-out",
            f"{name}.pem")
    (folder / f"{name}.key").chmod(0o600)


def try_tls(world):
    folder = world.folder / "tls"
    folder.mkdir()
    for authority in ("trusted", "foreign"):
        make_authority(folder, authority)
    make_certificate(folder, "server", "trusted", "serverAuth")
    make_certificate(folder, "client", "trusted", "clientAuth")
    make_certificate(folder, "stranger", "foreign", "clientAuth")
    router = Installation(world, "tls-router", arguments=[
        *router_arguments(world), "--grpc.tls.cert", folder / "server.pem", "--grpc.tls.key",
        folder / "server.key", "--grpc.tls.client_ca", folder / "trusted.pem",
        "--grpc.tls.require_client_cert=true", "--roles", "router,context,notifier"])
    identity = ["--cert", folder / "client.pem", "--key", folder / "client.key"]

    # The harness speaks no TLS; the command line does.
    router.answers = lambda: router.process.must_live() and Cli(
        folder, router.address, router.data / "admin.token").runs_well(
            "--ca", folder / "trusted.pem", *identity)
    router.start()
    cli = Cli(folder, router.address, router.data / "admin.token")
    trusted = ["--ca", folder / "trusted.pem"]
    cli("whoami", *trusted, *identity, says="admin of the provider side")
    cli("admin", "tenant", "create", "acme", *trusted, *identity)
    cli("doctor", *trusted, *identity, says="✓ TLS")
    cli("whoami", "--ca", folder / "foreign.pem", *identity, code=UNREACHABLE, says="TLS_UNTRUSTED")
    cli("doctor", "--ca", folder / "foreign.pem", *identity, code=REFUSED, says="vouch")
    cli("whoami", *trusted, code=UNREACHABLE, says="it may want a certificate of yours")
    cli("whoami", *trusted, "--cert", folder / "stranger.pem", "--key", folder / "stranger.key",
        code=UNREACHABLE, says="it may not know who signed your certificate")
    cli("whoami", *trusted, "--cert", folder / "client.pem", code=USAGE, says="--key")
    cli("whoami", "--plaintext", code=UNREACHABLE, says="it may speak only TLS")
    return cli.runs


def try_foreign_folder(world):
    """Root makes no files in a data folder of another user; only root can try it."""
    if os.geteuid() != 0:
        return
    data = world.folder / "foreign"
    data.mkdir()
    os.chown(data, 65534, 65534)
    ended = subprocess.run([str(program("tandemd")), "--data_dir", str(data), "--grpc.listen",
                            "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"], capture_output=True,
                           text=True, timeout=PATIENCE, check=False)
    told = ended.stdout + ended.stderr
    expect(ended.returncode == REFUSED and "chown -R root" in told, f"root on a foreign folder: {told}")
    expect(not list(data.iterdir()), f"root left files: {list(data.iterdir())}")


def main():
    options = arguments(__doc__)
    with World(options.keep) as world:
        receiver = Receiver(SECRET)
        world.stack.callback(receiver.stop)
        router = Installation(world, binary=options.router,
                              arguments=router_arguments(world)).start()
        set_up_tenant(router, TENANT, receiver)
        folder = world.folder / "work"
        folder.mkdir()
        admin = Cli(folder, router.address, router.data / "admin.token")
        editor = Cli(folder, router.address, router.token_file(f"{TENANT}-editor"))
        commands = try_help(Cli(folder, "127.0.0.1:1"))
        try_usage(editor)
        try_unreachable(editor)
        editor("doctor", "--admin-address", router.addresses["admin"], says="0 bad")
        expect(editor.json("doctor")["checks"], "doctor --json has checks")
        expect(editor.json("health")["status"] == "SERVING", "serving")
        try_playbook(editor, folder, playbook(TENANT, receiver))
        try_context(editor, folder)
        try_incidents(editor)
        try_feed(editor)
        try_colour(editor)
        try_admin(admin, folder)
        try_journal(Cli(folder, "127.0.0.1:1"), router.data, folder)
        router.process.stop()
        expect(not (router.data / "addresses.json").exists(), "addresses of a router that stopped")
        try_foreign_folder(world)
        try_journal(Cli(folder, "127.0.0.1:1"), router.data, folder)
        return f"commands={commands} runs={admin.runs + editor.runs} tls_runs={try_tls(world)}"


run("cli", main)
