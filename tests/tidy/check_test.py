"""What tools/check counts and chooses, on planted input: a wrong count hides failures."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import count_tests  # noqa: E402
import run_clang_tidy  # noqa: E402
import test_targets  # noqa: E402


class CountTests(unittest.TestCase):
    def count(self, entries, cases):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "cases").mkdir()
            (folder / "tests.xml").write_text("<testsuite>" + "".join(
                f'<testcase name="t{i}" status="{status}"/>'
                for i, status in enumerate(entries)) + "</testsuite>")
            for i, (tests, failures) in enumerate(cases):
                (folder / "cases" / f"{i}.xml").write_text(
                    f'<testsuites tests="{tests}" failures="{failures}" errors="0" disabled="0"/>')
            return count_tests.count(folder)

    def test_the_cases_of_a_program_stand_in_for_it(self):
        self.assertEqual(self.count(["run"], [(12, 0)]), (12, 0))

    def test_a_script_counts_one(self):
        self.assertEqual(self.count(["run", "run"], [(12, 0)]), (13, 0))

    def test_failed_cases_are_counted_each(self):
        self.assertEqual(self.count(["fail", "run"], [(12, 3)]), (10, 3))

    def test_a_program_that_died_is_one_failure(self):
        self.assertEqual(self.count(["fail", "run"], []), (1, 1))

    def test_what_did_not_run_is_not_passed(self):
        self.assertEqual(self.count(["run", "notrun", "disabled"], []), (1, 0))


class TestTargets(unittest.TestCase):
    def test_programs_are_chosen_by_label_and_only_of_this_configuration(self):
        with tempfile.TemporaryDirectory() as name:
            build = pathlib.Path(name).resolve()
            (build / "a").mkdir()
            (build / "stale").mkdir()
            (build / "CTestTestfile.cmake").write_text('subdirs("a")\n')
            (build / "stale" / "CTestTestfile.cmake").write_text(
                f'add_test(old "{build}/old")\n'
                'set_tests_properties(old PROPERTIES LABELS "unit")\n')
            (build / "a" / "CTestTestfile.cmake").write_text(
                f'add_test([=[one]=] "{build}/tests/one" "--flag")\n'
                'set_tests_properties([=[one]=] PROPERTIES  LABELS "unit" TIMEOUT "9")\n'
                f'add_test(two "{build}/tests/two")\n'
                'set_tests_properties(two PROPERTIES LABELS "slow;contract")\n'
                'add_test(script "/usr/bin/python3" "lint.py")\n'
                'set_tests_properties(script PROPERTIES LABELS "unit")\n'
                f'add_test(bench "{build}/tests/bench")\n'
                'set_tests_properties(bench PROPERTIES LABELS "bench")\n')
            self.assertEqual(test_targets.targets(build, "^(unit|contract)$"),
                             ["tests/one", "tests/two"])


class RunClangTidy(unittest.TestCase):
    def test_the_compile_command_is_freed_of_what_clang_does_not_know(self):
        self.assertEqual(
            run_clang_tidy.arguments_of({
                "file": "/r/a.cc",
                "command": "cmake -E env A=1 ccache /usr/bin/c++ -DX=1 -I/r -Wlogical-op "
                           "-std=c++20 -fpch-preprocess -o a.o -c /r/a.cc"}),
            ("-DX=1", "-I/r", "-std=c++20"))

    def test_the_place_of_the_checkout_does_not_count(self):
        root = run_clang_tidy.ROOT
        self.assertEqual(
            run_clang_tidy.placeless((f"-I{root}", "-isystem", f"{root}/build/tidy/proto")),
            "-I. -isystem ./build/tidy/proto")

    def test_sources_of_one_target_go_together_up_to_a_limit(self):
        def source(name, arguments=("-I/r",)):
            return run_clang_tidy.Source(pathlib.Path(name), arguments, "k", (False, False, ""))
        many = [source(f"{i:02}.cc") for i in range(run_clang_tidy.TOGETHER_MAX + 1)]
        sizes = [len(b) for b in run_clang_tidy.batches(many + [source("z.cc", ("-DY",))])]
        self.assertEqual(sizes, [run_clang_tidy.TOGETHER_MAX, 1, 1])


if __name__ == "__main__":
    unittest.main()
