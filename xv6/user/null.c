// SPDX-License-Identifier: GPL-2.0 OR MIT
/* null - follow a NULL pointer, and say what is there: the experiment of part 1. */
#include "types.h"
#include "user.h"

int main(void)
{
	int *volatile null = 0;

	printf(1, "at NULL is 0x%x\n", *null);
	exit();
}
