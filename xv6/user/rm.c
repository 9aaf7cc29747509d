// SPDX-License-Identifier: GPL-2.0 OR MIT
/* rm NAME... : files, and directories that are empty. */
#include "types.h"
#include "user.h"

int main(int argc, char *argv[])
{
	int i;

	if (argc < 2)
		printf(2, "usage: rm NAME...\n");
	for (i = 1; i < argc; i++)
		if (unlink(argv[i]) < 0)
			printf(2, "rm: cannot remove %s\n", argv[i]);
	exit();
}
