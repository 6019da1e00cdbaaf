"""What tools/check counts and chooses, on planted input: a wrong count hides failures."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import count_tests  # noqa: E402
import run_clang_tidy  # noqa: E402
import test_targets  # noqa: E402
import together  # noqa: E402


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


class FilesThatNeverEnd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "cache").mkdir()
        self.sources = [self.source(name) for name in ("a", "hangs", "b")]

    def source(self, name):
        path = run_clang_tidy.ROOT / "router" / f"{name}.cc"
        return run_clang_tidy.Source(path, ("-I/r",), f"key-{name}", (False, False, ""))

    def look(self, seconds):
        """Returns (what was run, the results) of one run over all sources."""
        ran, cache = [], self.folder / "cache"

        class FakeTidy(run_clang_tidy.Tidy):
            def run(self, file, arguments):
                text = file.read_text() if file.parent.name == "together" else file.name
                ran.append(text.count(".cc"))
                return (None, "") if "hangs" in text else (True, "")
        tidy = FakeTidy(self.folder, cache, seconds, 7)
        original, run_clang_tidy.text_of = run_clang_tidy.text_of, lambda source: ""
        self.addCleanup(setattr, run_clang_tidy, "text_of", original)
        results = []
        for batch in run_clang_tidy.batches_of(self.sources, cache):
            results += [([s.path.stem for s in sources], fine, output)
                        for sources, fine, output, _ in tidy.look_at(batch)]
        return ran, results

    def test_is_named_as_failed_and_hides_no_other(self):
        ran, results = self.look(seconds=60)
        self.assertEqual(ran, [3, 1, 1, 1])
        self.assertEqual([(names, fine) for names, fine, _ in results],
                         [(["a"], True), (["hangs"], False), (["b"], True)])
        self.assertIn("did not end within 7 s on this file alone", results[1][2])

    def test_is_looked_at_alone_and_first_after_a_batch_that_did_not_end(self):
        self.look(seconds=60)
        ran, _ = self.look(seconds=60)
        self.assertEqual(ran, [1, 1, 1])

    def test_is_left_only_when_the_time_of_the_whole_run_is_over(self):
        ran, results = self.look(seconds=-1)
        self.assertEqual(ran, [])
        self.assertEqual([fine for _, fine, _ in results], [None])


class Together(unittest.TestCase):
    def batches(self, *sources):
        """sources: (name, arguments, text[, urgency])."""
        texts = {pathlib.Path(name): text for name, _, text, *_ in sources}
        made = [run_clang_tidy.Source(pathlib.Path(name), arguments, "k",
                                      (*(urgency or [False]), False, ""))
                for name, arguments, _, *urgency in sources]
        return [([str(s.path) for s in batch.sources], batch.command.arguments())
                for batch in together.batches(made, lambda source: texts[source.path])]

    def names(self, *sources):
        return [names for names, _ in self.batches(*sources)]

    def test_a_translation_unit_holds_so_many_sources_and_no_more(self):
        count = together.TOGETHER_MAX + 1
        made = self.names(*((f"{i:02}.cc", ("-I/r",), "") for i in range(count)))
        self.assertEqual([len(names) for names in made], [together.TOGETHER_MAX, 1])

    def test_what_the_targets_say_is_said_for_all(self):
        self.assertEqual(
            self.batches(("a.cc", ("-O2", "-fPIC", "-DX=1", "-isystem", "/a"), ""),
                         ("b.cc", ("-O2", "-fPIE", "-DY", "-I/b", "-isystem", "/a"), "")),
            [(["a.cc", "b.cc"], ("-O2", "-DX=1", "-DY", "-isystem", "/a", "-I/b"))])

    def test_a_macro_with_two_values_keeps_apart(self):
        self.assertEqual(self.names(("a.cc", ("-DX=1",), ""), ("b.cc", ("-DX=2",), ""),
                                    ("c.cc", ("-DX=1",), "")), [["a.cc", "c.cc"], ["b.cc"]])

    def test_a_form_of_our_code_keeps_apart(self):
        self.assertEqual(self.names(("a.cc", (), ""), ("b.cc", ("-DTANDEM_PLANTS",), "")),
                         [["a.cc"], ["b.cc"]])

    def test_a_name_that_both_define_keeps_apart(self):
        self.assertEqual(self.names(("a.cc", (), "constexpr int kMax = 1;\n"),
                                    ("b.cc", (), "constexpr long kMax{2};\n"),
                                    ("c.cc", (), "int f() {\n  int kMax = 1;\n}\n")),
                         [["a.cc", "c.cc"], ["b.cc"]])

    def test_what_is_urgent_does_not_wait_for_the_rest(self):
        self.assertEqual(self.names(("a.cc", (), "", False), ("b.cc", (), "", True)),
                         [["a.cc"], ["b.cc"]])

    def test_the_names_of_a_file_are_what_stands_at_its_margin(self):
        self.assertEqual(
            together.names_of("#define ONE(x) x\n"
                              "TEST(Two, Says) {\n"
                              "template <typename T>\nstruct Three {\n  int inner = 1;\n};\n"
                              "using Four = std::map<int, int>;\n"
                              "std::vector<int>& Five(int a) {\n  return six;\n}\n"
                              "void Engine::Seven() {}\n"
                              "const std::string kEight[] = {};\n"
                              "extern \"C\" int Nine() {}\n"),
            {"ONE", "TEST(Two, Says", "Three", "Four", "Five", "kEight", "Nine"})



if __name__ == "__main__":
    unittest.main()
