# SPDX-License-Identifier: GPL-2.0
"""What labs/skeleton and labs/grade share: the labs in labs/parts, and C as text.

labs/README describes the format of labs/parts.
"""

import fnmatch
import os
import re
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PARTS = os.path.join(HERE, "parts")
WIDTH = 72  # of a LAB comment's text, without indentation
KINDS = ("stub", "note", "drop", "change", "section")


class Complaint(Exception):
    """labs/parts does not fit the sources, or a command cannot be obeyed."""


def main(run):
    """Call run(); a Complaint ends the program with its message."""
    try:
        sys.exit(run())
    except Complaint as complaint:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {complaint}")


# ---- labs/parts ----


class Part:
    """A place in the sources that a lab changes."""

    def __init__(self, where, lab, kind, file, name, body):
        self.where = where  # "labs/parts:12"
        self.lab = lab
        self.kind = kind
        self.file = file
        self.name = name
        self.body = body  # of a stub; None: by the type
        self.before = None  # the same, in the trees of earlier labs; None: as body
        self.text = []  # lines
        self.hunks = []  # pairs of lists of lines

    def add_change(self, sign, line):
        """A line of a change: "-" or "+" and the line itself."""
        if sign == "-":
            if not self.hunks or self.hunks[-1][1]:
                self.hunks.append(([], []))
            self.hunks[-1][0].append(line)
        elif self.hunks:
            self.hunks[-1][1].append(line)
        else:
            raise Complaint(f"{self.where}: nothing to put the + line in place of")


class Room:
    """A source file that a tree does without."""

    def __init__(self, where, tree, file, before):
        self.where = where
        self.tree = tree
        self.file = file
        self.before = before  # the first lab that has the file; None: none has
        self.bodies = {}  # of the functions that take the place of its own; by the type

    def is_closed(self, lab):
        """Is the file left out of a lab's tree?"""
        return self.tree == lab.tree and (self.before is None or lab.number < self.before)

    def header(self):
        """The header with the file's functions."""
        return self.file[:-len(".c")] + ".h"


class Outcome:
    """What a test said."""

    def __init__(self, passed, why="", ran=True, stopped=False, leaks=False):
        self.passed = passed
        self.why = why
        self.ran = ran
        self.stopped = stopped  # the machine crashed or hangs
        self.leaks = leaks  # pages are lost


class Item:
    """Tests that are worth some points each.

    A test is "NAME"; "NAME*N": N times; "!NAME": all of the program but this and those that
    other items name.

    keeps: they pass on the skeleton already, and count only when the lab's key test passes.
    """

    def __init__(self, where, keeps, points, runner, program, tests, what):
        self.where = where
        self.keeps = keeps
        self.points = points
        self.runner = runner
        self.program = program
        self.tests = tests  # empty: the whole program is one test
        self.what = what


class Lab:
    """A lab of labs/parts."""

    def __init__(self, number, tree, title):
        self.number = number
        self.tree = tree
        self.title = title
        self.handout = None  # a file in labs/
        self.answers = None  # the same, with lines to be filled in
        self.parts = []
        self.items = []
        self.symbols = {}  # name: whether the finished lab defines it
        self.key = None  # the program and test without which items that keep are worth nothing
        self.cpus = 2  # of the machine that tests it

    def files(self):
        """The files that the lab's parts are in."""
        return sorted({part.file for part in self.parts})

    def most(self):
        """All points."""
        return sum(i.points * max(len(i.tests), 1) for i in self.items)


