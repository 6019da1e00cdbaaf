"""A secret that the notifier has not got yet holds its deliveries up, and no more than that.

Promises: the escalation does not run through meanwhile; timeline, `tandem doctor` and `tandem
playbook check --ask-router` say what is missing; the delivery goes out, signed, once the secret is
in the configuration and SIGHUP has come; a secret of another tenant is never taken; a second secret
of the name signs beside the first.
"""

import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments, until  # noqa: E402
from tandem_harness.api import incidents_pb2  # noqa: E402
from tandem_harness.experiment import TENANT, run  # noqa: E402
from tandem_harness.fixture import SECRET, playbook, set_up_tenant  # noqa: E402
from tandem_harness.installation import Installation  # noqa: E402
from tandem_harness.process import World, program  # noqa: E402
from tandem_harness.receiver import Receiver  # noqa: E402

NEWER = "whsec_bmV3ZXItc2VjcmV0LW9mLXRoZS1leHBlcmltZW50LTI0"


class Stage:
    """A router whose configuration lacks the tenant's secret, and what looks at it."""

    def __init__(self, world, options):
        self.world = world
        self.receiver = Receiver(SECRET)
        world.stack.callback(self.receiver.stop)
        self.config = world.folder / "tandemd.yaml"
        self.write_config(f"other/hooks: {SECRET}")
        self.router = Installation(world, binary=options.router, arguments=[
            "--config", self.config, "--log.format", "json"]).start()
        set_up_tenant(self.router, TENANT, self.receiver)

    def write_config(self, secrets):
        self.config.touch(mode=0o600)
        self.config.write_text("notifier:\n  allow_private_addresses: true\n  allow_http: true\n"
                               f"  secrets: {{{secrets}}}\n")

    def reload(self):
        before = len(self.router.process.log())
        self.router.process.signal(signal.SIGHUP)
        until(lambda: "the configuration was reloaded" in self.router.process.log()[before:], 30,
              "the reload")

    def tandem(self, principal, *words):
        """Exit code and text of the command line."""
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("TANDEM_")}
        environment |= {"TANDEM_ADDRESS": self.router.address,
                        "TANDEM_TOKEN_FILE": str(self.router.token_file(principal)),
                        "TANDEM_ADMIN_ADDRESS": self.router.addresses["admin"]}
        ended = subprocess.run([program("tandem"), *words], capture_output=True, text=True,
                               env=environment, cwd=self.world.folder, timeout=60, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def fire(self, service):
        code, text = self.tandem(f"{TENANT}-agent", "alert", "send", "-l", "alertname=Down", "-l",
                                 f"service={service}", "-l", "severity=major")
        assert code == 0, text

    def timeline(self, number):
        with self.router.connect(f"{TENANT}-viewer") as viewer:
            return viewer.call(viewer.incidents.ListTimeline, incidents_pb2.ListTimelineRequest(
                parent=f"tenants/{TENANT}/incidents/{number}")).entries

    def looks(self):
        """How often the notifier has looked for a secret in vain."""
        page = self.router.admin_answer("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in page
                   if "delivery_attempts_total{" in line and 'result="not_ready"' in line)

    def calls(self):
        with self.receiver.lock:
            return list(self.receiver.calls)


def nothing_goes_out(stage, file):
    """The delivery waits, and everybody who asks is told why."""
    stage.fire("mes")
    until(lambda: [e for e in stage.timeline(1) if e.kind == "DELIVERY_FAILED"], 30,
          "the reason")
    until(lambda: stage.looks() >= 3, 30, "three vain looks for the secret")
    failed = [e for e in stage.timeline(1) if e.kind == "DELIVERY_FAILED"][0]
    assert failed.contact == "noc-primary", failed
    assert f"add {TENANT}/hooks to notifier.secrets" in failed.reason, failed
    code, text = stage.tandem(f"{TENANT}-viewer", "doctor")
    assert code == 0 and "noc-primary is not told of harbor-mfg/1 yet" in text, text
    assert "no signing secret `hooks`" in text and "SIGHUP" in text, text
    code, text = stage.tandem(f"{TENANT}-viewer", "playbook", "check", "--ask-router", str(file))
    assert code == 0 and f"the notifier has no secret {TENANT}/hooks" in text, text
    code, text = stage.tandem(f"{TENANT}-viewer", "playbook", "check", "--ask-router", "--strict",
                              str(file))
    assert code == 1, text
    kinds = [entry.kind for entry in stage.timeline(1)]
    assert kinds.count("DELIVERY_FAILED") == 1, kinds  # looking again writes nothing
    assert "DELIVERY_ATTEMPTED" not in kinds, kinds
    assert kinds.count("STEP_TAKEN") == 1 and "DELIVERY_GIVEN_UP" not in kinds, kinds
    assert stage.router.process.log().count("waits for an operator") <= 2, "a flood of warnings"
    assert not stage.calls(), "something went out unsigned or with a foreign secret"


def main():
    options = arguments(__doc__)
    with World(options.keep) as world:
        stage = Stage(world, options)
        file = world.folder / "playbook.yaml"
        file.write_text(playbook(TENANT, stage.receiver))
        nothing_goes_out(stage, file)

        stage.write_config(f"{TENANT}/hooks: {SECRET}")
        stage.reload()
        until(stage.calls, 30, "the page")
        assert all(call.signed for call in stage.calls()), "a page without a valid signature"
        until(lambda: [e for e in stage.timeline(1) if e.kind == "DELIVERY_SUCCEEDED"], 30, "success")
        code, text = stage.tandem(f"{TENANT}-viewer", "doctor")
        assert code == 0 and "no message is stuck" in text, text
        code, text = stage.tandem(f"{TENANT}-viewer", "playbook", "check", "--ask-router",
                                  "--strict", str(file))
        assert code == 0, text

        # A rotation: the receiver knows the older one still, then the newer one alone.
        stage.write_config(f"{TENANT}/hooks: [{NEWER}, {SECRET}]")
        stage.reload()
        for secret, service in ((SECRET, "erp"), (NEWER, "historian")):
            stage.receiver.secret = secret
            before = len(stage.calls())
            stage.fire(service)
            until(lambda: len(stage.calls()) > before, 30, f"the page of {service}")
            assert all(call.signed for call in stage.calls()[before:]), f"{service} is not signed"
        assert stage.router.process.stop() == 0, "the router did not end well"
        return f"pages={len(stage.calls())}"


run("late_secret", main)
