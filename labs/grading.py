# SPDX-License-Identifier: GPL-2.0
"""Runs the tests of a lab on a student's tree, and counts the points: see labs/grade."""

import json
import os
import shutil
import sys
import tempfile

import course
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


def grade_xv6(lab, student, stage):
    """The results of a lab of the xv6 kernel."""
    import on_xv6  # pylint: disable=import-outside-toplevel

    kernel = on_xv6.Kernel(student, stage, lab.cpus)
    print("building the kernel ...", file=sys.stderr, flush=True)
    complaint = kernel.build()
    if complaint:
        built = Outcome(False, "your kernel does not build:\n" + complaint)
    else:
        built = kernel.try_boot()
    wanted = [(i.program, t) for i in lab.items if i.runner == "xv6" for t in i.tests or [""]]
    outcomes = {}
    if built.passed:
        print(f"running {len(wanted)} tests ...", file=sys.stderr, flush=True)
        outcomes = kernel.run_tests(sorted(set(wanted), key=wanted.index))
    return collect(lab, built, outcomes)


def collect(lab, built, outcomes):
    """Results from the outcomes by program and test."""
    not_run = Outcome(False, "was not run", ran=False)
    results = []
    for item in lab.items:
        if item.runner == "boot":
            results.append(Result(item, item.what, built))
            continue
        for test in item.tests or [""]:
            outcome = outcomes.get((item.program, test), not_run)
            name = f"{item.program}: {item.what or test.partition('*')[0]}"
            results.append(Result(item, name, outcome))
    key = outcomes.get(lab.key, not_run)
    for result in results:
        result.counts = key.passed or not result.item.keeps
    return results


GRADERS = {"xv6": grade_xv6}


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


def grade(labs, lab, student):
    """All results of a lab, in the order of labs/parts."""
    if not os.path.isdir(student):
        raise Complaint(f"there is no directory {student}")
    stage = tempfile.mkdtemp(prefix="petmem-grade-")
    try:
        make_tree(labs, lab, solution=True).write(stage)
        return GRADERS[lab.tree](lab, student, stage)
    finally:
        shutil.rmtree(stage)
