#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# petmem_tool_test.sh PETMEM [PATTERN] - test the donation tool on a made-up machine; with
# PATTERN, only by the tests whose names match.
#
# PETMEM is the tool linked with petmem_tool_kernel.c, which explains the files of the
# machine. Each test gets a machine of its own. Speaks TAP.
# The tests are called by their names in a list; the constants are numbers.
# shellcheck disable=SC2317,SC2086
set -euo pipefail

tool=("$(realpath "$1")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

EPERM=1 ENOENT=2 ENOMEM=12 EACCES=13 EBUSY=16 EINVAL=22 ENOTTY=25 EROFS=30
EOPNOTSUPP=95
SIGHUP=1 SIGINT=2 SIGQUIT=3 SIGTERM=15
abi=$(sed -n 's/^.define PETMEM_ABI_VERSION //p' "$(dirname "$0")/../../petmem.h")
SIZE_128M=8000000 SIZE_2G=80000000

# machine BLOCK_SIZE NUMBER...: all online, of no particular use.
machine()
{
	local number

	export TEST_KERNEL=$PWD/machine
	mkdir -p "$TEST_KERNEL/memory/power"
	echo "$1" >"$TEST_KERNEL/memory/block_size_bytes"
	echo "$abi" >"$TEST_KERNEL/abi"
	: >"$TEST_KERNEL/log"
	for number in "${@:2}"; do
		mkdir "$TEST_KERNEL/memory/memory$number"
		is "$number" state online
		is "$number" valid_zones Normal
	done
}

# is NUMBER FILE VALUE: write a file of a block.
is()
{
	echo "$3" >"$TEST_KERNEL/memory/memory$1/$2"
}

movable()
{
	local number

	for number in "$@"; do
		is "$number" valid_zones Movable
	done
}

# node K NUMBER...: these blocks are on node K.
node()
{
	local number

	for number in "${@:2}"; do
		touch "$TEST_KERNEL/memory/memory$number/node$1"
	done
}

donated()
{
	local number

	for number in "$@"; do
		is "$number" state offline
		is "$number" donated 1
	done
}

# petmem STATUS ARGUMENT...: run the tool, which must end with STATUS.
petmem()
{
	local status=0

	# KILL: the tool defers the others.
	timeout -s KILL 20 "${tool[@]}" "${@:2}" >out 2>err || status=$?
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	[ "$status" = "$1" ] || wrong "exit status $status, expected $1"
}

wrong()
{
	echo "# $*"
	exit 1
}

# The tool must have printed this: all of standard output, a part of its errors.
out()
{
	[ "$(cat out)" = "$1" ] || wrong "expected output: $1"
}

err()
{
	grep -qF -- "$1" err || wrong "expected error: $1"
}

no_err()
{
	[ ! -s err ] || wrong "expected no error"
}

# blocks NUMBER=WHAT...: the state that all blocks must have now: their zone if online,
# "donated", or "offline" and forgotten.
blocks()
{
	local path number state now=

	for path in $(printf '%s\n' "$TEST_KERNEL"/memory/memory[0-9]* | sort -V); do
		number=${path##*memory}
		state=$(cat "$path/state")
		if [ -e "$path/donated" ]; then
			[ "$state" = offline ] || state=donated-and-online
			state=${state/offline/donated}
		elif [ "$state" = online ]; then
			state=$(cat "$path/valid_zones")
		fi
		now+=" $number=$state"
	done
	[ "$now" = " $*" ] || wrong "blocks:$now"
}

# log WORD...: all requests to the kernel must be these, in this order.
log()
{
	local now

	now=$(tr '\n' ' ' <"$TEST_KERNEL/log")
	[ "$now" = "$* " ] || [ "$now" = "$*" ] || wrong "asked: $now"
}

test_donates_the_highest_block()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 128
	out "petmem: donated 128 MB (1 block of 128 MB)"
	no_err
	blocks 0=Normal 1=Normal 2=Normal 3=donated
}

test_donates_several_blocks()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 256
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=Normal 2=donated 3=donated
}

test_rounds_up_and_says_so()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 129
	out "petmem: 129 MB rounded up to 256 MB, whole blocks of 128 MB
petmem: donated 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=Normal 2=donated 3=donated
}

test_one_megabyte_is_one_block()
{
	machine $SIZE_128M 0 1
	petmem 0 1
	out "petmem: 1 MB rounded up to 128 MB, whole blocks of 128 MB
petmem: donated 128 MB (1 block of 128 MB)"
	blocks 0=Normal 1=donated
}

test_donates_blocks_of_2_gb()
{
	machine $SIZE_2G 0 1 2 1000
	petmem 0 4096
	out "petmem: donated 4096 MB (2 blocks of 2048 MB)"
	blocks 0=Normal 1=Normal 2=donated 1000=donated
}

test_prefers_movable_blocks()
{
	machine $SIZE_128M 0 1 2 3 4
	movable 1 2
	petmem 0 384
	log offline 2 offline 1 offline 4 donate 2 donate 1 donate 4
	blocks 0=Normal 1=donated 2=donated 3=Normal 4=donated
}

# Blocks that can become 1 GiB pages are preferred, though higher blocks are free, too.
test_prefers_whole_gigabytes()
{
	machine $SIZE_128M 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
	petmem 0 1152
	blocks 0=Normal 1=Normal 2=Normal 3=Normal 4=Normal 5=Normal 6=Normal \
		7=donated 8=donated 9=donated 10=donated 11=donated \
		12=donated 13=donated 14=donated 15=donated 16=Normal \
		17=Normal 18=Normal
}

