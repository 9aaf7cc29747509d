// SPDX-License-Identifier: GPL-2.0 OR MIT
/* mkdir DIRECTORY... */
#include "types.h"
#include "user.h"

int main(int argc, char *argv[])
{
	int i;

	if (argc < 2)
		printf(2, "usage: mkdir DIRECTORY...\n");
	for (i = 1; i < argc; i++)
		if (mkdir(argv[i]) < 0)
			printf(2, "mkdir: cannot make %s\n", argv[i]);
	exit();
}
