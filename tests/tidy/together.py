"""Which sources clang-tidy looks at in one translation unit.

Nearly all of its time goes into the headers of gRPC, protobuf and abseil, which it matches anew for
each translation unit. So several sources share one, also of different targets: what a target's
command says beyond the others', libraries' macros and folders, is given to all of them.
"""

import re
from dataclasses import dataclass, field

TOGETHER_MAX = 8  # sources in one translation unit
# Decides about code, not about what is in it.
CODE_GENERATION = re.compile(r"-(?:f|g|W|pthread$)")
# What a file defines at the left margin, as clang-format lays it out: a macro, a test, a type or
# alias, a function or constant. A name that is qualified belongs to a class of the file's header.
DEFINED = tuple(re.compile(pattern, re.MULTILINE) for pattern in (
    r"^#define (\w+)",
    r"^((?:TYPED_)?TEST(?:_F|_P)?\(\w+, \w+)",
    r"^(?:template <[^\n]*>\s+)?(?:class|struct|enum class|enum|using) (\w+)(?= |;|$)",
    r"^(?=\w)[\w:<>,*&\[\]\" ]*?[\w>*&\]] ?(?<![:\w])(\w+)(?=\(|\{|\[| =|;)",
))
NOT_DEFINED = {"namespace", "return"}


def names_of(text):
    """The names that a source defines, where two of them would clash. May hold too many."""
    return {name for pattern in DEFINED for name in pattern.findall(text)} - NOT_DEFINED


@dataclass
class Command:
    """A compile command in its parts. Two can be merged when `fits`."""
    fixed: frozenset
    macros: dict
    folders: list

    @classmethod
    def of(cls, arguments):
        fixed, macros, folders = set(), {}, []
        words = iter(arguments)
        for word in words:
            if word in ("-isystem", "-I", "-include", "-iquote"):
                folders.append((word, next(words)))
            elif word.startswith("-I"):
                folders.append((word,))
            elif word.startswith("-D"):
                name, equals, value = word[2:].partition("=")
                macros[name] = equals + value
            elif not CODE_GENERATION.match(word):
                fixed.add(word)
        return cls(frozenset(fixed), macros, folders)

    def switches(self):
        """Macros that say no more than that they are there choose between two forms of our code."""
        return {name for name, value in self.macros.items()
                if name.startswith("TANDEM_") and not value}

    def fits(self, other):
        same = all(other.macros.get(name, value) == value for name, value in self.macros.items())
        return same and self.fixed == other.fixed and self.switches() == other.switches()

    def merge(self, other):
        self.macros = {**self.macros, **other.macros}
        self.folders += [folder for folder in other.folders if folder not in self.folders]

    def arguments(self):
        return (*sorted(self.fixed), *(f"-D{name}{value}" for name, value in self.macros.items()),
                *(word for folder in self.folders for word in folder))


@dataclass
class Batch:
    """Sources that are looked at together."""
    command: Command
    sources: list = field(default_factory=list)
    names: set = field(default_factory=set)

    def takes(self, command, names):
        return (len(self.sources) < TOGETHER_MAX and self.command.fits(command)
                and self.names.isdisjoint(names))

    def add(self, source, command, names):
        self.sources.append(source)
        self.command.merge(command)
        self.names |= names

    def halves(self):
        """The same as two batches, for when it does not compile as one."""
        half = len(self.sources) // 2
        return [Batch(self.command, part) for part in (self.sources[:half], self.sources[half:])]

    def singles(self):
        """The same as a batch for each source, for when it does not end as one."""
        return [Batch(self.command, [source]) for source in self.sources]


def batches(sources, text_of):
    """Puts each source, in order, into the first batch that takes it. Sources of different
    `urgency` keep apart, so that the order stays."""
    made = {}
    for source in sources:
        command, names = Command.of(source.arguments), names_of(text_of(source))
        group = made.setdefault(source.urgency, [])
        batch = next((b for b in group if b.takes(command, names)), None)
        if batch is None:
            batch = Batch(Command.of(source.arguments))
            group.append(batch)
        batch.add(source, command, names)
    return [batch for group in made.values() for batch in group]
