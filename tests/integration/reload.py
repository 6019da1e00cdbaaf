"""A router reads its configuration anew at SIGHUP, and says in metrics and log what came of it.

Promises: what can be taken over is taken over at once; a mistake, or a change that needs a restart,
leaves everything as it was and is named; a reload disturbs nobody.
"""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from tandem_harness import arguments, until  # noqa: E402
from tandem_harness.experiment import run  # noqa: E402
from tandem_harness.installation import Installation  # noqa: E402
from tandem_harness.process import World  # noqa: E402

SUCCESS = "tandem_config_last_reload_success"
SUCCESS_TIME = "tandem_config_last_reload_success_timestamp_seconds"


def reload(router, config, text, expected):
    """Writes `text`, asks for a reload, and waits until the log says `expected`."""
    config.write_text(text)
    before = len(router.process.log())
    router.process.signal(signal.SIGHUP)
    until(lambda: router.process.must_live() and expected in router.process.log()[before:], 30,
          f"a line with \"{expected}\"")
    return router.process.log()[before:]


def main():
    options = arguments(__doc__)
    with World(options.keep) as world:
        config = world.folder / "tandemd.yaml"
        config.write_text("log: {level: info}\n")
        router = Installation(world, binary=options.router,
                              arguments=["--config", config, "--log.format", "json"]).start()
        started = router.metric(SUCCESS_TIME)
        assert router.metric(SUCCESS) == 1, "the start is not a success"
        for name in ("process_resident_memory_bytes", "process_open_fds",
                     "process_cpu_seconds_total", "process_start_time_seconds"):
            assert router.metric(name) > 0, name
        assert router.metric("tandem_journal_pruned_records_total") == 0

        line = reload(router, config, "log: {level: debug}\nretention: 30d\n",
                      "the configuration was reloaded")
        assert "log.level: info → debug" in line and "retention: 400d → 30d" in line, line
        assert router.metric(SUCCESS_TIME) >= started

        line = reload(router, config, "log: {level: loud}\n", "was not reloaded")
        assert f"{config}:1:14: log.level" in line, line
        assert router.metric(SUCCESS) == 0, "a failed reload counts as a success"

        line = reload(router, config, "log: {level: info}\nrouter: {mailbox_max: 7}\n",
                      "was not reloaded")
        assert "needs a restart: router.mailbox_max: 1024 → 7" in line, line

        line = reload(router, config, "grpc: {tls: {cert: no.pem, key: no.key}}\n",
                      "was not reloaded")
        assert "no.pem: cannot be read" in line and "no.key: cannot be read" in line, line

        reload(router, config, "log: {level: info}\n", "the configuration was reloaded")
        assert router.metric(SUCCESS) == 1, "a reload after a failed one does not count"
        assert router.answers(), "the router does not answer any more"
        assert router.process.stop() == 0, "the router did not end well"
        return "reloads=2 refused=3"


run("reload", main)
