// SPDX-License-Identifier: GPL-2.0 OR MIT
/* echo WORD... : the words, with single spaces between. */
#include "types.h"
#include "user.h"

int main(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		printf(1, "%s%s", i > 1 ? " " : "", argv[i]);
	printf(1, "\n");
	exit();
}
