"""Plants one violation of each rule and sees that it is found, and that honest code is not.

A lint that never found anything proves nothing.
"""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402

HEADER = "// What it is for. Pure.\n#pragma once\n"
TABLE = "| thread | owner |\n|---|---|\n| `engine-0` | engine |\n"


def findings_in(files):
    """The texts of what lint finds in a tree of these files."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {"router/README.md": TABLE, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return [str(finding) for finding in lint.lint(root)]


class RulesOfPassage(unittest.TestCase):
    def found(self, file, include):
        return findings_in({file: f'#include "{include}"\n'})

    def test_core_may_not_include_what_lies_above_it(self):
        for include in ("router/engine/shard.h", "router/codec/alert.h", "tandem/v1/common.pb.h",
                        "services/runtime/config.h", "router/journal/journal.h"):
            self.assertEqual(len(self.found("router/core/decide.cc", include)), 1, include)

    def test_core_may_include_the_playbook_but_not_the_reverse(self):
        self.assertEqual(self.found("router/core/decide.cc", "router/playbook/playbook.h"), [])
        self.assertEqual(len(self.found("router/playbook/parse.cc", "router/core/decide.h")), 1)

    def test_the_engine_knows_no_transport(self):
        self.assertEqual(self.found("router/engine/shard.cc", "router/journal/journal.h"), [])
        self.assertEqual(len(self.found("router/engine/shard.cc", "router/rpc/caller.h")), 1)

    def test_nothing_includes_a_service_but_the_program_that_wires_them(self):
        self.assertEqual(len(self.found("router/api/feed.cc", "services/notifier/worker.h")), 1)
        self.assertEqual(len(self.found("services/context/store.cc", "services/notifier/a.h")), 1)
        self.assertEqual(len(self.found("tools/tandem/main.cc", "services/runtime/config.h")), 1)
        self.assertEqual(self.found("services/tandemd/main.cc", "services/notifier/worker.h"), [])

    def test_a_relative_include_is_found(self):
        self.assertEqual(len(self.found("router/core/decide.cc", "../base/ids.h")), 1)

    def test_foreign_headers_and_own_room_are_free(self):
        self.assertEqual(self.found("router/core/decide.cc", "router/core/decide.h"), [])
        self.assertEqual(self.found("router/core/decide.cc", "absl/time/time.h"), [])


class PureRooms(unittest.TestCase):
    def test_each_way_out_of_purity_is_found(self):
        for line in ("auto now = absl::Now();", "auto t = std::chrono::steady_clock::now();",
                     "int r = rand();", "std::random_device dice;", 'getenv("HOME");',
                     "auto t = time(nullptr);", "std::unordered_map<int, int> m;",
                     "absl::flat_hash_map<int, int> m;", "std::mutex m;",
                     "absl::LocalTimeZone();", "std::mt19937_64 engine;"):
            for room in ("router/core", "router/playbook"):
                self.assertEqual(len(findings_in({f"{room}/a.cc": line + "\n"})), 1, line)

    def test_a_hash_map_whose_order_is_never_seen_is_allowed(self):
        text = "// Look-up only: order never seen.\nabsl::flat_hash_map<int, int> index_;\n"
        self.assertEqual(findings_in({"router/core/a.cc": text}), [])

    def test_words_in_comments_and_texts_do_not_count(self):
        text = '// Not absl::Now().\nconst char* kText = "rand()";\n'
        self.assertEqual(findings_in({"router/core/a.cc": text}), [])

    def test_other_rooms_may_read_the_clock(self):
        self.assertEqual(findings_in({"router/base/clock.cc": "auto n = absl::Now();\n"}), [])


class Words(unittest.TestCase):
    def test_each_forbidden_word_is_found(self):
        for word in ("std::this_thread::sleep_for(x);", "usleep(3);", "absl::SleepFor(x);",
                     "// TODO: later", "// FIXME", "// HACK", "GTEST_SKIP();",
                     "TEST(A, DISABLED_B) {}", "/work/main/a", "/root/a", "https://pypi.org/x"):
            self.assertEqual(len(findings_in({"router/api/a.cc": word + "\n"})), 1, word)

    def test_python_may_not_wait_for_a_fixed_time_either(self):
        self.assertEqual(len(findings_in({"tests/integration/a.py": "time.sleep(1)\n"})), 1)

    def test_a_program_for_people_may_let_time_go_by_but_its_tests_may_not(self):
        text = "std::this_thread::sleep_for(kWatchEvery);\n"
        self.assertEqual(findings_in({"tools/tandem/watch.cc": text}), [])
        self.assertEqual(len(findings_in({"tools/tandem/watch_test.cc": text})), 1)
        self.assertEqual(len(findings_in({"router/engine/engine.cc": text})), 1)

    def test_a_template_of_a_temporary_name_is_no_marker(self):
        self.assertEqual(findings_in({"tests/a.cc": 'char t[] = "/tmp/a-XXXXXX";\n'}), [])


class Shape(unittest.TestCase):
    def test_a_file_above_the_ceiling_is_found(self):
        self.assertEqual(len(findings_in({"router/api/a.cc": "int x;\n" * 501})), 1)
        self.assertEqual(findings_in({"router/api/a.cc": "int x;\n" * 500}), [])

    def test_a_header_without_comment_or_guard_is_found(self):
        self.assertEqual(findings_in({"router/api/a.h": HEADER}), [])
        self.assertEqual(len(findings_in({"router/api/a.h": "#pragma once\n"})), 1)
        self.assertEqual(len(findings_in({"router/api/a.h": "// What it is for.\n"})), 1)


class Threads(unittest.TestCase):
    def test_a_thread_without_a_name_is_found(self):
        text = "void Start() { thread_ = std::thread([this] { Run(); }); }\n"
        self.assertEqual(len(findings_in({"router/engine/a.cc": text})), 1)

    def test_a_name_without_a_line_in_the_table_is_found(self):
        text = 'void Run() { NameThread("%s"); }\n'
        self.assertEqual(findings_in({"router/engine/a.cc": text % "engine-0"}), [])
        self.assertEqual(len(findings_in({"router/engine/a.cc": text % "stranger"})), 1)
        for text in ('pthread_setname_np(thread_.native_handle(), "stranger");\n',
                     'pool_({.name = "stranger", .threads = 2})\n'):
            self.assertEqual(len(findings_in({"router/engine/a.cc": text})), 1)


    def test_a_line_of_the_table_without_a_thread_or_a_second_time_is_found(self):
        rows = "## Threads\n\n| `main` | it |\n| `engine` | it |\n"
        thread = {"router/engine/a.cc": 'pthread_setname_np(pthread_self(), "engine");\n'}
        self.assertEqual(findings_in({"router/README.md": rows, **thread}), [])
        self.assertEqual(len(findings_in({"router/README.md": rows})), 1)
        twice = {"router/README.md": rows + "| `engine` | it |\n", **thread}
        self.assertEqual(len(findings_in(twice)), 1)


class Protos(unittest.TestCase):
    def found(self, body):
        return findings_in({"proto/tandem/v1/a.proto": "// What it is for.\n\n" + body})

    def test_a_field_that_nothing_explains_is_found(self):
        self.assertEqual(len(self.found("message A {\n  string odd = 1;\n}\n")), 1)

    def test_a_field_is_explained_by_its_comment_its_message_or_its_namesake(self):
        for body in ("message A {\n  // What.\n  string odd = 1;\n}\n",
                     "// What.\nmessage A {\n  string odd = 1;\n}\n",
                     "// Repeats of a `odd` do nothing.\n\nmessage A {\n  string odd = 1;\n}\n",
                     "message A {\n  Other odd = 1;\n}\n"):
            self.assertEqual(self.found(body), [], body)


class Links(unittest.TestCase):
    def test_a_link_that_leads_nowhere_is_found(self):
        text = "[a](there.md) [b](nowhere.md) [c](https://example.com/x) [e](there.md#part)\n"
        found = findings_in({"docs/a.md": text, "docs/there.md": "\n"})
        self.assertEqual(len(found), 1)
        self.assertIn("nowhere.md", found[0])


class ThisRepository(unittest.TestCase):
    def test_every_room_of_the_build_has_a_rule(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        rooms = {str(p.parent.relative_to(root)) for top in ("router", "services", "tools")
                 for p in root.glob(f"{top}/*/CMakeLists.txt")}
        self.assertEqual(rooms - set(lint.MAY_INCLUDE), set())


if __name__ == "__main__":
    unittest.main()