test_takes_another_gigabyte_for_a_busy_one()
{
	machine $SIZE_128M 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
	is 14 fail_offline $EBUSY
	petmem 0 1024
	log offline 15 offline 14 offline 7 offline 6 offline 5 offline 4 \
		offline 3 offline 2 offline 1 donate 15 donate 7 donate 6 \
		donate 5 donate 4 donate 3 donate 2 donate 1
}

test_breaks_no_gigabyte_for_less()
{
	machine $SIZE_128M 8 9 10 11 12 13 14 15 16 17 18
	petmem 0 128
	log offline 18 donate 18
}

test_orders_numbers_not_names()
{
	machine $SIZE_128M 9 10 100 1000
	petmem 0 256
	log offline 1000 offline 100 donate 1000 donate 100
	blocks 9=Normal 10=Normal 100=donated 1000=donated
}

test_donates_again()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 128
	petmem 0 128
	blocks 0=Normal 1=Normal 2=donated 3=donated
}

test_takes_another_block_for_a_busy_one()
{
	machine $SIZE_128M 0 1 2 3
	is 3 fail_offline $EBUSY
	petmem 0 256
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=donated 2=donated 3=Normal
}

test_takes_another_block_for_one_with_a_hole()
{
	machine $SIZE_128M 0 1 2 3
	is 2 fail_offline $EINVAL
	petmem 0 256
	blocks 0=Normal 1=donated 2=Normal 3=donated
}

test_takes_another_block_for_one_that_hangs()
{
	machine $SIZE_128M 0 1 2 3
	is 3 hang 1
	echo 1 >"$TEST_KERNEL/impatient"
	petmem 0 256
	blocks 0=Normal 1=donated 2=donated 3=Normal
}

test_says_that_time_ran_out()
{
	machine $SIZE_128M 0
	is 0 hang 1
	echo 1 >"$TEST_KERNEL/impatient"
	petmem 1 128
	err "memory0: Connection timed out (its contents could not be moved in time)"
	blocks 0=Normal
}

test_does_not_try_blocks_of_several_zones()
{
	machine $SIZE_128M 0 1 2
	is 2 valid_zones none
	petmem 0 128
	log offline 1 donate 1
	blocks 0=Normal 1=donated 2=none
}

test_leaves_blocks_alone_that_were_offline()
{
	machine $SIZE_128M 0 1 2 3
	is 3 state offline
	petmem 0 128
	log offline 2 donate 2
	blocks 0=Normal 1=Normal 2=donated 3=offline
	petmem 1 512
	blocks 0=Normal 1=Normal 2=donated 3=offline
	petmem 0 --release
	blocks 0=Normal 1=Normal 2=Movable 3=offline
}

test_leaves_a_block_alone_that_another_takes_offline_first()
{
	machine $SIZE_128M 0 1 2
	is 2 stolen offline
	is 0 fail_offline $EBUSY
	petmem 1 256
	blocks 0=Normal 1=Normal 2=offline
}

test_all_or_nothing()
{
	machine $SIZE_128M 0 1 2 3 4 5
	movable 4 5
	is 3 fail_offline $EBUSY
	is 2 fail_offline $EINVAL
	is 1 fail_offline $EBUSY
	is 0 fail_offline $EBUSY
	petmem 1 384
	out ""
	err "384 MB cannot be had: only 256 MB went offline"
	err "memory3 and 2 more: Device or resource busy (it holds memory that cannot be moved)"
	err "memory2: Invalid argument (it has a hole"
	err "nothing was donated"
	blocks 0=Normal 1=Normal 2=Normal 3=Normal 4=Movable 5=Movable
	log offline 5 offline 4 offline 3 offline 2 offline 1 offline 0 \
		online_movable 4 online_movable 5
}

test_tries_nothing_when_there_is_too_little()
{
	machine $SIZE_128M 0 1
	petmem 1 384
	err "384 MB cannot be had: Linux has 256 MB in blocks that may go offline"
	err "nothing was donated"
	log ""
	blocks 0=Normal 1=Normal
}

test_takes_no_more_than_is_available()
{
	machine $SIZE_128M 0 1 2 3
	# 256 MB and 64 MB, less 4 kB.
	echo 327676 >"$TEST_KERNEL/available"
	petmem 1 256
	err "256 MB cannot be had: 256 MB are missing, 319 MB available, of which Linux keeps 64 MB"
	err "nothing was donated"
	log ""
	petmem 0 128
	petmem 1 128
	blocks 0=Normal 1=Normal 2=Normal 3=donated
}

test_takes_all_that_is_available()
{
	machine $SIZE_128M 0 1 2 3
	echo 327680 >"$TEST_KERNEL/available"
	petmem 0 256
	blocks 0=Normal 1=Normal 2=donated 3=donated
	petmem 1 128
	echo 4 >"$TEST_KERNEL/available"
	petmem 1 128
	blocks 0=Normal 1=Normal 2=donated 3=donated
}

test_stops_when_memory_becomes_scarce()
{
	machine $SIZE_128M 0 1 2 3
	movable 3
	echo 1000000 >"$TEST_KERNEL/available"
	is 2 fail_offline $EBUSY
	is 2 scarce 100000
	petmem 1 384
	err "384 MB cannot be had: 256 MB are missing, 97 MB available"
	log offline 3 offline 2 online_movable 3
	blocks 0=Normal 1=Normal 2=Normal 3=Movable
}

test_puts_kernel_memory_back_as_kernel_memory()
{
	machine $SIZE_128M 0 1
	is 0 fail_offline $EBUSY
	petmem 1 256
	log offline 1 offline 0 online_kernel 1
	blocks 0=Normal 1=Normal
}

test_lets_the_kernel_choose_when_the_zone_is_unknown()
{
	machine $SIZE_128M 0 1
	rm "$TEST_KERNEL"/memory/memory*/valid_zones
	is 0 fail_offline $EBUSY
	petmem 1 256
	log offline 1 offline 0 online 1
}

