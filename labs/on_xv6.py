# SPDX-License-Identifier: GPL-2.0
"""Builds a student's xv6 kernel and runs tests in it, for labs/grade."""

import glob
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import time

import course
from course import Outcome

BUILD_LIMIT = 300  # seconds
LIMIT = 900  # seconds for all tests
MOST_STOPS = 4  # crashes and hangs; then the rest is not tried
CALLERS = 3  # shown of a panic
MOST_ALIKE = 2  # lines that differ in numbers only
LAST_LINES = 8  # of the console
DEATHS = "processes die as announced"
LEAK = "the free pages do not balance"
REPORTERS = ("handle_stray", "handle_page_fault", "trap", "trap_entry", "panic")
FRESH = ("mkfs.c",)  # of the files that a kernel could be made from


def load_runner():
    """xv6/tests/run of the repository, as a module."""
    path = os.path.join(course.TOP, "xv6", "tests", "run")
    loader = importlib.machinery.SourceFileLoader("run", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(module)
    return module


run = load_runner()


class Collector:
    """Takes the results of xv6/tests/run."""

    def __init__(self):
        self.failed = []

    def result(self, passed, name, why=""):
        if not passed:
            self.failed.append((name, why))


def kernel_files(directory):
    """What a kernel is made from."""
    names = [os.path.basename(p) for pattern in ("*.[chS]", "kernel.ld")
             for p in glob.glob(os.path.join(directory, pattern))]
    return sorted(set(names) - set(FRESH))


def user_base(directory):
    """Where the student's Makefile links programs."""
    with open(os.path.join(directory, "Makefile"), encoding="utf-8") as f:
        found = re.search(r"^USERBASE\s*:?=\s*(0[xX][0-9a-fA-F]+|\d+)\s*$", f.read(), re.MULTILINE)
    return found[1] if found else "0x1000"


def shorten(said):
    """The lines that say the most, and of each kind only some."""
    lines = [l for l in said.strip().splitlines() if not re.match(r"(not )?ok \d", l)]
    kinds = {}
    kept = []
    for line in lines:
        kind = re.sub(r"\d+", "", line)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] <= MOST_ALIKE:
            kept.append("    " + line)
    return kept


