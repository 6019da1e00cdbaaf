"""Starts the real programs, breaks them, and asks what is left.

For the experiments in tests/integration, the interop tests, the demonstration and the benchmarks.
Every process is started and ended by its own id, listens on port 0 and writes into a temporary
folder; none outlives the program that started it. Nothing waits for a fixed time: `until` waits
for a condition with a deadline.
"""

from tandem_harness.process import Process, World, arguments, build_folder, seed_from
from tandem_harness.wait import until

__all__ = ["Process", "World", "arguments", "build_folder", "seed_from", "until"]
