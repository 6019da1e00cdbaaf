"""Counts what one run of ctest has shown.

usage: count_tests.py FOLDER, with `tests.xml` (ctest --output-junit) and `cases/*.xml`
(GoogleTest). Prints `PASSED FAILED`. A case of a GoogleTest program counts one, and so does every
test that is not such a program. A program that died before it could report is one failure.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(folder):
    """Returns (passed, failed)."""
    passed = failed = 0
    for test in ElementTree.parse(folder / "tests.xml").getroot().iter("testcase"):
        status = test.get("status")
        passed += status == "run"
        failed += status == "fail"
    for report in sorted((folder / "cases").glob("*.xml")):
        suites = ElementTree.parse(report).getroot()
        bad = int(suites.get("failures", 0)) + int(suites.get("errors", 0))
        good = int(suites.get("tests", 0)) - bad - int(suites.get("disabled", 0))
        # The cases stand in for their program.
        passed += good - (bad == 0)
        failed += bad - (bad > 0)
    return passed, failed


if __name__ == "__main__":
    print(*count(pathlib.Path(sys.argv[1])))