test_undoes_a_donation_refused_at_the_second_block()
{
	machine $SIZE_128M 0 1 2 3
	movable 3
	is 2 fail_donate $EINVAL
	petmem 1 384
	out ""
	err "the module refused memory2: Invalid argument"
	err "nothing was donated"
	blocks 0=Normal 1=Normal 2=Normal 3=Movable
	log offline 3 offline 2 offline 1 donate 3 donate 2 \
		online_kernel 1 online_kernel 2 release 3 online_movable 3
}

test_undoes_a_donation_without_memory_for_it()
{
	machine $SIZE_128M 0 1
	is 0 fail_donate $ENOMEM
	petmem 1 256
	err "the module refused memory0: Cannot allocate memory"
	blocks 0=Normal 1=Normal
}

test_takes_another_block_for_one_of_no_use()
{
	machine $SIZE_128M 0 1 2 3
	is 3 fail_donate $EOPNOTSUPP
	petmem 0 256
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=donated 2=donated 3=Normal
}

test_undoes_when_only_blocks_of_no_use_are_left()
{
	machine $SIZE_128M 0 1
	is 0 fail_donate $EOPNOTSUPP
	petmem 1 256
	err "256 MB cannot be had: only 128 MB went offline"
	err "memory0: Operation not supported (the module cannot use it)"
	blocks 0=Normal 1=Normal
}

test_donates_from_one_node()
{
	machine $SIZE_128M 0 1 2 3 4
	node 0 0 1 4
	node 12 2 3
	petmem 0 256 --node 0
	out "petmem: donated 256 MB (2 blocks of 128 MB) on node 0"
	blocks 0=Normal 1=donated 2=Normal 3=Normal 4=donated
	petmem 0 --node 12 1
	blocks 0=Normal 1=donated 2=Normal 3=donated 4=donated
	petmem 1 --node 12 256
	err "256 MB cannot be had: Linux has 128 MB in blocks that may go offline on node 12"
	petmem 1 --node 1 128
	err "Linux has 0 MB in blocks that may go offline on node 1"
	blocks 0=Normal 1=donated 2=Normal 3=donated 4=donated
}

test_explains_only_the_refusals_of_that_node()
{
	machine $SIZE_128M 0 1 2
	node 0 0 2
	node 1 1
	is 1 fail_offline $EBUSY
	is 2 fail_offline $EBUSY
	petmem 1 --node 0 256
	err "256 MB cannot be had: only 128 MB went offline on node 0"
	err "memory2: Device or resource busy"
	log offline 2 offline 0 online_kernel 0
}

# config LINE...: write petmem.conf.
config()
{
	printf '%s\n' "$@" >petmem.conf
}

test_config_donates_what_it_says()
{
	machine $SIZE_128M 0 1 2 3 4 5 6 7
	node 0 0 1 2 3
	node 1 4 5 6 7
	config "# a comment" "" "donate 256M node 0  # another" "	donate 2 blocks node 1" \
		"donate 1 block"
	petmem 0 --config petmem.conf
	no_err
	out "petmem: donated 256 MB (2 blocks of 128 MB) on node 0
petmem: donated 256 MB (2 blocks of 128 MB) on node 1
petmem: donated 128 MB (1 block of 128 MB)"
	blocks 0=Normal 1=Normal 2=donated 3=donated \
		4=Normal 5=donated 6=donated 7=donated
}

test_config_knows_units()
{
	machine $SIZE_128M 0 1 2 3 4 5 6 7 8 9 10
	config "donate 1G" "donate 128"
	petmem 0 --config petmem.conf
	out "petmem: donated 1024 MB (8 blocks of 128 MB)
petmem: donated 128 MB (1 block of 128 MB)"
}

test_config_is_all_or_nothing()
{
	machine $SIZE_128M 0 1 2 3
	node 0 0 1
	node 1 2 3
	is 2 fail_offline $EBUSY
	config "donate 128M node 0" "donate 256M node 1"
	petmem 1 --config petmem.conf
	err "256 MB cannot be had: only 128 MB went offline on node 1"
	err "nothing was donated"
	log offline 1 offline 3 offline 2 online_kernel 1 online_kernel 3
	blocks 0=Normal 1=Normal 2=Normal 3=Normal
}

test_config_tries_nothing_when_a_line_is_hopeless()
{
	machine $SIZE_128M 0 1 2 3
	node 0 0 1
	node 1 2 3
	config "donate 128M node 0" "donate 3 blocks node 1"
	petmem 1 --config petmem.conf
	err "384 MB cannot be had: Linux has 256 MB in blocks that may go offline on node 1"
	log ""
}

test_config_counts_what_all_lines_need()
{
	machine $SIZE_128M 0 1 2 3
	echo 327676 >"$TEST_KERNEL/available"
	config "donate 128M" "donate 128M"
	petmem 1 --config petmem.conf
	err "256 MB cannot be had: 256 MB are missing, 319 MB available"
	log ""
	echo 327680 >"$TEST_KERNEL/available"
	petmem 0 --config petmem.conf
	blocks 0=Normal 1=Normal 2=donated 3=donated
}

test_config_takes_another_block_for_one_of_no_use()
{
	machine $SIZE_128M 0 1 2 3
	node 0 0 1
	node 1 2 3
	is 3 fail_donate $EOPNOTSUPP
	config "donate 128M node 1" "donate 128M node 0"
	petmem 0 --config petmem.conf
	blocks 0=Normal 1=donated 2=donated 3=Normal
}

test_config_that_asks_for_nothing()
{
	machine $SIZE_128M 0 1
	config "# nothing"
	petmem 0 --config petmem.conf
	no_err
	out ""
	log ""
}

