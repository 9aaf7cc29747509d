# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Run a program on ordinary memory, then on petmem's, and compare. Sourced by the
# scripts beside this one, in the guest. Each of them defines:
#
#   prepare    make the input, in the current directory
#   work       run the program, with $RUN before its name; the files that it leaves in
#              the directory results have to be the same both times
#
# and ends with `compare MB [COPIES]`, which prints TAP: at its peak, the work on petmem has
# to use at least MB megabytes of the pool, and its forks have to make at least COPIES
# copies of pages. prepare and work run in processes of their own, under `set -eu`. FULL,
# if not empty, asks for the long run.

set -u

readonly SAMPLE_SECONDS=0.2
readonly PAGES_PER_MB=256

# size SHORT FULL: print the one that is wanted
size() {
	if [ -n "${FULL:-}" ]; then echo "$2"; else echo "$1"; fi
}

# count NAME: print a line of petmem's status
count() {
	petmem --status | sed -n "s/^$1: //p"
}

# Print bytes without a pattern, the same every time.
noise() {
	python3 -c 'import hashlib, sys
sys.stdout.buffer.write(hashlib.shake_256(b"petmem").digest(int(sys.argv[1])))' "$1"
}

# text BYTES: print text, the same every time
text() {
	find /usr/lib/python3.*/ -name '*.py' | LC_ALL=C sort | xargs cat | head -c "$1"
}

# result NAME COMMAND...: is COMMAND true?
tests=0
result() {
	local name=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$directory/said" 2>&1; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		tail -n 20 "$directory/said" | sed 's/^/# /'
	fi
}

# step NAME RUN: do prepare or work in the current directory, in a process of its own
step() {
	RUN=$2 STEP=$1 bash -eu "$script" </dev/null
}

# work_in DIRECTORY RUN
work_in() {
	mkdir -p "$1/results" && cd "$1" && step work "$2"
}

# Record how many pages of the pool are in use, until told to stop.
sample() {
	while [ ! -e "$directory/done" ]; do
		petmem --status
		sleep "$SAMPLE_SECONDS"
	done >"$directory/samples"
}

work_on_petmem() {
	local status=0 sampler
	sample &
	sampler=$!
	work_in "$directory/petmem" petmem-run || status=$?
	touch "$directory/done"
	wait "$sampler"
	return "$status"
}

# Empty results are a failure.
same_results() {
	[ -n "$(find "$directory/linux/results" -type f -size +0)" ] || return
	diff -r "$directory/linux/results" "$directory/petmem/results" >"$directory/diff" && return
	head -n 20 "$directory/diff"
	return 1
}

# was_in_pool PEAK MB
was_in_pool() {
	echo "at most $1 MB of the pool were in use; at least $2 MB are expected"
	[ "$1" -ge "$2" ]
}

# were_copied NUMBER MINIMUM
were_copied() {
	echo "$1 pages were copied; at least $2 are expected"
	[ "$1" -ge "$2" ]
}

all_back() {
	petmem --status
	[ "$(count processes) $(count data_pages) $(count table_pages)" = "0 0 0" ]
}

compare() {
	local script start middle peak faults forks copies
	script=$(realpath "$0")
	if [ -n "${STEP:-}" ]; then
		"$STEP"
		exit
	fi
	directory=$(mktemp -d /var/tmp/programs.XXXXXX)
	cd "$directory" || exit
	result 'preparation' step prepare ''
	start=$SECONDS
	result 'on ordinary memory' work_in "$directory/linux" ''
	middle=$SECONDS
	faults=$(count faults) forks=$(count forks) copies=$(count copies)
	result 'on petmem' work_on_petmem
	faults=$(($(count faults) - faults)) forks=$(($(count forks) - forks))
	copies=$(($(count copies) - copies))
	peak=$(($(sed -n 's/^data_pages: //p' "$directory/samples" | sort -n | tail -n 1) / PAGES_PER_MB))
	echo "# $((middle - start)) s on ordinary memory, $((SECONDS - middle)) s on petmem," \
		"at most $peak MB of the pool; $faults faults, $forks forks, $copies copies"
	result 'the same results' same_results
	result 'the heap was in the pool' was_in_pool "$peak" "$1"
	[ $# -lt 2 ] || result 'pages were copied after forks' were_copied "$copies" "$2"
	result 'all pages are back' all_back
	cd / && rm -rf "$directory"
	echo "1..$tests"
}
