# SPDX-License-Identifier: GPL-2.0
#
# make install, install-user, install-module, uninstall, sign: petmem on a system
# without its packages. As usual, DESTDIR goes before every path; the directories
# below can be set too. Include this after `module' and `tools'.

VERSION := $(shell sed -n 's/^.define PETMEM_VERSION "\(.*\)"/\1/p' petmem.h)

# user/Makefile sets its version.
SONAME := $(shell sed -n 's/^SONAME := //p' user/Makefile)

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
UNITDIR ?= $(PREFIX)/lib/systemd/system
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

# What is installed: mode:file:destination.
INSTALLED := \
	755:user/petmem:$(BINDIR)/petmem \
	755:user/$(SONAME):$(LIBDIR)/$(SONAME) \
	644:user/libpetmem.a:$(LIBDIR)/libpetmem.a \
	644:build/system/petmem.pc:$(LIBDIR)/pkgconfig/petmem.pc \
	644:user/harness.h:$(INCLUDEDIR)/petmem/harness.h \
	644:petmem.h:$(INCLUDEDIR)/petmem/petmem.h \
	644:build/system/petmem.service:$(UNITDIR)/petmem.service \
	644:system/petmem.rules:$(UDEVDIR)/60-petmem.rules \
	644:system/petmem.sysusers:$(SYSUSERSDIR)/petmem.conf \
	644:system/petmem.completion:$(COMPLETIONDIR)/petmem \
	644:man/petmem.1:$(MANDIR)/man1/petmem.1 \
	644:man/petmem.3:$(MANDIR)/man3/petmem.3 \
	644:man/petmem.4:$(MANDIR)/man4/petmem.4 \
	644:man/petmem.conf.5:$(MANDIR)/man5/petmem.conf.5

# petmem-run is built if jemalloc is installed. It looks for its library beside itself,
# and in ../lib/petmem from there.
ifneq ($(wildcard $(shell $(CC) -print-file-name=libjemalloc_pic.a)),)
INSTALLED += \
	755:user/petmem-run:$(BINDIR)/petmem-run \
	755:user/libpetmem-malloc.so:$(BINDIR)/../lib/petmem/libpetmem-malloc.so \
	644:man/petmem-run.1:$(MANDIR)/man1/petmem-run.1
endif

# Symbolic links: target:path. The library's manual has a link for each function.
FUNCTIONS := $(shell sed -n 's/^[a-z].*[ *]\([a-z_]*\)(.*);$$/\1/p' user/harness.h)
INSTALLED_LINKS := \
	$(SONAME):$(LIBDIR)/libpetmem.so \
	$(foreach name,$(FUNCTIONS),petmem.3:$(MANDIR)/man3/$(name).3)

# install keeps an existing petmem.conf; uninstall removes it only if it is unchanged.
CONFIG := $(DESTDIR)$(SYSCONFDIR)/petmem.conf

MODULE_RELEASE = $(shell $(MAKE) -s -C $(KDIR) kernelrelease)
MODULE_DIR = $(DESTDIR)/lib/modules/$(MODULE_RELEASE)

.PHONY: install install-user install-module uninstall sign

install: install-module install-user
	@echo "Installed. Next:"
	@echo "  systemd-sysusers && udevadm control --reload    the group petmem, and its device"
	@echo "  usermod -aG petmem USER                         who may use it"
	@echo "  $(SYSCONFDIR)/petmem.conf, and then: systemctl enable --now petmem"

# Always made anew: the directories may have changed since last time.
.PHONY: FORCE
build/system/%: system/%.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@BINDIR@|$(BINDIR)|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
		-e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' $< >$@

install-user: tools build/system/petmem.service build/system/petmem.pc
	@set -e; for entry in $(INSTALLED); do \
		mode=$${entry%%:*} entry=$${entry#*:}; \
		install -D -m $$mode $${entry%%:*} "$(DESTDIR)$${entry#*:}"; \
	done
	@set -e; for entry in $(INSTALLED_LINKS); do \
		ln -sf $${entry%%:*} "$(DESTDIR)$${entry#*:}"; \
	done
	@[ -e "$(CONFIG)" ] || install -D -m 644 system/petmem.conf "$(CONFIG)"
	@[ -n "$(DESTDIR)" ] || ldconfig

install-module: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates
	@[ -n "$(DESTDIR)" ] || depmod $(MODULE_RELEASE)

# Remove only what install puts there. A changed petmem.conf stays.
uninstall:
	@for entry in $(INSTALLED) $(INSTALLED_LINKS); do \
		rm -f "$(DESTDIR)$${entry##*:}"; \
	done
	@rmdir "$(DESTDIR)$(INCLUDEDIR)/petmem" "$(DESTDIR)$(BINDIR)/../lib/petmem" 2>/dev/null || true
	@if cmp -s system/petmem.conf "$(CONFIG)"; then rm "$(CONFIG)"; \
	elif [ -e "$(CONFIG)" ]; then echo "left, as it was changed: $(CONFIG)"; fi
	rm -f $(DESTDIR)/lib/modules/*/updates/petmem.ko*
	@[ -n "$(DESTDIR)" ] || { ldconfig; depmod -a; }

# Secure Boot: sign petmem.ko, between `make' and `make install', with a key whose
# certificate the machine knows. petmem(4) says how to make one.
sign: module
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { \
		echo "make sign KEY=FILE CERT=FILE: the private key, its certificate in DER" >&2; \
		exit 1; }
	$(KDIR)/scripts/sign-file sha256 $(KEY) $(CERT) petmem.ko