test_config_with_a_mistake_donates_nothing()
{
	machine $SIZE_128M 0 1 2 3
	for line in donate give "give 128M" "donate 0" "donate 0 blocks" "donate -1" \
		"donate 128K" "donate 128MB" "donate 1.5G" "donate x blocks" \
		"donate 128M blocks" "donate 128M 1" "donate 128M node" \
		"donate 128M node x" "donate 128M node -1" "donate 128M node 4294967296" \
		"donate 128M node 0 1" "donate 1 block node 0 1" "donate blocks 1" \
		"donate 1099511627776G" "donate 18446744073709551617" \
		"donate 4294967297 blocks"; do
		config "donate 128M" "" "$line"
		petmem 1 --config petmem.conf
		err "petmem.conf:3: "
	done
	log ""
	petmem 1 --config none.conf
	err "none.conf: No such file or directory"
}

# A machine of two nodes, with an offline block, and donated ones.
drawn_machine()
{
	machine $SIZE_128M 0 1 2 3 32 33
	node 0 0 1 2 3
	node 1 32 33
	is 1 state offline
	donated 2 3 33
	is 3 used 16384
	is 33 used 1
	export COLUMNS=79 LC_ALL=C
}

test_draws_the_pool()
{
	drawn_machine
	petmem 0 pool
	no_err
	out "petmem pool: physical memory

Memory blocks of 128 MB, by NUMA node
node 0             ========--------PPPPPPPPPPPPPPPP 128 MB Linux, 256 MB petmem
node 1             ========PPPPPPPP                 128 MB Linux, 128 MB petmem

Donated ranges
0x10000000 node 0  ................................ 0 of 32768 pages used
0x18000000 node 1  ################................ 16384 of 32768 pages used
0x108000000 node 1 T............................... 1 of 32768 pages used

Free memory, by buddy order; 0% is in blocks below 2 MiB
order 0, 4 KiB     .                                1 block
order 1, 8 KiB     .                                1 block
order 2, 16 KiB    .                                1 block
order 3, 32 KiB    .                                1 block
order 4, 64 KiB    .                                1 block
order 5, 128 KiB   .                                1 block
order 6, 256 KiB   .                                1 block
order 7, 512 KiB   .                                1 block
order 8, 1 MiB     .                                1 block
order 9, 2 MiB     .                                1 block
order 10, 4 MiB    .                                1 block
order 11, 8 MiB    ..                               1 block
order 12, 16 MiB   ....                             1 block
order 13, 32 MiB   ........                         1 block
order 14, 64 MiB   ................................ 2 blocks
order 15, 128 MiB  ................................ 1 block

# data   T table   . free   P petmem   = Linux   - offline"
	log ""
}

test_draws_fragments()
{
	machine $SIZE_128M 2
	donated 2
	# Five pages are free: order 0, and order 2.
	is 2 used 32763
	petmem 0 pool
	grep -q "^Free memory, by buddy order; 100% is in blocks below 2 MiB" out ||
		wrong "not fragmented"
	grep -q "^order 2, 16 KiB .* 1 block$" out || wrong "no block of order 2"
	[ "$(grep -c "^order" out)" = 2 ] || wrong "not two orders"
	is 2 used 32768
	petmem 0 pool
	! grep -q "buddy order" out || wrong "nothing is free"
}

test_draws_amounts_for_who_may_not_see_more()
{
	drawn_machine
	echo 1 >"$TEST_KERNEL/members_only"
	petmem 0 pool
	no_err
	grep -qx "0x108000000 node 1 #\.* 1 of 32768 pages used" out || wrong "no amount"
	! grep -q "buddy order" out || wrong "orders that nobody told"
}

test_draws_in_utf8_without_colours_into_a_file()
{
	drawn_machine
	export LC_ALL=C.UTF-8
	petmem 0 pool
	grep -q '█░' out || wrong "no shades"
	! grep -q "$(printf '\033')" out || wrong "escape sequences"
}

test_draws_a_narrow_picture()
{
	drawn_machine
	export COLUMNS=40
	petmem 0 pool
	grep -qx "node 0       128 MB Linux, 256 MB petmem" out || wrong "no label and note in one line"
	grep -qx "==========----------PPPPPPPPPPPPPPPPPPPP" out || wrong "no bar below them"
	grep -qx "16384 of 32768 pages used" out || wrong "what does not fit has no line of its own"
	grep -qx "# data   T table   . free   P petmem" out || wrong "a legend that is too long"
	# Only a heading may be longer.
	! grep -v "^Free memory" out | grep -q "^.\{41\}" || wrong "too long a line"
	export COLUMNS=10
	petmem 0 pool
	grep -qx "====----PPPPPPPP" out || wrong "the bar is not as short as it may be"
}

test_fills_the_width()
{
	drawn_machine
	export COLUMNS=200
	petmem 0 pool
	[ "$(grep "^node 0 " out | wc -L)" = 199 ] || [ "$(grep "^node 0 " out | wc -L)" = 200 ] ||
		wrong "not as wide as there is room"
}

test_draws_into_files()
{
	drawn_machine
	petmem 0 pool --svg pool.svg --html pool.html
	out ""
	python3 -c 'import sys, xml.dom.minidom as d; d.parse("pool.svg")' || wrong "no XML"
	[ "$(grep -c '<rect class="p[0-9]*" ' pool.svg)" = 26 ] || wrong "not 26 segments"
	[ "$(grep -o '<i class="p[0-9]*" style' pool.html | wc -l)" = 26 ] || wrong "not 26 segments"
	for file in pool.svg pool.html; do
		grep -q "16384 of 16384 pages in use, most as 4 KiB pages" $file || wrong "$file: no tip"
		grep -q "prefers-color-scheme:dark" $file || wrong "$file: no dark colours"
		! grep -E 'src=|href=|url\(|@import' $file || wrong "$file needs another file"
	done
	petmem 0 pool --svg -
	cmp out pool.svg || wrong "another picture"
	petmem 1 pool --html none/pool.html
	err "none/pool.html: No such file or directory"
	ln -s /dev/full full
	petmem 1 pool --svg full
	err "full: No space left on device"
}

