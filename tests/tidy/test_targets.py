"""Prints the programs behind the tests with certain labels, as targets of the build.

usage: test_targets.py BUILD_FOLDER LABEL_PATTERN

Reads the CTestTestfile.cmake files that CMake writes at configuration, because ctest itself names
no command before the programs exist. The paths are relative to the build folder, which is how Ninja
knows them.
"""

import pathlib
import re
import sys

ARGUMENT = r'(?:\[=*\[(.*?)\]=*\]|"((?:[^"\\]|\\.)*)"|([^\s()"]+))'
ADD_TEST = re.compile(r"^add_test\(" + ARGUMENT + r"\s+" + ARGUMENT, re.MULTILINE)
PROPERTIES = re.compile(r"^set_tests_properties\(" + ARGUMENT + r"\s+PROPERTIES\s(.*)\)$",
                        re.MULTILINE)
SUBFOLDER = re.compile(r"^subdirs\(" + ARGUMENT, re.MULTILINE)
LABELS = re.compile(r"\bLABELS\s+" + ARGUMENT)


def first(groups):
    """The one alternative of ARGUMENT that matched."""
    return next(group for group in groups if group is not None)


def test_files(folder):
    """The texts of the test file of `folder` and of those below that it names; one that a former
    configuration left behind is not among them."""
    text = (folder / "CTestTestfile.cmake").read_text(encoding="utf-8")
    yield text
    for match in SUBFOLDER.finditer(text):
        yield from test_files(folder / first(match.groups()))


def targets(build, pattern):
    """Returns the programs inside `build` whose tests have a label that `pattern` finds, sorted."""
    programs, labels = {}, {}
    for text in test_files(build):
        for match in ADD_TEST.finditer(text):
            programs[first(match.groups()[:3])] = pathlib.Path(first(match.groups()[3:]))
        for match in PROPERTIES.finditer(text):
            found = LABELS.search(match.group(4))
            if found:
                labels[first(match.groups()[:3])] = first(found.groups()).split(";")
    wanted = set()
    for name, program in programs.items():
        if any(re.search(pattern, label) for label in labels.get(name, [])):
            if program.is_relative_to(build):
                wanted.add(str(program.relative_to(build)))
    return sorted(wanted)


if __name__ == "__main__":
    print("\n".join(targets(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2])))
