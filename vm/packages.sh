# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's packages, of any release, downloaded and unpacked without being root. Source
# this after vm/common.sh.
# shellcheck disable=SC2154  # cache, which that sets

# Print the address that this machine gets a kind of package from: '' for Debian
# itself, -security for its security updates. Before the first apt-get update only the
# path tells a Debian mirror from another one.
mirror() {
	# Names of apt's own, not the shell's.
	# shellcheck disable=SC2016
	local address='$(REPO_URI) $(RELEASE)'
	{
		apt-get indextargets --format "$address" \
			'Created-By: Packages' 'Component: main' 'Origin: Debian'
		apt-get indextargets --no-release-info --format "$address" \
			'Created-By: Packages' 'Component: main' |
			grep -E '/debian(-security)?/ ' || true
	} | awk -v kind="^[a-z]+$1\$" '!found && $2 ~ kind { print $1; found = 1 }'
}

# apt-get or apt-cache with a state of its own in $apt. It needs no root, and neither uses
# nor changes the state of this machine's own apt.
private_apt() {
	local tool=$1
	shift
	"$tool" -q -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" \
		-o "Dir::Cache=$apt" -o "Dir::Etc::sourcelist=$apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root \
		-o APT::Architecture=amd64 -o Acquire::Languages=none "$@"
}

# Set $apt to a private apt state with fresh package lists of a Debian release. Others
# wait for it until close_suite, or the end of this shell.
open_suite() {
	local suite=$1 main security keyring
	apt=$cache/apt/$suite
	mkdir -p "$cache/locks"
	exec {suite_lock}>"$cache/locks/apt-$suite"
	flock "$suite_lock"
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(mirror '')
	[ -n "$main" ] || die "apt's configuration names no Debian mirror"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial"
	: >"$apt/status"
	echo "deb [signed-by=$keyring] $main $suite main" >"$apt/sources.list"
	if [ "$suite" != sid ]; then
		security=$(mirror -security)
		[ -n "$security" ] || die "apt's configuration names no security updates"
		echo "deb [signed-by=$keyring] $security $suite-security main" >>"$apt/sources.list"
	fi
	say "reading the package lists of Debian $suite"
	quietly private_apt apt-get update -o APT::Update::Error-Mode=any
}

close_suite() {
	exec {suite_lock}>&-
}

# Print the names of packages and of all that they depend on, one a line.
with_dependencies() {
	private_apt apt-get install --print-uris -y --no-install-recommends "$@" |
		sed -n "s/^'.* \([^_ ]*\)_[^ ]* [0-9]* [^ ]*$/\1/p"
}

# Download packages and unpack them into a directory.
unpack() {
	local directory=$1 debs=$1/debs package
	shift
	mkdir "$debs"
	(cd "$debs" && quietly private_apt apt-get download "$@")
	for package in "$debs"/*.deb; do
		dpkg-deb -x "$package" "$directory"
	done
	rm -r "$debs"
}
