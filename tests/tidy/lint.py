"""Reads the sources and says where they leave the rules of the house.

usage: lint.py [ROOT]

The rules are those that no compiler knows: who may include whom, what the pure rooms may not call,
how long a file may be, what a header begins with, which words stand nowhere, that every thread is
in the thread table and that every field of the API is explained. Each finding is one line,
`FILE:LINE: what, and what to do`. Exit code 1 when there is one. Needs nothing but Python.
"""

import pathlib
import re
import subprocess
import sys

# What each room may include beside itself: prefixes of include paths. A room's tests may also
# include tests/support. `tandem/` and `google/` are generated from proto/.
MESSAGES = ("tandem/", "google/rpc/")
BASE = ("router/base/",)
PURE = BASE + ("router/playbook/",)
CORE = PURE + ("router/core/",)
CONTEXT = ("router/context/",)
MAY_INCLUDE = {
    "router/base": (),
    "router/playbook": BASE,
    "router/core": PURE,
    "router/context": PURE + MESSAGES,
    # The rows of the read model are the journal's; their bytes are made here.
    "router/codec": CORE + MESSAGES + ("router/journal/journal.h",),
    "router/journal": BASE,
    "router/engine": CORE + MESSAGES + ("router/codec/", "router/journal/"),
    "router/replay": CORE + CONTEXT,
    "router/rpc": BASE + MESSAGES,
    "router/api": ("router/",) + MESSAGES,
    "services/runtime": BASE + MESSAGES + ("router/rpc/",),
    "services/context": ("router/", "services/runtime/") + MESSAGES,
    "services/gateway": ("router/", "services/runtime/") + MESSAGES,
    "services/notifier": ("router/", "services/runtime/") + MESSAGES,
    "services/tandemd": ("router/", "services/") + MESSAGES,
    "tools/agent": BASE + MESSAGES + ("router/rpc/",),
    "tools/load": BASE + MESSAGES + ("router/rpc/", "tools/agent/"),
    "tools/tandem": ("router/", "tools/agent/") + MESSAGES,
    "tests": ("router/", "services/", "tools/", "tests/") + MESSAGES,
}
OURS = ("router/", "services/", "tools/", "tests/") + MESSAGES
PURE_ROOMS = ("router/context", "router/core", "router/playbook", "router/replay")

FORBIDDEN_IN_PURE_ROOMS = (
    (r"\babsl::Now\b", "reads the clock; `now` is an argument"),
    (r"\b(?:system_clock|steady_clock|high_resolution_clock)\b",
     "reads the clock; `now` is an argument"),
    (r"\b(?:std::)?time\s*\(\s*(?:NULL|nullptr|0|&\w+)?\s*\)",
     "reads the clock; `now` is an argument"),
    (r"\b(?:gettimeofday|clock_gettime|localtime(?:_r)?|LocalTimeZone)\b",
     "reads the clock or the machine's zone; time and zone are arguments"),
    (r"\b(?:std::)?s?rand\s*\(", "rolls dice; what is decided must be derived from the input"),
    (r"\b(?:random_device|mt19937(?:_64)?|absl::BitGen|absl::Uniform)\b",
     "rolls dice; what is decided must be derived from the input"),
    (r"\bgetenv\b", "reads the environment; hand the value in"),
    (r"\b(?:fopen|ifstream|ofstream|std::filesystem)\b", "does I/O; values in, values out"),
    (r"\b(?:std::thread|std::jthread|std::mutex|std::atomic)\b",
     "has a thread's view; one writer owns the state"),
    (r"\bunordered_(?:map|set)\b", "has an order that differs between machines; use an ordered "
     "container, or absl::flat_hash_map with the comment `// order never seen`"),
)
HASHED = re.compile(r"\b(?:flat|node)_hash_(?:map|set)\s*<")
HASHED_ALLOWED = re.compile(r"order never seen|never iterate", re.IGNORECASE)
FIRST_COMMENT = re.compile(r"\A(?://[^\n]*\n)*")

# Words that stand nowhere. Spelled in parts, so that this file passes its own rules.
NOWHERE = (
    (r"\b(?:sleep_for|sleep_until|usleep|nanosleep|SleepFor|time\.sle" + r"ep)\b",
     "waits for a fixed time; wait for a condition with a deadline, or use virtual time"),
    (r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b",
     "promises work to come; do it, or say in prose what the limit is"),
    (r"\b(?:GTEST_SK" + r"IP|DISAB" + r"LED_\w+)",
     "hides a test; make it hold or take it out"),
    (r"/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/[a-z]|/tmp/w" + r"t\b",
     "is a path of one machine; derive it from the repository's root or a temporary folder"),
    (r"\b(?:registry\.npmjs" + r"\.org|pypi" + r"\.org|files\.pythonhosted" + r"\.org|crates" +
     r"\.io|proxy\.golang" + r"\.org)\b",
     "names a package registry; the clients know their own"),
)
# A program for people may let time itself go by (a refresh, the pause before a new attempt), and so
# may a stop that waits for load balancers; tests and the router never.
SLEEPING = NOWHERE[0][0]
MAY_SLEEP = re.compile(r"^(?:services|tools)/(?!.*_test\.cc$)")

