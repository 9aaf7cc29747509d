# SPDX-License-Identifier: GPL-2.0
#
# What a person types. What the module is made of is in Kbuild.

# The kernel to build for: its build tree, or its unpacked headers.
KDIR ?= /lib/modules/$(shell uname -r)/build

.PHONY: all module tools demo check clean help setup

all: module tools

module:
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel headers in $(KDIR): install linux-headers-$$(uname -r), or say KDIR=DIRECTORY" >&2; \
		exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	$(MAKE) -C user

# Install what is missing on this machine; says what, first.
setup:
	@vm/setup

demo: setup
	@vm/demo

check: setup
	@tests/check

clean:
	rm -rf build
	rm -f *.o *.ko *.mod *.mod.c .*.cmd modules.order Module.symvers
	$(MAKE) -C user clean

help:
	@echo "make          build petmem.ko and the user-space tools (KDIR=... for another kernel)"
	@echo "make demo     see it work, in a virtual machine"
	@echo "make check    run all tests: on the host, and in virtual machines"
	@echo "make clean    remove what was built"
