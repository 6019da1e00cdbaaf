"""The commands under "By hand" in README.md, taken out of the file and run as they stand.

They run in a temporary folder in which `build/release` and `deploy` are links to what is tried. The
ports alone are others than in the text, by the environment variables that tandemd and tandem honour,
so that several runs get along.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import World, arguments, build_folder  # noqa: E402
from tandem_harness.experiment import run  # noqa: E402
from tandem_harness.process import ROOT, free_port  # noqa: E402

# The first command that fails ends it, as a reader would stop there, and with it what runs beside
# it. In the end the router is asked whether the block gives it every secret that it needs.
BEFORE = "set -euo pipefail\ntrap 'kill $! 2> /dev/null && wait $! || true' EXIT\n"
AFTER = "tandem playbook check --ask-router deploy/examples/factory/playbook.yaml\n"
# What the text promises, in the output of its last commands.
PROMISED = ("harbor-mfg/1", "Rule mes-", "site.production", "Derived again from the history")
DEADLINE = 120  # seconds; it takes about two


def by_hand():
    """The block of commands that follows the words "By hand"."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^By hand\b.*?^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, "README.md has no block of commands after the words 'By hand'"
    return found.group(1)


def environment():
    """That of a newcomer's shell, with free ports."""
    router, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TANDEM_")}
    return clean | {"TANDEM_GRPC_LISTEN": router, "TANDEM_ADMIN_LISTEN": admin,
                    "TANDEM_ADDRESS": router, "NO_COLOR": "1"}


def main():
    options = arguments(__doc__)
    with World(options.keep) as world:
        (world.folder / "build").mkdir()
        (world.folder / "build" / "release").symlink_to(build_folder())
        (world.folder / "deploy").symlink_to(ROOT / "deploy")
        commands = by_hand()
        # A session of its own: when it does not end, all of it is ended.
        shell = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "bash", "-c", BEFORE + commands + AFTER],
            cwd=world.folder, env=environment(), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = shell.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
            raise TimeoutError(f"the commands did not end within {DEADLINE} s") from None
        assert shell.returncode == 0, f"exit code {shell.returncode}:\n{output}"
        missing = [words for words in PROMISED if words not in output]
        assert not missing, f"{missing} is not in the output:\n{output}"
        assert "has no secret" not in output, f"a secret is missing:\n{output}"
        return f"commands={len(commands.splitlines())}"


run("readme", main)
