# SPDX-License-Identifier: GPL-2.0
"""Makes the trees of the labs, from the sources and labs/parts."""

import os
import re
import shutil

import course
import on_petmem
from course import Complaint

MAKEFILE = """\
# SPDX-License-Identifier: GPL-2.0
# Lab {number}: {title}. HANDOUT says what to do.

# The repository that this tree was made from.
COURSE ?= {top}

.PHONY: grade handout {goals}
{rules}
# Points, and what went wrong.
grade:
\t@$(MAKE) -s -C $(COURSE) grade LAB={number} DIR=$(CURDIR)

handout:
\t@cat HANDOUT
"""
RULES = {
    "xv6": ("qemu clean", """\
# Boot the kernel on this terminal; Ctrl-a x ends it.
qemu:
\t@$(MAKE) -s -C xv6 qemu

clean:
\t@$(MAKE) -s -C xv6 clean

"""),
    "petmem": ("module walk run", """\
# Compile the module, for the kernel of the virtual machine.
module:
\t@mkdir -p build && vm/build module 6.1 build && echo build/petmem.ko

# Run a program in the virtual machine: PROGRAM=examples/first-fit
PROGRAM ?= user/test
run:
\t@$(MAKE) -s -C user && $(MAKE) -s -C examples
\t@vm/run --file $(PROGRAM) -- ./$(notdir $(PROGRAM))

# A page fault and the page tables.
walk:
\t@$(MAKE) -s -C user && $(MAKE) -s -C examples
\t@vm/run --file examples/fault -- ./fault

"""),
}


RULES["whole"] = RULES["petmem"]


class Tree:
    """The files of a tree, as lists of lines, while they change."""

    def __init__(self, labs, names):
        self.labs = labs
        self.files = {}
        for name in names:
            with open(os.path.join(course.TOP, name), encoding="utf-8", newline="") as f:
                self.files[name] = f.read().split("\n")

    def lines(self, part):
        if part.file not in self.files:
            raise Complaint(f"{part.where}: the tree has no file {part.file}")
        return self.files[part.file]

    def function(self, part):
        found = course.find_function(self.lines(part), part.name)
        if not found:
            raise Complaint(f"{part.where}: {part.file} has no function {part.name}")
        return found

    def resolve(self, defined):
        """Take one arm of each conditional."""
        seen = set()
        for name, lines in self.files.items():
            if name.endswith((".c", ".h", ".S")):
                seen |= {s for s in defined if any(re.search(rf"\b{s}\b", l) for l in lines)}
                self.files[name] = course.resolve(lines, defined)
        missing = sorted(set(defined) - seen)
        if missing:
            raise Complaint(f"labs/parts: no file of the tree knows {', '.join(missing)}")

    def close(self, room):
        """Leave a source file out: its header's functions do what the room says."""
        header = room.header()
        if room.file not in self.files or header not in self.files:
            raise Complaint(f"{room.where}: the tree has no {room.file} and {header}")
        name = f"{room.file[:-len('.c')]}.o"
        kbuild = "\n".join(self.files["Kbuild"])
        kbuild, count = re.subn(rf" {re.escape(name)}(?=\s)", "", kbuild)
        if count != 1:
            raise Complaint(f"{room.where}: Kbuild has {name} {count} times")
        self.files["Kbuild"] = kbuild.split("\n")
        del self.files[room.file]
        others = "\n".join("\n".join(l) for n, l in self.files.items()
                           if n.endswith((".c", ".h")) and "/" not in n and n != header)
        lines, names = course.inline_stubs(
            self.files[header], room.bodies, lambda n: re.search(rf"\b{n}\(", others))
        strange = sorted(set(room.bodies) - set(names))
        if strange:
            raise Complaint(f"{room.where}: {header}: nobody calls {', '.join(strange)}")
        about = f" * {header} - stubs: this lab's tree does without {room.file}."
        lines[1:lines.index(" */") + 1] = ["/*", about, " */"]
        self.files[header] = lines

    def apply(self, part, own):
        """Make a part what a student finds; own: in the part's own lab."""
        getattr(self, f"_{part.kind}")(part, own)

    def _mark(self, part, own, indent="\t"):
        """What a stub says: the task in its own lab, or where it is set."""
        if own:
            return course.comment([f"LAB {part.lab.number}: " + "\n".join(part.text)], indent)
        return [f"{indent}/* Lab {part.lab.number}. */"]

    def _stub(self, part, own):
        lines = self.lines(part)
        _, start, brace, end = self.function(part)
        signature = "\n".join(lines[start:brace])
        body = part.body if own or part.before is None else part.before
        if body is None:
            body = course.return_statement(signature, part.name)
        out = self._mark(part, own)
        used = [n for n in course.parameters(signature) if not re.search(rf"\b{n}\b", body)]
        out += [f"\t(void){name};" for name in used]
        out += ["\t" + l for l in body.replace("\\n", "\n").split("\n") if l]
        if own:
            out.append("\t/* END LAB */")
        lines[brace + 1:end] = out

    def _note(self, part, own):
        lines = self.lines(part)
        _, _, brace, _ = self.function(part)
        if own:
            lines[brace + 1:brace + 1] = self._mark(part, own)

    def _drop(self, part, own):
        """Remove a definition with its comment, and the _Static_asserts that use it."""
        lines = self.lines(part)
        found = course.find_function(lines, part.name)
        if found:
            above, _, _, end = found
        else:
            above, end = self._find_data(part)
        end += 1
        if above and not lines[above - 1] and end < len(lines) and not lines[end]:
            end += 1  # one of the empty lines around it
        del lines[above:end]
        self.files[part.file] = self._without_asserts(lines, part.name)

    def _find_data(self, part):
        """The lines of a variable or macro."""
        lines = self.lines(part)
        pattern = rf"#define\s+{part.name}\b|[A-Za-z_][^;(]*\b{part.name}(\[|;| =|$)"
        call = rf"[A-Z_]+\(.*\b{part.name}\b"  # a macro that defines something
        for i, line in enumerate(lines):
            if re.match(pattern, line) or re.match(call, line):
                end = i
                if line.startswith("#"):
                    while lines[end].endswith("\\"):
                        end += 1
                else:
                    while not lines[end].rstrip().endswith((";", ")")):
                        end += 1
                return course.comment_above(lines, i), end
        raise Complaint(f"{part.where}: {part.file} does not define {part.name}")

    @staticmethod
    def _without_asserts(lines, name):
        out = []
        for line in lines:
            if line.startswith("_Static_assert(") and re.search(rf"\b{name}\b", line):
                if out and out[-1].endswith("*/") and out[-1].startswith("/*"):
                    out.pop()  # its comment
                continue
            out.append(line)
        return course.squeeze(out)

    def _change(self, part, own):
        """Put other lines in place of some, in a function or ("-") anywhere."""
        lines = self.lines(part)
        first, last = 0, len(lines)
        if part.name != "-":
            first, _, _, last = self.function(part)
        for old, new in part.hunks:
            at = [i for i in range(first, last) if lines[i:i + len(old)] == old]
            if len(at) != 1:
                raise Complaint(f"{part.where}: {part.file}, {part.name}: "
                                f"these lines are there {len(at)} times:\n" + "\n".join(old))
            replacement = list(new)
            if own and part.text and (old, new) == part.hunks[0]:
                indent = re.match(r"\s*", old[0])[0]
                replacement = self._mark(part, own, indent) + replacement
            lines[at[0]:at[0] + len(old)] = replacement
            last += len(replacement) - len(old)

    def _section(self, part, own):
        """Remove a section of a text: its heading, underlined, and all up to the next."""
        lines = self.lines(part)
        heads = [i for i in range(len(lines) - 1)
                 if lines[i] and re.fullmatch(r"[-=]{3,}", lines[i + 1])]
        for i in heads:
            if lines[i] == part.name:
                end = min([h for h in heads if h > i], default=len(lines))
                del lines[i:end]
                return
        raise Complaint(f"{part.where}: {part.file} has no section \"{part.name}\"")

    def write(self, directory):
        for name, lines in self.files.items():
            write_file(os.path.join(directory, name), "\n".join(lines))
            source = os.path.join(course.TOP, name)
            if os.path.exists(source):
                shutil.copymode(source, os.path.join(directory, name))


