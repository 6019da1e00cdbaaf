"""Programs that print JSON, and what /proc and a router's metrics say about processes."""

import json
import os
import pathlib
import subprocess
import urllib.request


def duration(seconds):
    """As our programs take it: whole milliseconds."""
    return f"{round(seconds * 1000)}ms"


def run_json(command, environment=None):
    """Runs a program and reads the JSON that it printed; an error says what it said."""
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False,
                         timeout=900, env={**os.environ, **(environment or {})})
    if run.returncode != 0:
        name = pathlib.Path(command[0]).name
        raise RuntimeError(f"{name} {command[1]} ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def metrics(router):
    """The metrics without labels of a router, by name."""
    address = router.addresses["admin"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in pairs}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    """VmRSS of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no VmRSS of process {pid}")
