"""Processes that are ended by their own id and never outlive the experiment."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile

from tandem_harness.wait import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Ends a program with the one that started it. As a program before it and not as a function between
# fork and exec: a plain fork would wait for gRPC's threads, and Python then starts without one.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]


def build_folder():
    """The build tree that is tried: TANDEM_BUILD, or build/release of this repository."""
    return pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build" / "release")).resolve()


def program(name):
    """The path of one of our programs. Raises FileNotFoundError that says how to build it."""
    path = build_folder() / "bin" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built; run: cmake --build {build_folder()} "
                                f"--target {name}")
    return path


def free_port():
    """A port that nobody listens on at the moment, for two programs that must know each other."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def seed_from(options):
    """Prints the seed, so that a run can be repeated, and returns the dice."""
    seed = options.seed
    if seed is None:
        seed = int(os.environ.get("TANDEM_SEED", 0)) or random.SystemRandom().getrandbits(32)
    print(f"seed {seed} (repeat with --seed {seed})", flush=True)
    return random.Random(seed)


def arguments(description, **extra):
    """The arguments that every experiment takes, parsed. `extra`: name → (default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, help="repeats a run")
    parser.add_argument("--router", default="tandemd", help="the program to try (tandemd-planted)")
    parser.add_argument("--plant", help="the bug that tandemd-planted is given")
    parser.add_argument("--patience", type=float, default=60,
                        help="seconds in which everybody must have been told (default 60)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    for name, (default, text) in extra.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default,
                            help=f"{text} (default {default})")
    return parser.parse_args()


class Process:
    """One program. Its output goes to a file; `log()` reads it."""

    def __init__(self, name, argv, folder, environment=None):
        self.name, self.argv = name, [str(a) for a in argv]
        self.log_path = pathlib.Path(folder) / f"{name}.log"
        # TANDEM_… are settings to our programs, and ours are none of theirs.
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("TANDEM_")} | (environment or {})
        self.popen = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(DIE_WITH_PARENT + self.argv, stdout=log,
                                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                          env=self.environment)
        return self

    @property
    def pid(self):
        return self.popen.pid

    @property
    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def kill(self):
        """SIGKILL, and gone when this returns."""
        if self.alive:
            self.popen.kill()
        if self.popen:
            self.popen.wait(30)

    def stop(self, seconds=30):
        """SIGTERM. Returns the exit code; raises when the process does not end in time."""
        if self.alive:
            self.popen.terminate()
        return self.wait(seconds)

    def wait(self, seconds):
        """Returns the exit code once the process has ended by itself."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} (pid {self.pid}) did not end within {seconds} s\n"
                               + self.tail()) from None

    def signal(self, number):
        self.popen.send_signal(number)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines=30):
        """The end of the log, for an error's text."""
        return "\n".join(f"  {self.name}| {line}" for line in self.log().splitlines()[-lines:])

    def must_live(self):
        """Raises with the end of the log when the process has ended."""
        if not self.alive:
            code = self.popen.returncode if self.popen else None
            raise RuntimeError(f"{self.name} ended with {code}\n{self.tail()}")
        return True


class World:
    """A temporary folder and the processes in it; leaving it ends them all, the newest first."""

    def __init__(self, keep=False, folder=None):
        self.keep, self.given = keep, folder
        self.processes = []
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(self.given or tempfile.mkdtemp(prefix="tandem-"))
        return self

    def __exit__(self, kind, error, trace):
        for process in reversed(self.processes):
            process.kill()
        self.stack.close()
        if kind is not None and kind is not KeyboardInterrupt:
            for process in self.processes:
                print(process.tail(15), file=sys.stderr)
        if self.keep:
            print(f"kept: {self.folder}", flush=True)
        elif self.given is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, argv, environment=None):
        """Starts a program of the machine, or one of ours by its `program(name)`."""
        process = Process(name, argv, self.folder, environment).start()
        self.processes.append(process)
        return process

    def wait_for_file(self, path, seconds, process):
        """Waits until `process` has written the JSON file `path`; returns what is in it."""
        path = pathlib.Path(path)

        def read():
            process.must_live()
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                return json.loads(path.read_text())
            return None
        return until(read, seconds, f"{path.name} of {process.name}")
