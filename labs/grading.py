# SPDX-License-Identifier: GPL-2.0
"""Runs the tests of a lab on a student's tree, and counts the points: see labs/grade."""

import fcntl
import hashlib
import json
import os
import shutil
import sys

import course
import on_petmem
from course import Complaint, Outcome
from tree import make_tree

LONGEST = 12  # lines of an explanation on the terminal


class Result:
    """What a test has earned."""

    def __init__(self, item, name, outcome):
        self.item = item
        self.name = name
        self.outcome = outcome
        self.counts = True  # False: not until the lab's key test passes

    @property
    def points(self):
        return self.item.points if self.outcome.passed and self.counts else 0

    @property
    def status(self):
        if self.outcome.passed:
            return "ok" if self.counts else "ok, but"
        return "not ok" if self.outcome.ran else "not run"


def grade_xv6(lab, student, stage, _host_only):
    """The results of a lab of the xv6 kernel."""
    import on_xv6  # pylint: disable=import-outside-toplevel

    shutil.rmtree(os.path.join(stage, "xv6", "build"), ignore_errors=True)
    kernel = on_xv6.Kernel(student, stage, lab.cpus)
    say("building the kernel ...")
    complaint = kernel.build()
    if complaint:
        built = Outcome(False, "your kernel does not build:\n" + complaint)
    else:
        built = kernel.try_boot()
    outcomes = {}
    if built.passed:
        wanted = wanted_of(lab, "xv6")
        say(f"running {len(wanted)} tests ...")
        outcomes = kernel.run_tests(wanted)
    return collect(lab, built, outcomes)


def grade_petmem(lab, student, stage, host_only):
    """The results of a lab of the Linux module."""
    module = on_petmem.Module(student, stage, lab.cpus)
    module.overlay()
    outcomes = {}
    host = wanted_of(lab, "host")
    if host:
        say("running tests on this machine ...")
        outcomes.update(module.run_on_host(host))
    outcomes.update(on_petmem.check_answers(student, wanted_of(lab, "answers")))
    if host_only:
        return collect(lab, Outcome(True), outcomes)
    say("building the module, and booting a virtual machine ...")
    built = module.try_boot()
    guest = wanted_of(lab, "guest")
    if built.passed and guest:
        say(f"running {len(guest)} tests in it ...")
        outcomes.update(module.run_in_guest(guest))
    return collect(lab, built, outcomes)


def say(text):
    print(text, file=sys.stderr, flush=True)


def wanted_of(lab, runner):
    """Pairs of a program and a test, each once, in the order of labs/parts."""
    wanted = [(i.program, t) for i in lab.items if i.runner == runner for t in i.tests or [""]]
    return sorted(set(wanted), key=wanted.index)


def no_leak(outcomes):
    """Is every page free again after each test that has run?"""
    leaking = [f"{program} {test}".strip() for (program, test), o in outcomes.items() if o.leaks]
    if leaking:
        some = ", ".join(leaking[:3])
        return Outcome(False, f"pages are lost in {len(leaking)} tests: {some} ...")
    return Outcome(any(o.ran for o in outcomes.values()), "was not run")


def collect(lab, built, outcomes):
    """Results from the outcomes by program and test."""
    not_run = Outcome(False, "was not run", ran=False)
    results = []
    for item in lab.items:
        if item.runner == "boot":
            results.append(Result(item, item.what, built))
            continue
        if item.runner == "leak":
            outcome = outcomes.get(on_petmem.LEAK) or no_leak(outcomes)
            results.append(Result(item, item.what, outcome))
            continue
        for test in item.tests or [""]:
            outcome = outcomes.get((item.program, test), not_run)
            name = f"{item.program}: {item.what or test.partition('*')[0]}"
            results.append(Result(item, name, outcome))
    key = outcomes.get(lab.key, not_run)
    for result in results:
        result.counts = key.passed or not result.item.keeps
    return results


GRADERS = {"xv6": grade_xv6, "petmem": grade_petmem, "whole": grade_petmem}


def total(results):
    return sum(r.points for r in results)


def print_results(lab, results):
    shown = set()
    for result in results:
        print(f"{result.points:3}/{result.item.points:<3} {result.status:7} {result.name}")
        if not result.outcome.passed and result.outcome.why not in shown:
            shown.add(result.outcome.why)
            for line in result.outcome.why.splitlines()[:LONGEST]:
                print(f"                {line}")
    if not all(r.counts for r in results):
        print(f'"ok, but": also without your work; counts when {" ".join(lab.key)} passes')
    print(f"\n{total(results)} of {lab.most()} points in lab {lab.number}, {lab.title}")


def write_json(path, lab, results):
    tests = []
    for result in results:
        tests.append({
            "name": result.name,
            "score": result.points,
            "max_score": result.item.points,
            "status": "passed" if result.points else "failed",
            "output": result.outcome.why if result.counts else
                      f"counts when {' '.join(lab.key)} passes",
        })
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"score": total(results), "max_score": lab.most(),
                   "output": f"Lab {lab.number}: {lab.title}", "tests": tests}, f, indent=1)
        f.write("\n")


def grade(labs, lab, student, host_only=False):
    """All results of a lab, in the order of labs/parts; or those that need no guest."""
    if not os.path.isdir(student):
        raise Complaint(f"there is no directory {student}")
    # Always the same place for a tree: what did not change is not compiled again.
    name = hashlib.sha256(student.encode()).hexdigest()[:12]
    stage = os.path.join(course.TOP, "build", "labs", f"{lab.number}-{name}")
    os.makedirs(stage, exist_ok=True)
    with open(os.path.join(stage, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_tree(labs, lab, solution=True, tests=True).write(stage)
        return GRADERS[lab.tree](lab, student, stage, host_only)
