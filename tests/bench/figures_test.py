"""The arithmetic behind the table of tools/bench. Starts nothing and measures nothing."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from tandem_figures import parts, results, throughput  # noqa: E402


def silent():
    return results.Results(lambda text: None)


class Ratios(unittest.TestCase):
    def test_a_slow_minute_cancels_out_within_its_pair(self):
        # In the second pair the machine was three times slower for both.
        pairs = [(300, 600), (100, 200), (330, 600)]
        self.assertEqual(results.median_of_ratios(pairs), 0.5)

    def test_a_median_of_nothing_is_an_error(self):
        with self.assertRaises(Exception):
            results.median([])


class Targets(unittest.TestCase):
    def test_a_target_may_be_a_floor_or_a_ceiling(self):
        self.assertEqual(results.verdict("durable_over_echo_b64", 0.5), (True, "≥ 0.5 met"))
        self.assertEqual(results.verdict("durable_over_echo_b64", 0.49),
                         (False, "≥ 0.5 NOT MET"))
        self.assertEqual(results.verdict("bytes_per_active_alert", 701),
                         (False, "≤ 700 NOT MET"))
        self.assertEqual(results.verdict("echo_b64_per_second", 1), (None, ""))

    def test_what_was_not_measured_is_told_and_not_guessed(self):
        lines = []
        table = results.Results(lines.append)
        table.put("recovery_seconds_1m", 4.2, "recovery", "s")
        self.assertNotIn("recovery_seconds_1m", table.missing())
        self.assertIn("rules_10000_over_10", table.missing())
        table.show_targets()
        self.assertEqual(sum("not measured" in line for line in lines), len(results.TARGETS) - 1)
        summary = table.summary({"quick": True})
        self.assertEqual(summary["recovery_seconds_1m"], 4.2)
        self.assertEqual(summary["targets"]["recovery_seconds_1m"], {"at_most": 10, "met": True})


class Throughput(unittest.TestCase):
    def test_the_key_figure_is_the_one_of_new_alerts(self):
        table = silent()

        def pair(rate):
            return {"echo": 1000, "append": 4000, "group": 64, "alerts_per_second": rate,
                    "server_cpu_us_per_alert": 2, "receipt": {"p99_ms": 1}}
        throughput.show(table, 64, {"repeated": [pair(900)], "distinct": [pair(600), pair(500)]})
        self.assertEqual(table.figures["durable_over_echo_b64"], 0.55)
        self.assertEqual(table.figures["durable_over_echo_b64_distinct"], 0.55)
        self.assertEqual(table.figures["durable_over_echo_b64_repeated"], 0.9)
        self.assertEqual(table.figures["durable_b64_distinct_per_second"], 550)


class Parts(unittest.TestCase):
    def printed(self):
        def entry(name, repetition, **figures):
            return {"name": name, "run_name": name, "run_type": "iteration",
                    "repetition_index": repetition, **figures}
        return {"benchmarks": [
            entry("fast/rules:10/manual_time", 0, items_per_second=1e7, real_time=6400),
            entry("fast/rules:10/manual_time", 1, items_per_second=5e6, real_time=12800),
            entry("slow/rules:10000/manual_time", 1, items_per_second=2.5e6, real_time=1),
            entry("slow/rules:10000/manual_time", 0, items_per_second=5e6, real_time=1),
            entry("once/iterations:500", 0, real_time=54.3),
            {"name": "fast_mean", "run_name": "fast", "run_type": "aggregate"}]}

    def test_ratios_pair_the_repetitions_of_one_round(self):
        read = parts.Parts(self.printed())
        self.assertEqual(read.nanoseconds("fast/rules:10"), 150)
        self.assertEqual(read.ratio("slow/rules:10000", "fast/rules:10"), 2)

    def test_without_alerts_the_time_is_of_an_iteration(self):
        self.assertEqual(parts.Parts(self.printed()).nanoseconds("once"), 54.3)

    def test_a_part_that_failed_is_an_error(self):
        printed = self.printed()
        printed["benchmarks"][0].update(error_occurred=True, error_message="no disk")
        with self.assertRaisesRegex(RuntimeError, "no disk"):
            parts.Parts(printed)


if __name__ == "__main__":
    unittest.main()