class Course:
    """All labs, and the trees that they are made of."""

    def __init__(self, path=PARTS):
        self.labs = {}
        self.trees = {}  # name: patterns of files
        self.symbols = {}  # name: the tree, and whether its skeletons define it
        self.rooms = []
        self.path = path
        self.lab = self.part = self.text = None
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                where = f"{os.path.relpath(path, TOP)}:{number}"
                try:
                    self._line(where, line.rstrip("\n"))
                except (ValueError, IndexError, KeyError, AttributeError) as error:
                    raise Complaint(f"{where}: cannot be read: {line.strip()}") from error

    def _line(self, where, line):
        if not line or line.startswith("#"):
            return
        if line == "...":
            self.part.hunks.append(([], []))
        elif line[0] in "-+":
            self.part.add_change(line[0], line[1:])
        elif line[0] == "\t":
            self.text.append(line[1:])
        else:
            self._directive(where, line)

    def _directive(self, where, line):
        words = line.split()
        kind = words[0]
        if kind == "lab":
            number = int(words[1])
            self.lab = Lab(number, words[2], " ".join(words[3:]))
            self.trees[words[2]]  # must be there
            self.labs[number] = self.lab
        elif kind == "tree":
            self.trees[words[1]] = words[2:]
        elif kind == "room":
            before = int(words[words.index("before") + 1]) if "before" in words else None
            self.rooms.append(Room(where, words[1], words[2], before))
        elif kind == "instead":
            head, _, body = line.partition(" = ")
            self.rooms[-1].bodies[head.split()[1]] = body
        elif kind == "symbol":
            after = {"before": False, "after": True, "never": False}[words[2]]
            if self.lab:
                self.lab.symbols[words[1]] = after
            else:
                self.symbols[words[1]] = (words[3], after)
        elif kind in ("handout", "answers"):
            setattr(self.lab, kind, words[1])
        elif kind in KINDS:
            head, _, body = line.partition(" = ")
            _, file, name = head.split(maxsplit=2)
            self.part = Part(where, self.lab, kind, file, name, body or None)
            self.lab.parts.append(self.part)
            self.text = self.part.text
        elif kind == "before":
            self.part.before = line.split(maxsplit=1)[1]
        elif kind == "cpus":
            self.lab.cpus = int(words[1])
        elif kind == "key":
            self.lab.key = (words[1], " ".join(words[2:]))
        elif kind in ("points", "keep"):
            head, _, what = line.partition(" : ")
            _, points, runner, program, *tests = head.split()
            self.lab.items.append(Item(where, kind == "keep", int(points), runner, program,
                                       tests, what))
            self.text = tests  # with blanks, one in a line
        else:
            raise Complaint(f"{where}: there is no directive {kind}")

    def find(self, number):
        """The lab of a number."""
        try:
            return self.labs[int(number)]
        except (KeyError, ValueError):
            known = ", ".join(str(n) for n in sorted(self.labs))
            raise Complaint(f"there is no lab {number}; LAB is one of {known}") from None

    def files(self, tree, top=TOP):
        """The files of a tree in the repository: those that git knows, or could know."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=top,
                                check=True, capture_output=True, text=True).stdout.splitlines()
        wanted = []
        for name in listed:
            patterns = [p for p in self.trees[tree] if matches(name, p.lstrip("!"))]
            if patterns and not any(p.startswith("!") for p in patterns) and \
                    os.path.exists(os.path.join(top, name)):
                wanted.append(name)
        return sorted(set(wanted))


def matches(name, pattern):
    """Does a pattern fit a file? Without a slash, it is about the top directory only."""
    return fnmatch.fnmatchcase(name, pattern) and ("/" in pattern or "/" not in name)


# ---- C as text ----


def find_function(lines, name):
    """Where a function's comment, its first line, its body and its end are; None: nowhere.

    This relies on the style of the sources: a definition begins in the first column, and so
    do the braces around its body. Returns numbers of lines.
    """
    for i, line in enumerate(lines):
        if not re.match(rf"[A-Za-z_][^;=#]*\b{name}\(|{name}\(", line):
            continue
        brace = i
        while brace < len(lines) and lines[brace] not in ("{", "") and \
                not lines[brace].rstrip().endswith(";"):
            brace += 1
        if brace == len(lines) or lines[brace] != "{":
            continue
        start = i
        if i and re.match(r"[A-Za-z_][\w \t*]*$", lines[i - 1]):
            start -= 1  # the type stands alone
        end = lines.index("}", brace)
        return comment_above(lines, start), start, brace, end
    return None


def comment_above(lines, start):
    """Where the comment that ends just before a line begins."""
    if not start or not lines[start - 1].endswith("*/"):
        return start
    at = start - 1
    while not lines[at].lstrip().startswith("/*"):
        at -= 1
    return at


def parameters(signature):
    """The names of a function's parameters."""
    inside = signature[signature.index("(") + 1:signature.rindex(")")]
    names = []
    depth = 0
    part = ""
    for c in inside + ",":
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            pointer = re.search(r"\(\*\s*(\w+)\)", part)
            plain = re.search(r"(\w+)\s*(\[[^]]*\]\s*)*$", part)
            if part.strip() not in ("void", "", "..."):
                names.append((pointer or plain).group(1))
            part = ""
        else:
            part += c
    return names


