"""Runs clang-tidy over our own sources, and over each only once in the same form.

usage: run_clang_tidy.py --build FOLDER --cache FOLDER [--jobs N] [--seconds N] [--file-seconds N]

A source is clean in a form when its text, every header of ours that it reaches, its compile
command, the configuration and clang-tidy's version are all unchanged; then it is not looked at
again. New forms are looked at until the time is up: changed files first, tests last, the rest in
an order that differs from commit to commit, so that every file gets its turn even where no cache
survives. What was left is counted in the last line and is no
failure.

Several sources are looked at in one translation unit (together.py); where that does not compile, in
two of half the size; where it does not end, each by itself, in this run or, first of all, in the
next. A source that does not end by itself is a failure: it hides what is in it.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass

import together

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("router", "services", "tools", "tests")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
COMPILER = re.compile(r"(?:^|/)(?:c|g|clang)\+\+[-\d.]*$")
# gcc's own, which clang does not know.
FOREIGN = ("-fpch-preprocess", "-Wlogical-op", "-Wduplicated-cond", "-Werror", "-Wno-restrict",
           "-Wno-maybe-uninitialized", "-Winvalid-pch")


@dataclass(frozen=True)
class Source:
    """One entry of the compile database that is ours and new in this form."""
    path: pathlib.Path
    arguments: tuple
    key: str      # names the form in the cache
    order: tuple  # smaller is looked at earlier

    @property
    def urgency(self):
        """Changed files come before the others, tests last."""
        return self.order[:2]


def digest(*parts):
    """SHA-256 over the parts, hexadecimal."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


class Includes:
    """What our sources include, transitively."""

    def __init__(self, build):
        self.build, self.direct = build, {}

    def reach(self, file):
        """Every file of ours that `file` includes, itself included."""
        seen, open_files = set(), [file]
        while open_files:
            current = open_files.pop()
            if current not in seen:
                seen.add(current)
                open_files += self.of(current)
        return seen

    def of(self, file):
        if file not in self.direct:
            names = INCLUDE.findall(file.read_text(encoding="utf-8", errors="replace"))
            places = (ROOT, self.build / "proto", file.parent)
            found = (next((p / n for p in places if (p / n).is_file()), None) for n in names)
            self.direct[file] = [f.resolve() for f in found if f]
        return self.direct[file]


def arguments_of(entry):
    """The compile command without the launcher, gcc's own options, input and output."""
    words = shlex.split(entry["command"]) if "command" in entry else list(entry["arguments"])
    start = next(i for i, w in enumerate(words) if COMPILER.search(w))
    kept, skip = [], False
    for word in words[start + 1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in FOREIGN and word not in ("-c", "-MD", entry["file"]):
            kept.append(word)
    return tuple(kept)


def placeless(arguments):
    """The command as it is in every checkout: what is clean in one is clean in all."""
    return " ".join(arguments).replace(str(ROOT), ".")


def changed_files():
    """Files that differ from the last commit or were changed by it, and the commit's name."""
    def git(*arguments):
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True,
                             check=False)
        return run.stdout.splitlines() if run.returncode == 0 else []
    names = git("diff", "--name-only", "HEAD") + git("diff", "--name-only", "HEAD~1", "HEAD")
    names += git("ls-files", "--others", "--exclude-standard")
    return {(ROOT / name).resolve() for name in names}, "".join(git("rev-parse", "HEAD"))


def new_sources(build, cache):
    """Returns (sources that are not known to be clean, in order; number of clean ones)."""
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True,
                             check=True).stdout
    configuration = (ROOT / ".clang-tidy").read_bytes()
    includes = Includes(build)
    changed, commit = changed_files()
    new, clean = {}, 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        ours = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS
        if not ours or path.suffix != ".cc" or path in new:
            continue
        arguments = arguments_of(entry)
        reached = sorted(includes.reach(path))
        key = digest(version, configuration, placeless(arguments),
                     *(f.read_bytes() for f in reached))
        if (cache / key).exists():
            clean += 1
            continue
        is_test = path.name.endswith("_test.cc") or path.relative_to(ROOT).parts[0] == "tests"
        order = (not changed.intersection(reached), is_test, digest(commit, path.parent))
        new[path] = Source(path, arguments, key, order)
    return sorted(new.values(), key=lambda s: (s.order, str(s.path))), clean


