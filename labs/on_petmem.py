# SPDX-License-Identifier: GPL-2.0
"""Builds a student's petmem module and runs tests with it, for labs/grade."""

import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile

import course
from course import Outcome

KERNEL = "6.1"
HOST_LIMIT = 120  # seconds for a test program on this machine
PROGRAM_LIMIT = 300  # seconds for a test program in the guest, as in tests/guest/mutants
GUEST_LIMIT = 1200  # seconds for a guest
BOOT_LIMIT = 120
BUILD_LIMIT = 600
MOST_STOPS = 4  # crashes and hangs; then the rest is not tried
TIMED_OUT, REPORTED = 124, 125  # vm/run's statuses
CALLERS = 4  # shown of a crash
REPORT_LINES = 8
WHY_LINES = 8
LOST = "pages were lost"
LEAK = ("leak", "")  # what a machine says of them at its end, among the outcomes of tests
FRESH = ("petmem.h",)  # of the module's files: the protocol with user space


class Module:
    """A student's module: programs, tests and the way it is built are ours."""

    def __init__(self, student, stage, cpus):
        self.student = student
        self.stage = stage
        self.cpus = cpus

    def overlay(self):
        """Put the student's sources into the stage."""
        def sources(place):
            found = glob.glob(os.path.join(place, "*.[ch]"))
            return {os.path.basename(p) for p in found} - set(FRESH)
        for name in sources(self.stage) - sources(self.student):
            os.remove(os.path.join(self.stage, name))
        for name in sources(self.student):
            with open(os.path.join(self.student, name), "rb") as f:
                text = f.read()
            path = os.path.join(self.stage, name)
            if os.path.exists(path):
                with open(path, "rb") as f:
                    if f.read() == text:
                        continue
            with open(path, "wb") as f:
                f.write(text)

    def _run(self, words, limit, **environment):
        """Run a command in the stage; returns its status, None past the limit, and its output."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
        process = subprocess.Popen(words, cwd=self.stage, env={**clean, **environment}, text=True,
                                   errors="replace", stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            said, _ = process.communicate(timeout=limit)
            return process.returncode, said
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            said, _ = process.communicate()
            return None, said

    # ---- On this machine ----

    def _in_order(self, where, program, wanted):
        """A program's tests as it runs them: the first without a result has ended it."""
        path = os.path.join(self.stage, "tests", where, program + ".c")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        return sorted((t for p, t in wanted if p == program), key=lambda t: text.rfind(f'"{t}"'))

    def run_on_host(self, wanted):
        """Pairs of a program of tests/host and a test; returns their outcomes."""
        outcomes = {}
        for program in dict.fromkeys(p for p, _ in wanted):
            names = self._in_order("host", program, wanted)
            binary = os.path.join("build", "host", program)
            status, said = self._run(["make", "-s", "-f", "tests/host/Makefile",
                                      f"SOURCE={self.stage}", f"BUILD={self.stage}/build/host",
                                      "CFLAGS=-O1 -g -w", os.path.join(self.stage, binary)],
                                     BUILD_LIMIT)
            if status:
                why = "your code does not build:\n" + said
                outcomes.update({(program, n): Outcome(False, why) for n in names})
                continue
            status, said = self._run([binary], HOST_LIMIT)
            outcomes.update(judge(program, names, said, self._host_end(status, said)))
        return outcomes

    def _host_end(self, status, said):
        """Why a test program ended before its last test."""
        if status is None:
            return f"did not end in {HOST_LIMIT} s"
        undefined = re.search(r"(\w+\.c):(\d+):\d+: (runtime error: .*)", said)
        if undefined:
            file, line, words = undefined.groups()
            return f"your code crashed here: {self._function(file, int(line))} ({file}:{line})\n{words}"
        found = re.search(r"ERROR: \w+Sanitizer: .*", said)
        if not found:
            return f"the test program ended with {status}"
        frames = [m for m in re.findall(r"#\d+ 0x[0-9a-f]+ in (\w+) \S*?([\w.-]+:\d+)", said)
                  if m[1].startswith(("memmap.c", "buddy.c"))]
        where = f"{frames[0][0]} ({frames[0][1]})" if frames else "see below"
        return f"your code crashed here: {where}\n{found[0]}"

    def _function(self, file, line):
        """The function that a line of a source is in."""
        path = os.path.join(self.stage, file)
        if not os.path.exists(path):
            return "the test"
        with open(path, encoding="utf-8") as f:
            above = f.read().split("\n")[:line]
        found = [m for m in map(re.compile(r"[A-Za-z_][^;=#]*?\b(\w+)\(").match, above) if m]
        return found[-1][1] if found else "somewhere"

    # ---- In a guest ----

    def _guest(self, words, limit, log, **environment):
        """A guest with the student's module; returns its status and output."""
        options = ["--kernel", KERNEL, "--cpus", str(self.cpus), "--timeout", str(limit),
                   "--dmesg", log]
        return self._run([words[0], *options, *words[1:]], limit + BUILD_LIMIT, **environment)

    def try_boot(self):
        """Does the module build and load, and does it take memory?"""
        with tempfile.TemporaryDirectory() as place:
            log = os.path.join(place, "dmesg")
            status, said = self._guest(["vm/run", "--", "true"], BOOT_LIMIT, log)
            if status == 0:
                return Outcome(True)
            if not os.path.exists(log):
                errors = [l for l in said.splitlines() if "error:" in l or "Error" in l]
                return Outcome(False, "your module does not build:\n" + "\n".join(errors or [said]))
            return Outcome(False, self.explain(log, said, status, BOOT_LIMIT), stopped=True)

    def run_in_guest(self, wanted):
        """Pairs of a program of tests/guest and a test; returns their outcomes."""
        outcomes = {}
        programs = list(dict.fromkeys(p for p, _ in wanted))
        stops = 0
        while programs and stops < MOST_STOPS:
            with tempfile.TemporaryDirectory() as place:
                log = os.path.join(place, "dmesg")
                status, said = self._guest(["tests/guest/suite"], GUEST_LIMIT, log,
                                           ONLY=" ".join(programs), LIMIT=str(PROGRAM_LIMIT))
                ended = [p for p in programs if f"# {p}: " in said]
                whole = status in (0, 1)
                end = "" if whole else self.explain(log, said, status, GUEST_LIMIT)
            running = next((p for p in sorted(programs) if p not in ended), None)
            for program in programs:
                names = self._in_order("guest", program, wanted)
                if program in ended:
                    outcomes.update(judge(program, names, said, self._early_end(program, said)))
                elif program == running:
                    outcomes.update(judge(program, names, said, end))
            if end.startswith(LOST):
                outcomes[LEAK] = Outcome(False, end)
                break
            if running and not whole:
                outcomes[LEAK] = Outcome(False, "was not looked at: see above", ran=False)
            if whole or not running:
                # A report that no program can be blamed for costs the last one.
                if end and ended:
                    names = [t for p, t in wanted if p == ended[-1]]
                    outcomes.update({(ended[-1], n): Outcome(False, end) for n in names})
                break
            programs = [p for p in programs if p not in ended and p != running]
            stops += 1
        return outcomes

    @staticmethod
    def _early_end(program, said):
        found = re.search(rf"not ok \d+ - {program}: (ended with (\d+) after .*)", said)
        if not found:
            return "has no result"
        if found[2] == "137":
            return f"did not end in {PROGRAM_LIMIT} s"
        return f"the test program {found[1]}"

    def explain(self, log, said, status, limit):
        """What happened to a guest, for the student."""
        with open(log, encoding="utf-8", errors="replace") as f:
            report = find_report(f.read())
        if report:
            places = [self.place(*p) for p in petmem_places(report)]
            places = list(dict.fromkeys(p for p in places if p))
            where = places[0] if places else "in Linux; none of petmem's functions was running"
            chain = [f"    called from {p}" for p in places[1:CALLERS]]
            return "\n".join([f"your kernel crashed here: {where}", *chain, *telling(report)])
        if status == TIMED_OUT or status is None:
            return f"did not end in {limit} s: the kernel hangs"
        used = re.search(r"in use after every process ended: .*", said)
        if used:
            return f"{LOST}: {used[0]}"
        lines = [l for l in said.splitlines() if l.strip() and not l.startswith(("ok", "#"))]
        return "\n".join(lines[-REPORT_LINES:])

    def place(self, function, offset):
        """A function of the module, its file and the line."""
        with tempfile.TemporaryDirectory() as place:
            self._run(["vm/build", "module", KERNEL, place], BUILD_LIMIT)
            path = os.path.join(place, "petmem.ko")
            symbols = self._run(["nm", path], HOST_LIMIT)[1]
            # A part of a function that gcc has moved away has a symbol of its own.
            start = re.search(rf"^([0-9a-f]+) [tT] {re.escape(function)}$", symbols, re.MULTILINE)
            if not start:
                return function
            at = hex(int(start[1], 16) + offset - 1)
            _, said = self._run(["addr2line", "-i", "-f", "-j", ".text", "-e", path, at],
                                HOST_LIMIT)
        # Inlined functions come first; the first line of the module's own files is the place.
        words = said.split("\n")
        for name, where in zip(words[0::2], words[1::2]):
            file = os.path.basename(where.split(" ")[0])
            if os.path.exists(os.path.join(self.stage, file.partition(":")[0])):
                return f"{name} ({file})"
        return function