# modprobe STATUS TEXT: make modprobe print TEXT and end with STATUS.
modprobe()
{
	mkdir -p bin
	printf '#!/bin/sh\necho "$*" >>modprobe.log\necho "%s" >&2\nexit %d\n' "$2" "$1" \
		>bin/modprobe
	chmod +x bin/modprobe
	tool=(env "PATH=$PWD/bin:$PATH" "${tool[@]}")
}

test_loads_the_module()
{
	machine $SIZE_128M 0
	modprobe 0 ""
	petmem 0 --load
	[ "$(cat modprobe.log)" = petmem ] || wrong "modprobe was not asked for petmem"
}

# Only root gets more information.
test_explains_why_the_module_is_refused()
{
	machine $SIZE_128M 0
	modprobe 1 ""
	[ "$(id -u)" -eq 0 ] || tool=(unshare --map-root-user "${tool[@]}")
	for reason in "Key was rejected by service" "Required key not available" \
		"Operation not permitted"; do
		modprobe 1 "modprobe: ERROR: could not insert 'petmem': $reason"
		petmem 1 --load
		err "could not insert 'petmem': $reason"
		err "the module cannot be loaded"
		err "mokutil --import"
	done
	modprobe 1 "modprobe: FATAL: Module petmem not found in directory /lib/modules/6.1"
	petmem 1 --load
	err "was not built for this kernel"
	modprobe 1 "modprobe: ERROR: could not insert 'petmem': Exec format error"
	petmem 1 --load
	err "built for another kernel"
	modprobe 1 "modprobe: ERROR: could not insert 'petmem': No such device"
	petmem 1 --load
	[ "$(wc -l <err)" = 2 ] || wrong "expected no advice"
}

test_reports_a_block_that_does_not_come_back()
{
	machine $SIZE_128M 0 1 2
	is 0 fail_offline $EBUSY
	is 2 fail_online $ENOMEM
	petmem 1 384
	err "memory2 is offline and could not be brought back online: Cannot allocate memory"
	err "try again: echo online > /sys/devices/system/memory/memory2/state"
	err "not all of it could be undone"
	blocks 0=Normal 1=Normal 2=offline
}

test_reports_a_block_of_no_use_that_does_not_come_back()
{
	machine $SIZE_128M 0 1 2
	is 2 fail_donate $EOPNOTSUPP
	is 2 fail_online $ENOMEM
	petmem 1 256
	err "memory2 is offline and could not be brought back online"
	err "the module refused memory2: Operation not supported"
	blocks 0=Normal 1=Normal 2=offline
}

test_reports_a_block_that_went_into_use_before_the_undo()
{
	machine $SIZE_128M 0 1
	is 0 fail_donate $ENOMEM
	is 1 used 7
	petmem 1 256
	err "memory1 stays donated: Device or resource busy; later: petmem release"
	err "not all of it could be undone"
	blocks 0=Normal 1=donated
}

test_undo_copes_with_another_run_that_released_a_block()
{
	machine $SIZE_128M 0 1
	is 0 fail_donate $ENOMEM
	is 1 stolen release
	petmem 1 256
	err "nothing was donated"
	blocks 0=Normal 1="Normal Movable"
}

test_takes_thousands_of_candidates()
{
	local numbers

	mapfile -t numbers < <(seq 100 3 3100)
	machine $SIZE_128M "${numbers[@]}"
	for number in "${numbers[@]}"; do
		is "$number" fail_offline $EBUSY
	done
	rm "$TEST_KERNEL"/memory/memory{100,1600,3100}/fail_offline
	petmem 0 384
	[ "$(grep -c offline "$TEST_KERNEL/log")" = 1001 ] ||
		wrong "not every block was tried once"
	[ "$(cat "$TEST_KERNEL"/memory/memory*/state | grep -c offline)" = 3 ] ||
		wrong "a block was forgotten"
	[ "$(grep donate "$TEST_KERNEL/log" | tr '\n' ' ')" = \
		"donate 3100 donate 1600 donate 100 " ] ||
		wrong "not those three blocks"
}

test_looks_only_at_blocks()
{
	machine $SIZE_128M 0 1 2
	for name in memory memory+2 memory2x memoryx block2; do
		cp -r "$TEST_KERNEL/memory/memory2" "$TEST_KERNEL/memory/$name"
	done
	petmem 1 512
	err "Linux has 384 MB in blocks"
}

test_undoes_it_though_nobody_reads_the_errors()
{
	local status=0

	machine $SIZE_128M 0 1 2
	is 0 fail_offline $EBUSY
	# A pipe that has lost its reader.
	exec 9> >(:)
	wait $!
	"${tool[@]}" 384 2>&9 || status=$?
	[ "$status" = 1 ] || wrong "exit status $status"
	blocks 0=Normal 1=Normal 2=Normal
}

test_one_signal_undoes_it()
{
	machine $SIZE_128M 0 1 2 3
	is 2 signal_offline "$1"
	petmem $((128 + $1)) 384
	err "interrupted: "
	err "nothing was donated"
	log offline 3 offline 2 online_kernel 3
	blocks 0=Normal 1=Normal 2=Normal 3=Normal
}

test_sigterm_undoes_it()
{
	test_one_signal_undoes_it $SIGTERM
}

test_sigint_undoes_it()
{
	test_one_signal_undoes_it $SIGINT
}

