// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * fill FILE C [exit | exec | gone] - map FILE shared, and write C to each of its bytes.
 * The changes go back to the file by munmap(), by the end of the program, or by exec();
 * with "gone", the file has lost its name by then. (make AFTER=mmap)
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "user.h"

int main(int argc, char *argv[])
{
	char *echo[] = { "echo", "filled", 0 };
	char *end = argc > 3 ? argv[3] : "munmap";
	struct stat st;
	char *p;
	int fd;

	if (argc < 3) {
		printf(2, "usage: fill FILE C [exit | exec | gone]\n");
		exit();
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st) < 0) {
		printf(2, "fill: cannot open %s\n", argv[1]);
		exit();
	}
	p = mmap(0, st.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		printf(2, "fill: cannot map %s\n", argv[1]);
		exit();
	}
	if (strcmp(end, "gone") == 0)
		unlink(argv[1]);
	memset(p, argv[2][0], st.size);
	if (strcmp(end, "munmap") == 0)
		munmap(p, st.size);
	else if (strcmp(end, "exec") == 0)
		exec(echo[0], echo);
	exit();
}