def text_of(source):
    return source.path.read_text(encoding="utf-8")


def alone_mark(cache, source):
    """Exists when the source was in a batch that did not end."""
    return cache / f"alone-{source.key}"


def batches_of(sources, cache):
    """What is suspected of not ending comes first, each by itself."""
    suspects = [s for s in sources if alone_mark(cache, s).exists()]
    others = [s for s in sources if s not in suspects]
    return ([batch for s in suspects for batch in together.batches([s], text_of)]
            + together.batches(others, text_of))


class Tidy:
    """Looks at batches until the time is up, and keeps what it saw."""

    def __init__(self, build, cache, seconds, file_seconds):
        self.build, self.cache, self.file_seconds = build, cache, file_seconds
        self.deadline = time.monotonic() + seconds
        self.clean = self.bad = self.left = self.apart = 0
        (build / "together").mkdir(exist_ok=True)

    def run(self, file, arguments):
        """Returns (clean, output); clean is None when it did not end."""
        try:
            made = subprocess.run(
                ["clang-tidy", "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(file), "--",
                 *arguments, "-w"],
                cwd=self.build, capture_output=True, text=True, check=False,
                timeout=self.file_seconds)
        except subprocess.TimeoutExpired:
            return None, ""
        return made.returncode == 0, made.stdout + ("" if made.returncode == 0 else made.stderr)

    def look_at(self, batch):
        """Looks at the sources of a batch. Returns [(sources, clean, output, seconds)]: more than
        one when they do not compile, or end, together. clean is None where the time was up."""
        if time.monotonic() > self.deadline:
            return [(batch.sources, None, "", 0.0)]
        started = time.monotonic()
        file, arguments = batch.sources[0].path, batch.sources[0].arguments
        if len(batch.sources) > 1:
            name = digest(*(s.path for s in batch.sources))[:16]
            file, arguments = self.build / "together" / f"{name}.cc", batch.command.arguments()
            file.write_text("".join(f'#include "{s.path}"\n' for s in batch.sources))
        fine, output = self.run(file, arguments)
        parts = []
        if fine is None and len(batch.sources) > 1:
            parts = batch.singles()
            for source in batch.sources:
                alone_mark(self.cache, source).touch()
        elif not fine and len(batch.sources) > 1 and "clang-diagnostic-error" in output:
            parts = batch.halves()
        if parts:
            self.apart += 1
            return [result for part in parts for result in self.look_at(part)]
        if fine is None:
            fine, output = False, (f"clang-tidy did not end within {self.file_seconds:g} s on this "
                                   "file alone; nobody knows what is in it\n")
        return [(batch.sources, fine, output, time.monotonic() - started)]

    def report(self, sources, fine, output, seconds):
        names = " ".join(str(s.path.relative_to(ROOT)) for s in sources)
        if fine is None:
            self.left += len(sources)
            return
        if fine:
            self.clean += len(sources)
            for source in sources:
                (self.cache / source.key).touch()
        else:
            self.bad += 1
        print(f"{seconds:6.1f} s  {names}" + ("" if fine else f"\n{output}"), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=900)
    # A batch that needs longer is looked at file by file, so this is about one file.
    parser.add_argument("--file-seconds", type=float, default=300)
    options = parser.parse_args()
    build, cache = options.build.resolve(), options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    sources, known = new_sources(build, cache)
    tidy = Tidy(build, cache, options.seconds, options.file_seconds)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for results in pool.map(tidy.look_at, batches_of(sources, cache)):
            for result in results:
                tidy.report(*result)
    print(f"{tidy.apart} times sources did not compile together")
    print(f"clang-tidy: {tidy.bad} with findings, {tidy.clean} clean now, {known} known clean, "
          f"{tidy.left} left for another run")
    return 1 if tidy.bad else 0


if __name__ == "__main__":
    sys.exit(main())