test_sigquit_undoes_it()
{
	test_one_signal_undoes_it $SIGQUIT
}

test_sighup_undoes_it()
{
	test_one_signal_undoes_it $SIGHUP
}

test_an_ignored_signal_stays_ignored()
{
	machine $SIZE_128M 0 1 2
	is 2 signal_offline $SIGHUP
	tool=(env --ignore-signal=HUP "${tool[@]}")
	petmem 0 256
	blocks 0=Normal 1=donated 2=donated
}

test_a_signal_just_before_the_write_ends_it()
{
	machine $SIZE_128M 0 1 2
	is 1 signal_open $SIGTERM
	is 1 hang 1
	petmem 143 256
	blocks 0=Normal 1=Normal 2=Normal
}

test_a_signal_after_the_last_block_undoes_it()
{
	machine $SIZE_128M 0 1 2
	is 1 signal_open $SIGTERM
	petmem 143 256
	log offline 2 offline 1 online_kernel 1 online_kernel 2
	blocks 0=Normal 1=Normal 2=Normal
}

test_a_signal_among_the_donations_comes_too_late()
{
	machine $SIZE_128M 0 1 2
	is 2 signal_donate $SIGTERM
	petmem 0 256
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=donated 2=donated
}

test_a_signal_does_not_stop_the_undo()
{
	machine $SIZE_128M 0 1 2
	is 0 fail_offline $EBUSY
	is 1 signal_online $SIGINT
	petmem 130 384
	blocks 0=Normal 1=Normal 2=Normal
}

test_releases_all()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 3
	petmem 0 --release
	out "petmem: released 256 MB (2 blocks of 128 MB)"
	no_err
	log release 1 online_movable 1 release 3 online_movable 3
	blocks 0=Normal 1=Movable 2=Normal 3=Movable
}

test_releases_what_was_donated()
{
	machine $SIZE_2G 0 1 7 8
	petmem 0 6000
	petmem 0 --release
	out "petmem: released 6144 MB (3 blocks of 2048 MB)"
	blocks 0=Normal 1=Movable 7=Movable 8=Movable
}

test_releases_some_rounded_up()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 2 3
	petmem 0 --release 200
	out "petmem: 200 MB rounded up to 256 MB, whole blocks of 128 MB
petmem: released 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=Movable 2=Movable 3=donated
}

test_release_of_nothing_is_done()
{
	machine $SIZE_128M 0
	petmem 0 --release
	out "petmem: released 0 MB (0 blocks of 128 MB)"
	blocks 0=Normal
}

test_release_of_more_than_there_is_fails()
{
	machine $SIZE_128M 0 1
	donated 1
	petmem 1 --release 256
	out "petmem: released 128 MB (1 block of 128 MB)"
	err "256 MB were asked for"
	blocks 0=Normal 1=Movable
}

test_release_passes_over_a_block_in_use()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 2 3
	is 2 used 5
	petmem 1 --release
	out "petmem: released 256 MB (2 blocks of 128 MB)"
	err "memory2 is in use and stays donated: 32763 of 32768 pages are free"
	blocks 0=Normal 1=Movable 2=donated 3=Movable
}

test_release_of_some_takes_another_for_a_block_in_use()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 2 3
	is 1 used 5
	petmem 0 --release 256
	out "petmem: released 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=donated 2=Movable 3=Movable
}

test_release_reports_a_block_that_does_not_come_online()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 2
	is 1 fail_online $EINVAL
	petmem 1 --release
	out "petmem: released 128 MB (1 block of 128 MB)"
	err "memory1 is offline and could not be brought back online: Invalid argument"
	err "try again: echo online > /sys/devices/system/memory/memory1/state"
	blocks 0=Normal 1=offline 2=Movable 3=Normal
}

test_release_copes_with_a_block_that_another_brings_online()
{
	machine $SIZE_128M 0 1
	donated 1
	is 1 stolen online
	is 1 valid_zones Movable
	petmem 0 --release
	out "petmem: released 128 MB (1 block of 128 MB)"
	blocks 0=Normal 1=Movable
}

test_releases_a_range_of_several_blocks()
{
	machine $SIZE_128M 0 1 2 3
	is 1 donated 2
	is 1 state offline
	is 2 state offline
	petmem 0 --release
	out "petmem: released 256 MB (2 blocks of 128 MB)"
	blocks 0=Normal 1=Movable 2=Movable 3=Normal
}

test_release_stops_between_blocks_at_a_signal()
{
	machine $SIZE_128M 0 1 2
	donated 1 2
	is 1 signal_release $SIGTERM
	petmem 143 --release
	out "petmem: released 128 MB (1 block of 128 MB)"
	err "interrupted: Terminated"
	blocks 0=Normal 1=Movable 2=donated
}

test_release_needs_privilege()
{
	machine $SIZE_128M 0 1
	donated 1
	is 1 fail_release $EPERM
	petmem 1 --release
	err "memory1 stays donated: Operation not permitted (run as root)"
	blocks 0=Normal 1=donated
}

test_status()
{
	machine $SIZE_128M 0 1 38 39
	donated 38 39
	is 38 used 5
	is 1 donated 2
	is 1 state offline
	petmem 0 --status
	no_err
	out "total_pages: 11
free_pages: 22
clean_pages: 20
table_pages: 33
data_pages: 44
bad_pages: 3
large_pages: 0
giant_pages: 0
processes: 55
native_processes: 33
block_size: 134217728
faults: 111
copies: 222
forks: 333
max_family_pages: 444
max_user_pages: 555
node: 0 free 32763 of 32768
node: 1 free 98304 of 98304
block: 0x8000000-0x18000000 node 1 free 65536 of 65536
block: 0x130000000-0x138000000 node 0 free 32763 of 32768
block: 0x138000000-0x140000000 node 1 free 32768 of 32768
user: 0 pages 77 families 1
user: 1000 pages 78 families 1"
}

