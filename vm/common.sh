# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Helpers of the vm/ scripts. Source this after `set -euo pipefail`.

# Everything fetched or built is kept here. The path must be fit for make.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/petmem
# shellcheck disable=SC2034  # for those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# 125 is vm/run's status for everything that is not COMMAND's own result.
readonly EXIT_FAILED=125

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit "$EXIT_FAILED"
}

# Let one process at a time change the named part of the cache. The lock is held
# until this shell exits, or opens another one.
lock_cache() {
	mkdir -p "$cache/locks"
	exec {cache_lock}>"$cache/locks/$1"
	flock "$cache_lock"
}

# Run a command whose output matters only when it fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	if [ "$status" -ne 0 ]; then
		cat "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}
