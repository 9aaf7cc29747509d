# SPDX-License-Identifier: GPL-2.0
#
# The targets that a person types. Kbuild says what the module is made of.

# The kernel to build for: its build tree, or its unpacked headers.
KDIR ?= /lib/modules/$(shell uname -r)/build

.PHONY: all module tools demo walk check check-file check-all lint coverage bench xv6 xv6-mutants skeleton grade clean help setup

all: module tools

module:
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel headers in $(KDIR): install linux-headers-$$(uname -r), or say KDIR=DIRECTORY" >&2; \
		exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	$(MAKE) -C user
	$(MAKE) -C examples

# install, install-user, install-module, uninstall, sign
include install.mk

# The Debian packages, in build/deb.
.PHONY: deb
deb:
	@debian/build

# Install what is missing on this machine, after saying what that is.
setup:
	@vm/setup

demo: setup
	@vm/demo

# A page fault and the page tables, in a virtual machine: examples/README.
walk: setup
	@$(MAKE) -s -C examples
	@vm/run --file examples/fault -- ./fault

check: setup
	@tests/check

# The tests that catch mistakes in one file of the module: FILE=pool.c
check-file: setup
	@tests/guest/mutants --unchanged $(FILE)

check-all: setup
	@vm/setup lint
	@vm/setup packages
	@tests/check --all

# Read the sources with tools that find mistakes.
lint: setup
	@vm/setup lint
	@tests/lint

# Which lines of the module the tests reach: build/coverage.txt
coverage: setup
	@tests/coverage

# Measure what it costs, beside Linux and pagers in user space: build/bench
bench: setup
	@vm/setup bench
	@bench/run

# The teaching kernel of xv6/, on this terminal; Ctrl-a x ends it. CPUS=n, BEFORE=part
# and QEMUEXTRA=arguments work as in xv6/Makefile.
xv6: setup
	@$(MAKE) -s -C xv6 qemu

# Put known mistakes into it: its tests have to find them all.
xv6-mutants: setup
	@$(MAKE) -s -C xv6 check-mutants

# The tree that a student of a course begins with: LAB=3 DIR=~/lab3; CUMULATIVE=1 leaves
# earlier labs undone, too. labs/README has the labs.
skeleton:
	@labs/skeleton $(if $(CUMULATIVE),--cumulative) $(LAB) $(DIR)

# The points of a student's tree; JSON=results.json for services that read that.
grade: setup
	@labs/grade $(if $(JSON),--json $(JSON)) $(LAB) $(DIR)

clean:
	rm -rf build
	rm -f *.o *.ko *.mod *.mod.c .*.cmd modules.order Module.symvers
	$(MAKE) -C user clean
	$(MAKE) -C examples clean
	$(MAKE) -C xv6 clean

help:
	@echo "make          build petmem.ko and the user-space tools (KDIR=... for another kernel)"
	@echo "make deb      build Debian packages, in build/deb"
	@echo "make install  install module, tools, library and manuals (PREFIX=, DESTDIR=)"
	@echo "make uninstall  remove them"
	@echo "make sign     sign petmem.ko for Secure Boot (KEY=, CERT=)"
	@echo "make demo     see it work, in a virtual machine"
	@echo "make walk     a page fault, step by step, in a virtual machine"
	@echo "make check    run all tests: on the host, and in virtual machines"
	@echo "make check-file FILE=pool.c  the tests that catch mistakes in one file of the module"
	@echo "make check-all  the same on every kernel and kind of processor: hours"
	@echo "make lint     sparse, checkpatch, gcc's analyzer, clang-tidy, shellcheck"
	@echo "make coverage the lines of the module that the tests reach: an hour"
	@echo "make bench    measure it beside Linux's own ways: a table, JSON and plots"
	@echo "make xv6      boot the teaching kernel of xv6/ (BEFORE=1: as the exercise begins;"
	@echo "              AFTER=lazy, AFTER=mmap: the next steps)"
	@echo "make skeleton LAB=3 DIR=directory  write the tree that students of a lab begin with"
	@echo "make grade LAB=3 DIR=directory     test it, and count the points (JSON=results.json)"
	@echo "make clean    remove what was built"