test_status_as_json()
{
	machine $SIZE_128M 0 1 38 39
	donated 38
	is 38 used 5
	petmem 0 --status --json
	no_err
	out '{
  "total_pages": 11,
  "free_pages": 22,
  "clean_pages": 20,
  "table_pages": 33,
  "data_pages": 44,
  "bad_pages": 3,
  "large_pages": 0,
  "giant_pages": 0,
  "processes": 55,
  "native_processes": 33,
  "block_size": 134217728,
  "faults": 111,
  "copies": 222,
  "forks": 333,
  "max_family_pages": 444,
  "max_user_pages": 555,
  "blocks": [
    {"start": 5100273664, "size": 134217728, "node": 0, "free_pages": 32763}
  ],
  "nodes": [
    {"node": 0, "pages": 32768, "free_pages": 32763}
  ],
  "users": [
    {"uid": 0, "pages": 77, "families": 1},
    {"uid": 1000, "pages": 78, "families": 1}
  ]
}'
	python3 -m json.tool <out >/dev/null || wrong "not JSON"
}

test_status_does_not_read_sysfs()
{
	machine $SIZE_128M
	rm "$TEST_KERNEL/memory/block_size_bytes"
	petmem 0 --status
}

test_status_that_cannot_be_written()
{
	local status=0

	machine $SIZE_128M 0
	"${tool[@]}" --status 2>err >/dev/full || status=$?
	[ "$status" = 1 ] || wrong "exit status $status"
	err "No space left on device"
}

test_donation_needs_privilege_for_sysfs()
{
	machine $SIZE_128M 0 1 2
	echo $EACCES >"$TEST_KERNEL/state_error"
	petmem 1 128
	err "/sys/devices/system/memory: Permission denied: run as root"
	blocks 0=Normal 1=Normal 2=Normal
}

test_donation_needs_a_writable_sysfs()
{
	machine $SIZE_128M 0 1 2
	echo $EROFS >"$TEST_KERNEL/state_error"
	petmem 1 128
	err "Read-only file system"
	blocks 0=Normal 1=Normal 2=Normal
}

test_donation_needs_privilege_for_the_module()
{
	machine $SIZE_128M 0 1 2
	is 2 fail_donate $EPERM
	petmem 1 128
	err "Operation not permitted (run as root)"
	blocks 0=Normal 1=Normal 2=Normal
}

test_no_module()
{
	machine $SIZE_128M 0 1
	echo $ENOENT >"$TEST_KERNEL/open_error"
	for arguments in 128 --release --status; do
		petmem 1 "$arguments"
		err "is the module loaded? (insmod petmem.ko)"
	done
	log ""
}

test_no_right_to_the_device()
{
	machine $SIZE_128M 0 1
	echo $EACCES >"$TEST_KERNEL/open_error"
	petmem 1 128
	err "/dev/petmem: run as root: Permission denied"
	log ""
}

test_another_protocol()
{
	machine $SIZE_128M 0 1
	echo $((abi + 1)) >"$TEST_KERNEL/abi"
	for arguments in 128 --release --status; do
		petmem 1 "$arguments"
		err "the module speaks protocol $((abi + 1)), this program $abi"
	done
	log ""
}

test_another_device()
{
	machine $SIZE_128M 0 1
	echo $ENOTTY >"$TEST_KERNEL/version_error"
	petmem 1 128
	err "/dev/petmem is not petmem's device"
	log ""
}

test_a_kernel_without_memory_blocks()
{
	machine $SIZE_128M
	rm -r "$TEST_KERNEL/memory"
	petmem 1 128
	err "has this kernel memory hot-remove"
}

test_a_block_size_that_makes_no_sense()
{
	for size in 0 "" junk 8000001 80000 10000000000000000; do
		rm -rf machine
		machine "$size" 0 1
		petmem 1 128
		err "/sys/devices/system/memory: "
		log ""
	done
}

test_bad_numbers()
{
	machine $SIZE_128M 0 1
	for number in 0 00 -1 -128 +128 128M 0x80 "" " 128" "128 " 1.5 junk \
		17592186044416 18446744073709551616 99999999999999999999999; do
		petmem 2 -- "$number"
		err "Try: petmem --help"
		petmem 2 --release -- "$number"
		err "Try: petmem --help"
	done
	petmem 2 -128
	log ""
	blocks 0=Normal 1=Normal
}

test_the_largest_number_is_a_number()
{
	machine $SIZE_128M 0 1
	petmem 1 17592186044415
	err "17592186044416 MB cannot be had"
	blocks 0=Normal 1=Normal
}

test_bad_usage()
{
	machine $SIZE_128M 0 1
	donated 1
	petmem 2
	petmem 2 128 128
	petmem 2 --release 128 128
	petmem 2 --status 128
	petmem 2 --status --release
	petmem 2 --bogus
	petmem 2 --release=128
	petmem 2 --node 0
	petmem 2 --node x 128
	petmem 2 --node -1 128
	petmem 2 --node 2147483648 128
	petmem 2 --release --node 0
	petmem 2 --config
	petmem 2 --config petmem.conf 128
	petmem 2 --config petmem.conf --node 0
	petmem 2 --config petmem.conf --status
	petmem 2 --status --config petmem.conf
	petmem 2 --load 128
	petmem 2 pool 128
	petmem 2 pool --node 0
	petmem 2 --status pool
	petmem 2 --svg pool.svg 128
	petmem 2 --json
	petmem 2 --json 128
	petmem 2 --once --status
	petmem 2 map
	petmem 2 map 0
	petmem 2 map x
	petmem 2 map 1 2
	petmem 2 walk
	petmem 2 walk 1
	petmem 2 walk 1 y
	petmem 2 walk 1 10000000000000000
	petmem 2 walk 1 0x1000 2
	petmem 2 top 1
	petmem 2 map 1 --status
	petmem 2 donate
	petmem 2 donate x
	petmem 2 donate 128 --config petmem.conf
	petmem 2 donate 128 --release
	petmem 2 --config petmem.conf --config petmem.conf
	petmem 2 release 128 128
	petmem 2 release --status
	petmem 2 status 128
	petmem 2 status --once
	petmem 2 load 128
	log ""
	blocks 0=Normal 1=donated
}

