"""The parts of tools/bench: rig (programs and what they print), one module for each section of the
table, results (arithmetic, targets, table, summary). tests/bench/README.md says how to read it."""