class Kernel:
    """A student's kernel: programs, tests and the way it is built are ours."""

    def __init__(self, student, stage, cpus):
        self.student = os.path.join(student, "xv6")
        self.stage = os.path.join(stage, "xv6")
        self.kernel = os.path.join(self.stage, "build", "kernel")
        self.cpus = cpus
        self.stops = 0
        self.deadline = time.monotonic() + LIMIT

    def _make(self, *words):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("MAKE") and k != "MFLAGS"}
        try:
            done = subprocess.run(["make", "--silent", *words], cwd=self.stage, text=True,
                                  env=environment, capture_output=True, timeout=BUILD_LIMIT)
        except subprocess.TimeoutExpired:
            return f"the build did not end in {BUILD_LIMIT} s"
        return done.stdout + done.stderr if done.returncode else ""

    def build(self):
        """Returns "", or what the compiler says."""
        base = f"USERBASE={user_base(self.student)}"
        complaint = self._make(base, "build/fs.img")
        if complaint:
            raise course.Complaint("the programs cannot be built:\n" + complaint)
        for name in kernel_files(self.stage):
            os.remove(os.path.join(self.stage, name))
        for name in kernel_files(self.student):
            shutil.copy(os.path.join(self.student, name), self.stage)
        return self._make(base, "-o", "build/fs.img", "build/kernel")

    def boot(self):
        """A machine with a prompt. Context: the caller closes it."""
        machine = run.Machine(self.kernel, self.cpus, self.deadline)
        try:
            machine.read_until(run.PROMPT)
        except run.Stopped as stopped:
            machine.close()
            machine.stopped = stopped
        else:
            machine.stopped = None
        return machine

    def try_boot(self):
        """Does it come to its shell?"""
        machine = self.boot()
        if machine.stopped:
            return Outcome(False, self.explain(machine, machine.stopped))
        machine.close()
        return Outcome(True)

    def run_tests(self, wanted):
        """Outcomes of pairs of a program and a test.

        "": the rest of the program; "!NAME": the same without one more test.
        """
        outcomes = {}
        machine = None
        for program, test in wanted:
            if self.stops >= MOST_STOPS or time.monotonic() >= self.deadline:
                outcomes[program, test] = Outcome(False, "was not run: see above", ran=False)
                continue
            others = {t.partition("*")[0].lstrip("!") for p, t in wanted if p == program}
            name, _, times = test.partition("*")
            name = "" if name.startswith("!") else name
            for _ in range(int(times or 1)):
                machine = machine or self.boot()
                outcome = self.run_test(machine, program, name, others)
                if outcome.stopped:
                    self.stops += 1
                    machine.close()
                    machine = None
                if not outcome.passed:
                    break
            outcomes[program, test] = outcome
        if machine:
            machine.close()
        return outcomes

    def run_test(self, machine, program, test, others):
        """Run one test; or, if it is "", the whole program, without a look at the others."""
        collector = Collector()
        names = [test] if test else run.tests_of(program)
        stopped = machine.stopped
        if not stopped:
            try:
                run.run_program(collector, machine, "", program, names, " " + test if test else "")
            except run.Stopped as error:
                stopped = error
        if stopped:
            return Outcome(False, self.explain(machine, stopped), stopped=True)
        return self.judge(collector, set() if test else others)

    @staticmethod
    def judge(collector, others):
        """The outcome of a test, or of a program whose tests in others do not matter."""
        why = []
        excused = False  # what they did wrong shows in the messages of the kernel
        leaks = False
        for name, said in collector.failed:
            what = name.split(": ")[-1]
            if what in others:
                excused = True
            elif LEAK in said:
                leaks = True  # a mistake of its own, with points of its own
            elif what != DEATHS or not excused:
                why += [what + ":", *shorten(said)]
        return Outcome(not why, "\n".join(why), leaks=leaks)

    def explain(self, machine, stopped):
        """Why the machine stopped, for the student."""
        text = machine.unread
        lines = [l for l in text.splitlines() if l.strip()]
        if isinstance(stopped, run.OutOfTime):
            return f"did not end in {LIMIT} s, with all tests before it"
        if "panic" in text:
            return self.explain_panic(lines)
        if "silent" in str(stopped):
            head = f"did not end in {run.SILENCE} s: the kernel hangs"
        elif "ended" in str(stopped):
            head = "your kernel crashed without a word: the processor found no way to handle " \
                   "a fault, and reset the machine"
        else:
            head = str(stopped)
        return "\n".join([head, *lines[-LAST_LINES:]])

    def explain_panic(self, lines):
        at = next(i for i, l in enumerate(lines) if "panic" in l)
        words = " ".join(lines[at:])
        places = []
        eip = re.search(r"in the kernel at (0x[0-9a-f]+)", words)
        if eip:
            places.append(self.place(int(eip[1], 16)))
        callers = re.search(r"called from((?:\s+0x[0-9a-f]+)+)", words)
        for word in (callers[1].split() if callers else []):
            places.append(self.place(int(word, 16) - 1))
        # The functions that only report a panic are not where it is.
        places = [p for p in places if p and p.split()[0] not in REPORTERS]
        head = "your kernel crashed here: " + (places[0] if places else "nobody knows where")
        chain = [f"    called from {p}" for p in places[1:CALLERS + 1]]
        return "\n".join([head, *chain, *lines[max(at - 2, 0):at + 3]])

    def place(self, address):
        """A function, its file and the line; "" if it is not in the kernel."""
        said = subprocess.run(["addr2line", "-f", "-e", self.kernel, hex(address)], text=True,
                              capture_output=True).stdout.split("\n")
        if len(said) < 2 or said[0] == "??":
            return ""
        file, _, line = said[1].rpartition(":")
        return f"{said[0]} ({os.path.basename(file)}:{line.split()[0]})"
