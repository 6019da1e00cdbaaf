"""Runs clang-tidy over our own sources, and over each only once in the same form.

usage: run_clang_tidy.py --build FOLDER --cache FOLDER [--jobs N] [--seconds N]

A source is clean in a form when its text, every header of ours that it reaches, its compile command,
the configuration and clang-tidy's version are all unchanged; then it is not looked at again. New
forms are looked at until the time is up: changed files first, the rest in an order that differs from
commit to commit, so that every file gets its turn even where no cache survives. What was left is
counted in the last line.

gRPC's headers cost clang about 8 s a source. Sources that reach them are given one precompiled header
of clang's own; this changes nothing but the time.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("router", "services", "tools", "tests")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
PRECOMPILED = "#include <grpcpp/grpcpp.h>\n#include <google/protobuf/message.h>\n"


def digest(*parts):
    """SHA-256 over the parts, hexadecimal."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


class Sources:
    """What our sources include, transitively, and the digest of it."""

    def __init__(self, build):
        self.build = build
        self.direct = {}

    def reach(self, file):
        """Every file of ours that `file` includes, itself included."""
        seen, todo = set(), [file]
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo += self.includes_of(current)
        return seen

    def includes_of(self, file):
        if file not in self.direct:
            names = INCLUDE.findall(file.read_text(encoding="utf-8", errors="replace"))
            places = (ROOT, self.build / "proto", file.parent)
            found = (next((p / n for p in places if (p / n).is_file()), None) for n in names)
            self.direct[file] = [f.resolve() for f in found if f]
        return self.direct[file]

    def digest_of(self, reached):
        return digest(*(f.read_bytes() for f in sorted(reached)))


def arguments_of(entry):
    """The compile command without the launcher, gcc's own options and the output."""
    words = shlex.split(entry["command"]) if "command" in entry else list(entry["arguments"])
    start = next(i for i, w in enumerate(words) if re.search(r"(?:c|g|clang)\+\+[-\d.]*$", w))
    kept, skip = [], False
    for word in words[start + 1:]:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MF", "-MT", "-MQ"):
            skip = word != "-c"
        elif word not in ("-fpch-preprocess", "-Wlogical-op", "-Wduplicated-cond", "-Werror",
                          "-Wno-restrict", "-Wno-maybe-uninitialized"):
            kept.append(word)
    return [word for word in kept if word != entry["file"]]


def precompile(build, arguments):
    """Makes clang's precompiled header for sources with these arguments; None when it cannot."""
    flags = [a for a in arguments if not a.startswith("-I") or "/build/" in a]
    folder = build / "clang-pch"
    folder.mkdir(exist_ok=True)
    target = folder / (digest(*flags)[:16] + ".pch")
    source = folder / "grpc.h"
    if not target.exists():
        source.write_text(PRECOMPILED)
        made = subprocess.run(["clang++-14", *arguments, "-w", "-x", "c++-header", str(source), "-o",
                               str(target)], cwd=build, capture_output=True, check=False)
        if made.returncode != 0:
            return None
    return target


def look_at(source, arguments, header, build):
    """Returns (clean, output)."""
    extra = ["-include-pch", str(header)] if header else []
    run = subprocess.run(
        ["clang-tidy", "--quiet", str(source), "--", *arguments, *extra, "-w"],
        cwd=build, capture_output=True, text=True, check=False, timeout=600)
    return run.returncode == 0, run.stdout + ("" if run.returncode == 0 else run.stderr)


def changed_files():
    """Files that differ from the last commit or were changed by it."""
    def git(*arguments):
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True,
                             check=False)
        return run.stdout.splitlines() if run.returncode == 0 else []
    names = git("diff", "--name-only", "HEAD") + git("diff", "--name-only", "HEAD~1", "HEAD")
    names += git("ls-files", "--others", "--exclude-standard")
    commit = "".join(git("rev-parse", "HEAD"))
    return {(ROOT / name).resolve() for name in names}, commit


def work_list(build, cache):
    """Returns ([(source, arguments, key, reaches gRPC)], number of clean ones)."""
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True,
                             check=True).stdout
    configuration = (ROOT / ".clang-tidy").read_bytes()
    sources = Sources(build)
    changed, commit = changed_files()
    work, clean = [], 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        inside = source.is_relative_to(ROOT) and source.relative_to(ROOT).parts[0] in ROOMS
        if not inside or source.is_relative_to(build):
            continue
        arguments = arguments_of(entry)
        reached = sources.reach(source)
        key = digest(version, configuration, " ".join(arguments), sources.digest_of(reached))
        if (cache / key).exists():
            clean += 1
            continue
        texts = (f.read_text(encoding="utf-8", errors="replace") for f in reached)
        grpc = any("<grpcpp/" in text or ".grpc.pb.h" in f.name for f, text in zip(reached, texts))
        order = (not changed & reached, digest(commit, source))
        work.append((order, source, arguments, key, grpc))
    work.sort(key=lambda item: item[0])
    return [item[1:] for item in work], clean


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=360)
    options = parser.parse_args()
    build, cache = options.build.resolve(), options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    work, clean = work_list(build, cache)
    deadline = time.monotonic() + options.seconds
    headers = {}
    for _, arguments, _, grpc in work:
        if grpc:
            flags = tuple(a for a in arguments if not a.startswith("-D") and a.startswith("-"))
            if flags not in headers:
                headers[flags] = precompile(build, arguments)
    bad, left = [], 0

    def one(item):
        source, arguments, key, grpc = item
        if time.monotonic() > deadline:
            return source, None, "", 0.0
        started = time.monotonic()
        flags = tuple(a for a in arguments if not a.startswith("-D") and a.startswith("-"))
        fine, output = look_at(source, arguments, headers.get(flags) if grpc else None, build)
        if fine:
            (cache / key).touch()
        return source, fine, output, time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, fine, output, seconds in pool.map(one, work):
            name = source.relative_to(ROOT)
            if fine is None:
                left += 1
            elif fine:
                print(f"{seconds:6.1f} s  {name}", flush=True)
            else:
                bad.append(name)
                print(f"{seconds:6.1f} s  {name}\n{output}", flush=True)
    seen = len(work) - left - len(bad)
    print(f"clang-tidy: {len(bad)} with findings, {seen} looked at and clean, {clean} known to be "
          f"clean, {left} left for another run")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
