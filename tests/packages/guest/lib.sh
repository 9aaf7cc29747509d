# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Helpers of the steps. Each line that these print is a result: "ok NAME" or "not ok NAME".

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# Debian's headers ask ccache for objects compiled ahead; others are compiled.
export DEBIAN_KERNEL_USE_CCACHE=1 CCACHE_DIR=/mnt/ccache CCACHE_COMPILERCHECK=content
export CCACHE_READONLY=1 CCACHE_TEMPDIR=/tmp CCACHE_SLOPPINESS=locale

# result NAME COMMAND...: is COMMAND true? If not, show its output.
result() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "ok $name"
	else
		echo "not ok $name"
		# shellcheck disable=SC2001  # every line of it
		sed 's/^/# /' <<<"$said"
	fi
}

# The value of a line of `petmem --status`.
status() {
	petmem --status | sed -n "s/^$1: //p"
}

donated() {
	[ "$(status total_pages)" = "$1" ] || { petmem --status && false; }
}

# Every memory block is Linux's.
all_online() {
	! grep -L online /sys/devices/system/memory/memory*/state | grep .
}

active() {
	[ "$(systemctl is-active petmem)" = "$1" ] || { systemctl status petmem && false; }
}

installed_for() {
	dkms status -k "$1" petmem | grep -q ': installed$' &&
		modinfo -k "$1" petmem | grep "^filename: .*/$1/updates/dkms/petmem.ko"
}

# The log of this boot holds the text.
logged() {
	journalctl -b --no-pager -u petmem | tee /dev/stderr | grep -qF "$1"
}