# Lab 0: the answers, which the solution has.
ADDRESS = 0x100012345678
ANSWERS = {
    **{name: ADDRESS >> shift & 511
       for name, shift in (("p4d", 39), ("pud", 30), ("pmd", 21), ("pte", 12))},
    "offset": ADDRESS & 4095,
    "covered": 1 << 39 - 30,
    "tables": 3,  # PUD, PMD, PTE
    "present": 0,
}


def fill_in(lines):
    """The lines of the file answers, with the answers."""
    return [f"{l} {ANSWERS[l[:-1]]}" if l.endswith(":") and l[:-1] in ANSWERS else l
            for l in lines]


def check_answers(student, wanted):
    """Outcomes of the student's answers."""
    path = os.path.join(student, "answers")
    given = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            given = dict(re.findall(r"^(\w+):\s*(\S+)\s*$", f.read(), re.MULTILINE))
    outcomes = {}
    for program, name in wanted:
        answer = given.get(name)
        right = answer is not None and answer.isdecimal() and int(answer) == ANSWERS[name]
        why = f"{answer} is not right" if answer else "there is no answer"
        outcomes[program, name] = Outcome(right, "" if right else why, ran=answer is not None)
    return outcomes


def judge(program, names, said, end):
    """The outcomes of tests from TAP, in which each test's comments come before or after it.

    end: why those without a result have none.
    """
    outcomes = {}
    comments = []
    for line in said.splitlines():
        found = re.match(rf"(not )?ok \d+ - (?:{program}: )?(.*)$", line)
        if found and found[2] in names and (program, found[2]) not in outcomes:
            why = [c for c in comments if c.strip()][-WHY_LINES:]
            outcomes[program, found[2]] = Outcome(not found[1], "\n".join(why) if found[1] else "")
        if found:
            comments = []
        elif line.startswith("# ") and not re.fullmatch(r"# \w+: \d+ s", line):
            comments.append(line[2:])
    stopped = False
    for name in names:
        if (program, name) not in outcomes:
            why = "was not run" if stopped else end
            outcomes[program, name] = Outcome(False, why, ran=not stopped, stopped=not stopped)
            stopped = True
    return outcomes


def find_report(log):
    """The lines from the first report of a mistake on; vm/findings knows these."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as f:
        f.write(log)
        f.flush()
        done = subprocess.run([os.path.join(course.TOP, "vm", "findings"), f.name], text=True,
                              capture_output=True, check=False)
    return [re.sub(r"^(\[[^]]*\] ?)+", "", l) for l in done.stdout.splitlines()]


def petmem_places(report):
    """Pairs of a function of petmem and an offset: where it was, and its callers."""
    places = []
    for line in report:
        for name, offset in re.findall(r"([\w.]+)\+(0x[0-9a-f]+)/0x[0-9a-f]+ \[petmem\]", line):
            if not line.lstrip().startswith("?"):
                places.append((name, int(offset, 16)))
    return places


def telling(report):
    """The few lines of a report that matter."""
    words = re.compile(r"BUG|WARNING|Oops|KASAN|RIP: |CR2: |Kernel panic|bad p|refcount|INFO|"
                       r"address:")
    return [l for l in report if words.search(l)][:REPORT_LINES]