# on_terminal COLUMNS STATUS ARGUMENT...: the same with standard error on a terminal that
# wide. Its output is in screen, with <CR> and <EL> for the control characters.
on_terminal()
{
	local status=0 command

	printf -v command '%q ' timeout -s KILL 20 "${tool[@]}" "${@:3}"
	script -qec "stty cols $1 && $command >out" typescript >/dev/null </dev/null || status=$?
	sed -e '/^Script \(started\|done\)/d' -e 's/\r$//' -e 's/\r/<CR>/g' -e 's/\x1b\[K/<EL>/g' \
		typescript >screen
	sed 's/^/# screen: /' screen
	[ "$status" = "$2" ] || wrong "exit status $status, expected $2"
}

# The terminal must have got this, and nothing else.
screen()
{
	[ "$(cat screen)" = "$1" ] || wrong "expected on the screen: $1"
}

test_progress_of_a_donation()
{
	machine $SIZE_128M 0 1 2 3
	is 2 fail_offline $EBUSY
	on_terminal 80 0 256
	screen "<CR>petmem: took 0 of 256 MB; memory3 is next<EL><CR><EL>\
<CR>petmem: took 128 of 256 MB; memory2 is next<EL><CR><EL>\
<CR>petmem: took 128 of 256 MB; memory1 is next<EL><CR><EL>"
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
}

test_progress_of_all_that_petmem_conf_says()
{
	machine $SIZE_128M 0 1 2 3
	config "donate 128M" "donate 128M"
	on_terminal 80 0 --config petmem.conf
	screen "<CR>petmem: took 0 of 256 MB; memory3 is next<EL><CR><EL>\
<CR>petmem: took 128 of 256 MB; memory2 is next<EL><CR><EL>"
}

test_progress_makes_way_for_messages()
{
	machine $SIZE_128M 0 1
	is 0 fail_offline $EBUSY
	is 1 fail_online $EBUSY
	on_terminal 80 1 256
	grep -qx "<CR>.*<EL><CR><EL>petmem: 256 MB cannot be had: only 128 MB went offline" screen ||
		wrong "a message over the progress"
	grep -qx "<CR>petmem: putting memory1 back<EL><CR><EL>petmem: memory1 is offline and .*" \
		screen || wrong "a message over the progress"
}

test_progress_of_a_release()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 3
	on_terminal 80 0 --release
	screen "<CR>petmem: released 0 of 256 MB; memory1 is next<EL><CR><EL>\
<CR>petmem: released 128 of 256 MB; memory3 is next<EL><CR><EL>"
	out "petmem: released 256 MB (2 blocks of 128 MB)"
}

test_progress_of_a_part_of_a_release()
{
	machine $SIZE_128M 0 1 2 3
	donated 1 2 3
	on_terminal 80 0 --release 129
	screen "<CR>petmem: released 0 of 256 MB; memory1 is next<EL><CR><EL>\
<CR>petmem: released 128 of 256 MB; memory2 is next<EL><CR><EL>"
}

test_progress_fits_into_a_narrow_terminal()
{
	machine $SIZE_128M 0 1
	on_terminal 20 0 128
	screen "<CR>petmem: took 0 of 1<EL><CR><EL>"
}

test_no_progress_without_a_terminal()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 256
	no_err
	petmem 0 --release
	no_err
}

# The words do the same as the options, which came first.
test_words()
{
	machine $SIZE_128M 0 1 2 3
	petmem 0 donate 256
	out "petmem: donated 256 MB (2 blocks of 128 MB)"
	petmem 0 status
	cp out words
	petmem 0 --status
	cmp out words || wrong "status"
	petmem 0 release 128
	out "petmem: released 128 MB (1 block of 128 MB)"
	petmem 0 release
	out "petmem: released 128 MB (1 block of 128 MB)"
	config "donate 128M"
	petmem 0 donate --config petmem.conf
	out "petmem: donated 128 MB (1 block of 128 MB)"
}

test_help_and_version_need_no_module()
{
	machine $SIZE_128M 0 1
	echo $ENOENT >"$TEST_KERNEL/open_error"
	petmem 0 --help
	grep -q "^Usage: petmem donate MB" out || wrong "no usage"
	petmem 0 --version
	grep -q "^petmem .*protocol $abi$" out || wrong "no version"
}

mapfile -t tests < <(declare -F | sed -n 's/^declare -f test_//p' |
	grep -v '^one_signal' | grep -e "${2:-}")
echo "1..${#tests[@]}"
number=0 failed=0
for name in "${tests[@]}"; do
	number=$((number + 1))
	mkdir "$work/$name"
	status=0
	# A condition would turn off set -e inside.
	set +e
	(
		set -e
		cd "$work/$name"
		"test_$name"
	) >"$work/output" 2>&1
	status=$?
	set -e
	if [ $status = 0 ]; then
		echo "ok $number - petmem tool: ${name//_/ }"
	else
		failed=$((failed + 1))
		sed 's/^[^#]/# &/' "$work/output"
		echo "not ok $number - petmem tool: ${name//_/ }"
	fi
done
exit $((failed > 0))