LINES_MAX = 500
CODE = (".h", ".cc", ".c", ".py", ".ts", ".tsx", ".js", ".cmake", ".proto", ".sh")
TEXT = CODE + (".md", ".txt", ".yaml", ".yml", ".json", ".sql", ".css", ".html", ".service", ".cfg")

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
THREAD = re.compile(r"\bstd::j?thread\s*(?:\w+\s*)?[({]")
THREAD_NAME = re.compile(
    r"\b(?:NameThread|SetThreadName|NameThisThread|pthread_setname_np)\s*\("
    r'(?:\s*[\w.>()-]+\s*,)?\s*"([^"]+)"'
    r'|\{\.name = "([^"]+)", \.(?:threads|queue_max|every)')


class Finding:
    """One place that leaves a rule."""

    def __init__(self, file, line, text):
        self.file, self.line, self.text = file, line, text

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


def without_comments(text):
    """`text` of C++ with comments and string literals blanked; lines keep their numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def room_of(file):
    """The room of a file (`router/core`), or None outside of every room."""
    for room in sorted(MAY_INCLUDE, key=len, reverse=True):
        if file.startswith(room + "/"):
            return room
    return None


def is_test(file):
    return bool(re.search(r"_(?:test|testing|bench|fuzz)\.(?:cc|h)$", file))


def lint_includes(file, text):
    """A room includes only what the rules of passage allow."""
    room = room_of(file)
    if room is None:
        return
    allowed = MAY_INCLUDE[room] + (room + "/",)
    if is_test(file):
        allowed += ("tests/support/",)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        path = match.group(1)
        if path.startswith(OURS) and not path.startswith(allowed):
            yield Finding(file, number, f"{room} may not include {path}; it may include "
                          f"{', '.join(allowed)}")
        elif path.startswith("."):
            yield Finding(file, number, f"{path} is a relative include; write it from the "
                          "repository's root")


def lint_pure_rooms(file, text):
    """Core and playbook read no clock, no dice, no environment and no hash-map order."""
    if not file.startswith(tuple(room + "/" for room in PURE_ROOMS)) or is_test(file):
        return
    raw = text.splitlines()
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for pattern, why in FORBIDDEN_IN_PURE_ROOMS:
            match = re.search(pattern, line)
            if match:
                yield Finding(file, number, f"{match.group().strip()} in a pure room: it {why}")
        if HASHED.search(line):
            near = raw[max(0, number - 4):number + 1]
            near = "\n".join([FIRST_COMMENT.match(text).group(), *near])
            if not HASHED_ALLOWED.search(near):
                yield Finding(file, number, "a hash container in a pure room; use an ordered one, "
                              "or say above it, or in the first comment, `// order never seen`")


def lint_words(file, text):
    """Some words stand nowhere."""
    if file in ("tests/tidy/lint.py", "tests/tidy/lint_test.py"):
        return
    for pattern, why in NOWHERE:
        if pattern == SLEEPING and MAY_SLEEP.match(file):
            continue
        for match in re.finditer(pattern, text):
            yield Finding(file, text.count("\n", 0, match.start()) + 1,
                          f"`{match.group()}` {why}")


def lint_shape(file, text):
    """Length of files, first lines of headers."""
    lines = text.count("\n")
    generated = file.endswith((".json", ".md", ".txt")) or "/golden/" in file
    if lines > LINES_MAX and not generated:
        yield Finding(file, LINES_MAX + 1, f"the file has {lines} lines, the ceiling is "
                      f"{LINES_MAX}; split it by subject")
    if file.endswith(".h"):
        if not text.startswith(("//", "/*")):
            yield Finding(file, 1, "a header begins with a comment: what it is for, purity or "
                          "thread rule, lifetimes")
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield Finding(file, 1, "a header has `#pragma once` after its first comment")


def lint_threads(file, text, table):
    """Every thread has a name, and every name a line in the thread table."""
    if not file.startswith(("router/", "services/")) or not file.endswith((".cc", ".h")):
        return
    if is_test(file):
        return
    code = without_comments(text)
    starts = [n for n, line in enumerate(code.splitlines(), 1) if THREAD.search(line)]
    names = [(text.count("\n", 0, m.start()) + 1, m.group(1) or m.group(2))
             for m in THREAD_NAME.finditer(text)]
    for number, name in names:
        if f"`{name}`" not in table:
            yield Finding(file, number, f"the thread `{name}` has no line in the thread table of "
                          "router/README.md")
    if file.endswith(".cc") and starts and not re.search(r"pthread_setname_np|NameThread", code):
        yield Finding(file, starts[0], "a thread without a name; call NameThread first in it")


THREAD_ROW = re.compile(r"^\| `([\w-]+)` \|")
NAMED_BY_OTHERS = {"main"}  # the first thread has the name of its program


def lint_thread_table(texts):
    """Every line of the thread table stands there once, and a thread of its name exists."""
    names = {m.group(1) or m.group(2) for file, text in texts.items()
             if file.startswith(("router/", "services/")) and file.endswith((".cc", ".h"))
             and not is_test(file) for m in THREAD_NAME.finditer(text)}
    seen = set()
    section = ""
    for number, line in enumerate(texts.get("router/README.md", "").splitlines(), 1):
        section = line if line.startswith("#") else section
        row = THREAD_ROW.match(line)
        if section != "## Threads" or not row:
            continue
        name = row.group(1)
        if name in seen:
            yield Finding("router/README.md", number, f"the thread `{name}` has a second line")
        elif name not in names | NAMED_BY_OTHERS:
            yield Finding("router/README.md", number, f"no thread is named `{name}` any more; take "
                          "its line out")
        seen.add(name)


FIELD = re.compile(r"^\s+(?:repeated\s+|optional\s+)?(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*\d+\s*"
                   r"(?:\[[^\]]*\])?;")
SCALAR = re.compile(r"^(?:string|bytes|bool|double|float|s?fixed(?:32|64)|[su]?int(?:32|64)|map<)")
MESSAGE = re.compile(r"^\s*message\s+\w+\s*\{")


def commented_fields(texts):
    """Names that are explained somewhere, at a field or `so` in a comment: one word has one meaning
    everywhere."""
    names = set()
    for text in texts:
        before = ""
        for line in text.splitlines():
            match = FIELD.match(line)
            if match and before.strip().startswith("//"):
                names.add(match.group(2))
            if line.strip().startswith("//"):
                names.update(re.findall(r"`(\w+)`", line))
            before = line
    return names


def lint_proto(file, text, explained):
    """A scalar field is explained in its run of fields, by its message's comment, or where the same
    name stands elsewhere. A field of a message or enum type is explained by that type."""
    if not file.startswith("proto/tandem/"):
        return
    if not text.startswith("//"):
        yield Finding(file, 1, "a proto file begins with a comment: what it is for")
    if not file.startswith("proto/tandem/v1/"):
        return  # what is stored has the meaning of the core's types, which are explained there
    before, run_explained, message_explained = "", False, False
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if MESSAGE.match(line):
            message_explained = before.startswith("//")
        if not stripped or stripped.endswith(("{", "}")):
            run_explained = False
        run_explained = run_explained or stripped.startswith("//")
        match = FIELD.match(line)
        if match and SCALAR.match(match.group(1)):
            if not (run_explained or message_explained or match.group(2) in explained):
                yield Finding(file, number, f"the field `{match.group(2)}` is explained nowhere; "
                              "say above it what it holds, its unit and its limit")
        before = stripped


LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def lint_links(file, text, root):
    """A document's links into the repository lead somewhere."""
    if not file.endswith(".md"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if ":" not in target and not ((root / file).parent / target).exists():
                yield Finding(file, number, f"the link to {target} leads nowhere")


def files_of(root):
    """Every text file that git has or would add, relative to `root`."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root,
                                capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [str(p.relative_to(root)) for p in root.rglob("*")
                  if not p.relative_to(root).parts[0].startswith(("build", ".git"))]
    for name in sorted(set(listed)):
        path = root / name
        if not name or not path.is_file():
            continue
        if path.suffix in TEXT or path.name == "CMakeLists.txt" or is_script(path):
            yield name


def is_script(path):
    if path.suffix:
        return False
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def lint(root):
    """Returns every finding under `root`, by file and line."""
    texts = {name: (root / name).read_text(encoding="utf-8", errors="replace")
             for name in files_of(root)}
    table = texts.get("router/README.md", "")
    explained = commented_fields(t for n, t in texts.items() if n.endswith(".proto"))
    findings = list(lint_thread_table(texts))
    for file, text in texts.items():
        if file.endswith((".h", ".cc")):
            findings += lint_includes(file, text)
            findings += lint_pure_rooms(file, text)
            findings += lint_threads(file, text, table)
        if file.endswith(".proto"):
            findings += lint_proto(file, text, explained)
        findings += lint_links(file, text, root)
        findings += lint_words(file, text)
        findings += lint_shape(file, text)
    return sorted(findings, key=lambda f: (f.file, f.line, f.text))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    findings = lint(root)
    for finding in findings:
        print(finding)
    print(f"lint: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
