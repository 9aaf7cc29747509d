# SPDX-License-Identifier: GPL-2.0
"""The mistakes that the repository knows, and the labs that they belong to.

xv6/mutants, tests/guest/mutants and tests/host/mutants have them. A mistake belongs to the
lab that has a part where it is made: the same file and function. labs/mistakes says what
each must lose.
"""

import fnmatch
import os
import re
import subprocess

import course
from course import Complaint

MISTAKES = os.path.join(course.HERE, "mistakes")

# Print the arguments of each call of mutant in one of the lists.
OTHER_LINES = (r"(?m)^(\.|cd|cp|begin|echo|finish|set|sound|trap|work=.*|source=.*)( .*)?$"
               r"|^\(\(.*$|^\[\[.*$")
LIST = r"""

mutant() { printf '%s\0' "${@:1:3}"; }
"""

# The conditionals as they are when all labs are finished.
FINISHED = {s: v for lab in course.Course().labs.values() for s, v in lab.symbols.items()}


class Mistake:
    """A mutant of one of the lists."""

    def __init__(self, source, name, file, script=None, patch=None):
        self.source = source
        self.name = name
        self.file = file
        self.script = script  # of sed
        self.patch = patch

    def make(self, directory):
        """Put it into a tree; returns whether that worked."""
        if self.patch:
            tree = os.path.join(directory, "xv6")
            done = subprocess.run(["patch", "--quiet", "--force", "-p1", "-d", tree,
                                   "-i", self.patch], capture_output=True, check=False)
            return done.returncode == 0
        path = os.path.join(directory, self.file)
        with open(path, encoding="utf-8") as f:
            before = f.read()
        subprocess.run(["sed", "-i", self.script, path], check=True)
        with open(path, encoding="utf-8") as f:
            return f.read() != before

    def places(self):
        """Pairs of a file and a function that it changes."""
        if self.patch:
            return patched_places(self.patch)
        with open(os.path.join(course.TOP, self.file), encoding="utf-8") as f:
            before = f.read()
        after = subprocess.run(["sed", self.script], input=before, check=True, text=True,
                               capture_output=True).stdout
        return {(self.file, name) for name in functions_of(before) | functions_of(after)
                if body_of(before, name) != body_of(after, name)}


def body_of(text, name):
    """A function of the finished labs."""
    lines = course.resolve(text.split("\n"), FINISHED)
    found = course.find_function(lines, name)
    return lines[found[1]:found[3] + 1] if found else []


def functions_of(text):
    """The names of the functions that a file defines."""
    found = re.findall(r"^[A-Za-z_][^;=#\n]*?\b(\w+)\((?:[^;{]*)\n\{$", text, re.MULTILINE)
    return set(found)


def patched_places(patch):
    """The same for a patch of xv6/."""
    with open(patch, encoding="utf-8") as f:
        files = re.findall(r"^\+\+\+ b/(\S+)", f.read(), re.MULTILINE)
    places = set()
    for file in files:
        path = os.path.join(course.TOP, "xv6", file)
        done = subprocess.run(["patch", "--quiet", "--force", "-p1", "-o", "-", path, "-i", "-"],
                              input=only(patch, file), text=True, capture_output=True)
        with open(path, encoding="utf-8") as f:
            before = f.read()
        names = functions_of(before) | functions_of(done.stdout)
        places |= {(f"xv6/{file}", n) for n in names
                   if body_of(before, n) != body_of(done.stdout, n)}
    return places


def only(patch, file):
    """The part of a patch that is about one file."""
    with open(patch, encoding="utf-8") as f:
        parts = re.split(r"(?m)^(?=--- a/)", f.read())
    return "".join(p for p in parts if p.startswith(f"--- a/{file}\n") or
                   p.startswith(f"--- a/{file}\t"))


def listed(path):
    """The arguments of each mutant in a list: what, file, sed's script."""
    with open(os.path.join(course.TOP, path), encoding="utf-8") as f:
        script = re.sub(OTHER_LINES, "", f.read())
    # What the list defines itself is defined again behind it.
    definitions = re.search(r"(?m)^mutant\(\)\n\{.*?^\}$", script, re.DOTALL)
    if definitions:
        script = script.replace(definitions[0], "")
    said = subprocess.run(["bash", "-c", LIST + script], text=True, capture_output=True).stdout
    words = said.split("\0")
    return list(zip(words[0::3], words[1::3], words[2::3]))


def known():
    """All mistakes, by source and name."""
    found = {}
    directory = os.path.join(course.TOP, "xv6", "mutants")
    for file in sorted(os.listdir(directory)):
        if file.endswith(".patch"):
            name = file[:-len(".patch")]
            found["xv6", name] = Mistake("xv6", name, "xv6", patch=os.path.join(directory, file))
    for what, file, script in listed("tests/guest/mutants"):
        found["guest", what] = Mistake("guest", what, file, script)
    for name, what, script in listed("tests/host/mutants"):
        found["host", f"{name}: {what}"] = Mistake("host", f"{name}: {what}", f"{name}.c", script)
    return found


def labs_of(labs, mistake):
    """The labs that have a part where the mistake is made."""
    places = mistake.places()
    return sorted(l.number for l in labs.labs.values()
                  if {(p.file, p.name) for p in l.parts} & places)


class Expected:
    """A line of labs/mistakes."""

    def __init__(self, where, lab, source, name, loses):
        self.where = where
        self.lab = lab
        self.source = source
        self.name = name
        self.must = [w for w in loses if not w.startswith("?")]
        self.may = [w[1:] for w in loses if w.startswith("?")]

    def fits(self, mistake, labs):
        """Is the line about a mistake? With a pattern, only if its place is in the lab."""
        if mistake.source != self.source or not fnmatch.fnmatchcase(mistake.name, self.name):
            return False
        return mistake.name == self.name or self.lab in labs_of(labs, mistake)

    def compare(self, lost):
        """What is not as it should be: tests that are lost, and tests that are not."""
        wrong = [f"lost, too: {l}" for l in lost
                 if not any(fnmatch.fnmatchcase(l, p) for p in self.must + self.may)]
        return wrong + [f"not lost: {p}" for p in self.must
                        if not any(fnmatch.fnmatchcase(l, p) for l in lost)]


def read_expected():
    """The lines of labs/mistakes: what each mistake loses; and those that belong to no lab."""
    expected, left_out = [], {}
    lab = None
    with open(MISTAKES, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            where = f"labs/mistakes:{number}"
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head, _, rest = line.partition(" : ")
            source, _, name = head.partition(" ")
            if source == "lab":
                lab = int(name)
            elif source == "without":
                source, _, name = name.partition(" ")
                left_out[lab, source, name] = rest
            elif source in ("xv6", "guest", "host"):
                expected.append(Expected(where, lab, source, name, rest.split()))
            else:
                raise Complaint(f"{where}: cannot be read: {line}")
    return expected, left_out
