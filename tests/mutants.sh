# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Put mistakes into copies of this tree, one at a time, and see tests catch each. The
# scripts with the mistakes source this in the top directory. They define
#
#   run_tests ARGUMENT...    run the tests, in the current directory; prints TAP
#
# and call begin "$@" with the numbers of the wanted mistakes (none: all), mutant for each
# mistake, and finish. Prints TAP: ok is a mistake that was caught.
#
# With --unchanged FILE instead of numbers, no mistake is made. The tests that catch the
# mistakes in FILE run on this tree, and ok means that they pass.

begin() {
	unchanged=
	done=
	if [ "${1:-}" = --unchanged ]; then
		unchanged=$2
		shift 2
	fi
	wanted=" $* "
	number=0
	tried=0
	failed=0
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
}

# verdict ok|"not ok" WHAT
verdict() {
	echo "$1 $number - $2"
	tried=$((tried + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
}

# passes ARGUMENT...: call run_tests with the arguments. Its output is in $work/log.
passes() {
	run_tests "$@" >"$work/log" 2>&1 && ! grep -q '^not ok' "$work/log"
}

# try_unchanged ARGUMENT...: call run_tests with the arguments, once, in this tree.
try_unchanged() {
	[[ "$done" != *"|$*|"* ]] || return 0
	done+="|$*|"
	number=$((number + 1))
	if passes "$@"; then
		verdict ok "$*"
	else
		verdict 'not ok' "$*"
		sed 's/^/#    /' "$work/log"
	fi
}

# mutant WHAT FILE SCRIPT [ARGUMENT...]: make the mistake WHAT by sed's SCRIPT in FILE, and
# call run_tests with the arguments.
mutant() {
	local what=$1 file=$2 script=$3
	shift 3
	if [ -n "$unchanged" ]; then
		[ "$file" != "$unchanged" ] || try_unchanged "$@"
		return
	fi
	number=$((number + 1))
	[[ "$wanted" =~ ^\ *$ || "$wanted" == *" $number "* ]] || return 0
	rm -rf "$work/tree"
	git clone -q . "$work/tree"
	sed -i "$script" "$work/tree/$file"
	if git -C "$work/tree" diff --quiet; then
		verdict 'not ok' "$what: not put in"
	elif (cd "$work/tree" && passes "$@"); then
		verdict 'not ok' "$what: NOT caught"
	elif grep -qE '^not ok|the kernel reported|the guest died|was stopped|^run: in use' "$work/log"; then
		verdict ok "$what"
		grep -m 2 -E '^not ok|^run: |error:' "$work/log" | sed 's/^/#    /'
	else
		verdict 'not ok' "$what: no test ran"
		tail -n 3 "$work/log" | sed 's/^/#    /'
	fi
}

finish() {
	echo "1..$tried"
	if [ -z "$unchanged" ]; then
		echo "# $((tried - failed)) of $tried caught"
	elif [ "$tried" -eq 0 ]; then
		echo "$0: there are no mistakes in $unchanged" >&2
		return 1
	fi
	[ "$failed" -eq 0 ]
}
