# SPDX-License-Identifier: GPL-2.0
# Gcov.pm - read the counts of the module's lines.
package Gcov;
use strict;
use warnings;
use Exporter qw(import);
use JSON::PP qw(decode_json);

our @EXPORT_OK = qw(read_counts head_of_function);

# Add up the counts in .gcda files: file => line number => count. Only of the module's own
# files, not of Linux's headers nor of the tests. The caller is in the top directory.
sub read_counts {
	my %counts;
	for my $gcda (@_) {
		my $json = qx(gcov --json-format --stdout '$gcda' 2>/dev/null);
		die "gcov cannot read $gcda\n" if $? || !length $json;
		for my $file (@{ decode_json($json)->{files} }) {
			my ($name) = $file->{file} =~ m{([^/]+)$};
			next if !-e $name || $file->{file} =~ m{\binclude/};
			$counts{$name}{ $_->{line_number} } += $_->{count} for @{ $file->{lines} };
		}
	}
	return \%counts;
}

# The name of the function whose head this line is, or undef. gcov does not know it for
# code that was inlined early.
sub head_of_function { return $_[0] =~ /^(?=[a-z]).*?(\w+)\(/ ? $1 : undef }

1;