def return_statement(signature, name):
    """What a function returns that does nothing: "" if it returns nothing."""
    before = re.split(rf"\b{name}\(", signature)[0]
    words = [w for w in before.split() if w not in ("static", "inline", "extern", "const")]
    text = " ".join(words)
    if "*" in text:
        return "return NULL;"
    if text == "void":
        return ""
    if text == "bool":
        return "return false;"
    if text.startswith("struct "):
        return f"return ({text}){{ 0 }};"
    return "return 0;"


def inline_stubs(lines, bodies, is_used):
    """A header whose functions do nothing, or what their bodies say; unused ones are gone.

    Returns its lines, and the names of the functions.
    """
    text = re.sub(r"(?m)^/\*\*(?:.|\n)*?\*/\n", "", "\n".join(lines))
    names = []

    def replace(found):
        name = found[1].split("(")[0].split()[-1].lstrip("*")
        if not is_used(name):
            return ""
        names.append(name)
        signature = f"static inline {found[1]}"
        body = bodies.get(name, return_statement(signature, name)).replace("\\n", "\n")
        inside = [f"\t{l}" for l in body.split("\n") if l]
        return "\n".join([signature, "{", *inside, "}\n"])

    text = re.sub(r"(?m)^([a-z][\w *]*\([^;{}]*\));\n", replace, text)
    return squeeze(text.split("\n")), names


def comment(text, indent="\t"):
    """Lines of a comment: one block, wrapped."""
    wrapped = []
    for paragraph in "\n".join(text).split("\n\n"):
        if wrapped:
            wrapped.append("")
        wrapped += textwrap.wrap(" ".join(paragraph.split()), WIDTH)
    return [f"{indent}/*", *((f"{indent} * {l}").rstrip() for l in wrapped), f"{indent} */"]


def resolve(lines, defined):
    """Lines without the conditionals on the symbols of a table, and without what they hide."""
    out = []
    # For each open conditional: is it one of ours, and is this arm taken?
    stack = []
    for line in lines:
        word = re.match(r"#\s*(ifdef|ifndef|if|else|elif|endif)\b\s*(\w*)", line)
        shown = all(taken for ours, taken in stack if ours)
        if word and word[1] in ("ifdef", "ifndef") and word[2] in defined:
            stack.append((True, defined[word[2]] == (word[1] == "ifdef")))
            continue
        if word and word[1].startswith("if"):
            stack.append((False, True))
        elif word and word[1] == "else" and stack[-1][0]:
            stack[-1] = (True, not stack[-1][1])
            continue
        elif word and word[1] == "endif":
            ours, _ = stack.pop()
            if ours:
                continue
        if shown:
            out.append(line)
    return squeeze(out)


def squeeze(lines):
    """Lines without a second empty line in a row."""
    return [l for i, l in enumerate(lines) if l or not i or lines[i - 1]]