def write_file(path, text):
    """Write a file if that changes it: make goes by the time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8", newline="") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def make_tree(labs, lab, cumulative=False, solution=False, tests=False):
    """The tree of a lab; with its tests, or as students get it."""
    names = labs.files(lab.tree)
    if tests and lab.tree + "-tests" in labs.trees:
        names = sorted({*names, *labs.files(lab.tree + "-tests")})
    tree = Tree(labs, names)
    same = [l for n, l in sorted(labs.labs.items()) if l.tree == lab.tree]
    defined = {}
    if lab.tree in labs.trees:
        defined.update({s: v for s, (t, v) in labs.symbols.items() if t == lab.tree})
    for other in same:
        done = other.number < lab.number and not cumulative or other is lab and solution
        for symbol, after in other.symbols.items():
            defined[symbol] = after if done else not after
    if defined:
        tree.resolve(defined)
    if lab.answers:
        with open(os.path.join(course.HERE, lab.answers), encoding="utf-8") as f:
            lines = f.read().split("\n")
        tree.files["answers"] = on_petmem.fill_in(lines) if solution else lines
    closed = [r for r in labs.rooms if r.is_closed(lab)]
    # The parts of later labs go first: those of earlier ones may look at what is left.
    for other in reversed(same):
        if other.number < lab.number and not cumulative or other is lab and solution:
            continue
        for part in other.parts:
            if part.file not in {r.file for r in closed}:
                tree.apply(part, other.number <= lab.number)
    for room in closed:
        tree.close(room)
    return tree


def write_tree(tree, lab, directory):
    """Write it, with what leads a student through it."""
    tree.write(directory)
    if lab.handout:
        shutil.copy(os.path.join(course.HERE, lab.handout), os.path.join(directory, "HANDOUT"))
    if lab.tree in RULES:
        goals, rules = RULES[lab.tree]
        with open(os.path.join(directory, "Makefile"), "w", encoding="utf-8") as f:
            f.write(MAKEFILE.format(number=lab.number, title=lab.title, top=course.TOP,
                                    goals=goals, rules=rules))


def count_lines(tree, lab):
    """Lines of C and assembler that belong to the kernel, and those of a whole tree."""
    return sum(len(lines) - 1 for name, lines in tree.files.items()
               if name.endswith((".c", ".h", ".S")) and "/user/" not in f"/{name}"
               and os.path.dirname(name) in ("", "xv6"))
