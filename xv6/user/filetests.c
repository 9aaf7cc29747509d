// SPDX-License-Identifier: GPL-2.0
/*
 * filetests.c - files, directories, links, descriptors and devices.
 *
 * Every test removes what it made; the last one finds out whether anything was
 * lost on the way.
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "fs.h"
#include "param.h"
#include "user.h"
#include "tap.h"
#include "usertests.h"

static char buf[16 * BSIZE];

static int create(const char *name)
{
	int fd = open(name, O_CREATE | O_RDWR);

	require(fd >= 0);
	return fd;
}

static void make_file(const char *name, const char *content)
{
	int fd = create(name);

	require(write(fd, content, strlen(content)) == (int)strlen(content));
	close(fd);
}

static void require_content(const char *name, const char *content)
{
	int fd = open(name, O_RDONLY);
	int n = strlen(content);

	require(fd >= 0);
	require(read(fd, buf, sizeof(buf)) == n);
	buf[n] = 0;
	require(strcmp(buf, content) == 0);
	close(fd);
}

static int exists(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	require(stat(name, &st) == 0);
	return st;
}

/* A name of one letter and two characters that tell @i, for up to 64 * 64. */
static void number_name(char name[4], char letter, int i)
{
	name[0] = letter;
	name[1] = '0' + i / 64;
	name[2] = '0' + i % 64;
	name[3] = 0;
}

/* --- reading and writing ------------------------------------------------------ */

static void write_and_read(void)
{
	int fd = create("small");
	int i;

	for (i = 0; i < 100; i++)
		require(write(fd, "aaaaaaaaaa", 10) == 10 &&
			write(fd, "bbbbbbbbbb", 10) == 10);
	require(write(fd, buf, 0) == 0);
	close(fd);
	fd = open("small", O_RDONLY);
	require(read(fd, buf, sizeof(buf)) == 2000);
	for (i = 0; i < 2000; i++)
		require(buf[i] == (i / 10 % 2 ? 'b' : 'a'));
	require(read(fd, buf, sizeof(buf)) == 0);
	close(fd);
	require(unlink("small") == 0);
	require(!exists("small"));
	require(unlink("small") == -1);
}

static void modes_are_kept(void)
{
	int fd;

	require(open("nosuchfile", O_RDONLY) == -1);
	require(open("nosuchfile", O_RDWR) == -1);
	make_file("modes", "abc");
	fd = open("modes", O_RDONLY);
	require(write(fd, "x", 1) == -1);
	close(fd);
	fd = open("modes", O_WRONLY);
	require(read(fd, buf, 1) == -1);
	require(write(fd, "x", 1) == 1);
	close(fd);
	require_content("modes", "xbc");
	close(create("modes"));			/* O_CREATE does not empty it */
	require_content("modes", "xbc");
	require(unlink("modes") == 0);
}

static void bad_descriptors(void)
{
	struct stat st;
	int bad[] = { -1, NOFILE, NOFILE + 1, 1 << 20, -(1 << 20), NOFILE - 1 };
	int i;

	for (i = 0; i < COUNT(bad); i++) {
		require(read(bad[i], buf, 1) == -1);
		require(write(bad[i], buf, 1) == -1);
		require(fstat(bad[i], &st) == -1);
		require(dup(bad[i]) == -1);
		require(close(bad[i]) == -1);
	}
	require(read(0, buf, -1) == -1);
	require(write(1, buf, -1) == -1);
}

/* Exactly MAXFILE blocks, several times: the blocks come back. */
static void largest_file(void)
{
	int round, i, fd;

	for (round = 0; round < 8; round++) {
		fd = create("big");
		for (i = 0; i < (int)MAXFILE; i++) {
			*(int *)buf = i;
			require(write(fd, buf, BSIZE) == BSIZE);
		}
		require(write(fd, buf, 1) == -1);
		require(write(fd, buf, BSIZE) == -1);
		close(fd);
		require(stat_of("big").size == MAXFILE * BSIZE);
		fd = open("big", O_RDONLY);
		for (i = 0; i < (int)MAXFILE; i++) {
			require(read(fd, buf, BSIZE) == BSIZE);
			require(*(int *)buf == i);
		}
		require(read(fd, buf, BSIZE) == 0);
		close(fd);
		require(unlink("big") == 0);
	}
}

/* Writes of all sizes up to more than a log transaction holds. */
static void writes_in_pieces(void)
{
	uint size, i;
	int fd;

	for (size = 613; size < sizeof(buf); size += 577) {
		fd = create("pieces");
		for (i = 0; i < size; i++)
			buf[i] = i % 253;
		require(write(fd, buf, size) == (int)size);
		require(write(fd, buf, size) == (int)size);
		close(fd);
		fd = open("pieces", O_RDONLY);
		memset(buf, -1, size);
		require(read(fd, buf, size) == (int)size);
		for (i = 0; i < size; i++)
			require((uchar)buf[i] == i % 253);
		close(fd);
		require(unlink("pieces") == 0);
	}
}

static void write_tens(int fd, char c)
{
	char text[10];
	int i;

	memset(text, c, sizeof(text));
	for (i = 0; i < 500; i++)
		require(write(fd, text, sizeof(text)) == sizeof(text));
}

/* Parent and child write through one offset: nothing is overwritten. */
static void offset_is_shared_after_fork(void)
{
	int counts[2] = { 0, 0 };
	int fd = create("shared");
	int i, n, pid;

	pid = fork();
	write_tens(fd, pid ? 'p' : 'c');
	if (pid == 0)
		exit();
	reap(1);
	close(fd);
	fd = open("shared", O_RDONLY);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			counts[buf[i] == 'p']++;
	require(counts[0] == 5000 && counts[1] == 5000);
	close(fd);
	require(unlink("shared") == 0);
}

static void offset_is_shared_after_dup(void)
{
	int a, b, c;

	make_file("duped", "0123456789");
	a = open("duped", O_RDONLY);
	b = dup(a);
	c = open("duped", O_RDONLY);
	require(b > a && c > b);
	require(read(a, buf, 3) == 3);
	require(read(b, buf, 1) == 1 && buf[0] == '3');
	require(read(c, buf, 1) == 1 && buf[0] == '0');
	close(a);
	require(read(b, buf, 1) == 1 && buf[0] == '4');
	require(dup(c) == a);	/* the lowest that is free */
	require(unlink("duped") == 0);
}

static void descriptors_run_out(void)
{
	int fds[NOFILE];
	int i, n = 0;

	while (n < NOFILE && (fds[n] = open("/README", O_RDONLY)) >= 0)
		n++;
	require(n > 0 && n < NOFILE);
	require(dup(0) == -1);
	require(open("newfile", O_CREATE | O_RDWR) == -1);
	for (i = 0; i < n; i++)
		require(close(fds[i]) == 0);
	require(open("/README", O_RDONLY) == fds[0]);
	unlink("newfile");	/* open() may have made it before it failed */
}

static void open_many(int report)
{
	char n = 0;

	while (open("/README", O_RDONLY) >= 0)
		n++;
	write(report, &n, 1);
	sleep(1000000);
}

/* The whole machine has NFILE open files, and all come back. */
static void open_files_run_out(void)
{
	enum { OPENERS = 12 };
	int pids[OPENERS];
	int fds[2];
	int round, i, total;
	char n;

	require(pipe(fds) == 0);
	for (round = 0; round < 3; round++) {
		total = 0;
		for (i = 0; i < OPENERS; i++) {
			pids[i] = spawn(open_many, fds[1]);
			require(read(fds[0], &n, 1) == 1);
			total += n;
		}
		require(total > NFILE / 2 && total < NFILE);
		for (i = 0; i < OPENERS; i++)
			require(kill(pids[i]) == 0);
		reap(OPENERS);
	}
}

static void stat_tells(void)
{
	struct stat file, dir, dev;

	_Static_assert(sizeof(struct stat) == 20, "programs rely on the layout");
	make_file("stated", "12345");
	file = stat_of("stated");
	require(file.type == T_FILE && file.size == 5 && file.nlink == 1);
	dir = stat_of("/");
	require(dir.type == T_DIR && dir.ino == ROOTINO && dir.size > 0);
	require(dir.size % sizeof(struct dirent) == 0);
	require(dir.dev == file.dev && dir.ino != file.ino);
	dev = stat_of("/console");
	require(dev.type == T_DEV);
	require(unlink("stated") == 0);
	require(stat("stated", &file) == -1);
}

static void unlinked_file_lives_while_open(void)
{
	int fd = create("going");
	int fd2;

	require(write(fd, "hello", 5) == 5);
	require(unlink("going") == 0);
	require(!exists("going"));
	fd2 = create("going");			/* another file of that name */
	require(write(fd2, "yyy", 3) == 3);
	close(fd2);
	require(write(fd, " you", 4) == 4);
	close(fd);
	require_content("going", "yyy");
	require(unlink("going") == 0);
}

/* --- names and links ------------------------------------------------------------- */

static void links_count(void)
{
	make_file("one", "linked");
	require(link("one", "two") == 0);
	require(stat_of("one").nlink == 2);
	require(stat_of("one").ino == stat_of("two").ino);
	require(link("one", "two") == -1);
	require(link("two", "two") == -1);
	require(link("nosuchfile", "three") == -1);
	require(link("one", "nosuchdir/three") == -1);
	require(link(".", "three") == -1);	/* directories have one name */
	require(unlink("one") == 0);
	require(!exists("one"));
	require_content("two", "linked");
	require(stat_of("two").nlink == 1);
	require(unlink("two") == 0);
}

/* In a directory of their own: the root would stay as long as it became. */
static void five_hundred_links(void)
{
	char name[4];
	int i;

	require(mkdir("many") == 0 && chdir("many") == 0);
	make_file("origin", "x");
	for (i = 0; i < 500; i++) {
		number_name(name, 'x', i);
		require(link("origin", name) == 0);
	}
	require(stat_of("origin").nlink == 501);
	require(stat_of(".").size >= 503 * sizeof(struct dirent));
	for (i = 0; i < 500; i++) {
		number_name(name, 'x', i);
		require(unlink(name) == 0);
		require(unlink(name) == -1);
	}
	require(stat_of("origin").nlink == 1);
	require(unlink("origin") == 0);
	require(chdir("/") == 0 && unlink("many") == 0);
}

static void names_are_cut_at_14(void)
{
	make_file("12345678901234", "fourteen");
	require_content("12345678901234", "fourteen");
	require_content("123456789012345", "fourteen");
	require_content("12345678901234567890", "fourteen");
	require(!exists("1234567890123"));
	require(mkdir("123456789012345") == -1);
	require(unlink("12345678901234xyz") == 0);
	require(!exists("12345678901234"));
	require(mkdir("abcdefghijklmn") == 0);
	make_file("abcdefghijklmnop/abcdefghijklmnop", "deep");
	require_content("abcdefghijklmn/abcdefghijklmn", "deep");
	require(unlink("abcdefghijklmn/abcdefghijklmn") == 0);
	require(unlink("abcdefghijklmn") == 0);
}

static void paths(void)
{
	require(mkdir("dd") == 0);
	make_file("dd/ff", "FF");
	require(unlink("dd") == -1);		/* not empty */
	require(mkdir("/dd/dd") == 0);
	make_file("dd/dd/ff", "inner");
	require_content("/dd/dd/../ff", "FF");
	require_content("dd//dd///ff", "inner");
	require_content("./dd/./dd/./ff", "inner");
	require_content("/../../dd/ff", "FF");
	require(link("dd/dd/ff", "dd/dd/ffff") == 0);
	require(unlink("dd/dd/ff") == 0);
	require(!exists("dd/dd/ff"));
	require(chdir("dd") == 0);
	require(chdir("dd/../../dd") == 0);
	require(chdir("./dd") == 0);
	require_content("ffff", "inner");
	require(chdir("./..") == 0);
	require(chdir("ff") == -1 && chdir("nosuchdir") == -1);
	require_content("dd/ffff", "inner");
	require(unlink("dd") == -1);
	require(unlink("dd/ffff") == 0);
	require(unlink("dd") == 0);
	require(unlink("ff") == 0);
	require(chdir("/") == 0);
	require(unlink("dd") == 0);
	require(chdir("dd") == -1);
}

static void dots_stay(void)
{
	require(mkdir("dots") == 0);
	require(unlink("dots/.") == -1 && unlink("dots/..") == -1);
	require(chdir("dots") == 0);
	require(unlink(".") == -1 && unlink("..") == -1);
	require(chdir("/") == 0);
	require(unlink("/") == -1 && unlink(".") == -1 && unlink("..") == -1);
	require(unlink("dots") == 0);
}

static void a_file_is_not_a_directory(void)
{
	make_file("plain", "x");
	require(chdir("plain") == -1);
	require(open("plain/xx", O_RDONLY) == -1);
	require(open("plain/xx", O_CREATE | O_RDWR) == -1);
	require(mkdir("plain/xx") == -1);
	require(unlink("plain/xx") == -1);
	require(link("README", "plain/xx") == -1);
	require(mkdir("plain") == -1);
	require(unlink("plain") == 0);
}

static void a_directory_is_not_a_file(void)
{
	int fd;

	require(mkdir("adir") == 0);
	require(mkdir("adir") == -1);
	require(open("adir", O_RDWR) == -1 && open("adir", O_WRONLY) == -1);
	require(open("adir", O_CREATE | O_RDWR) == -1);
	fd = open("adir", O_RDONLY);
	require(fd >= 0 && write(fd, "x", 1) == -1);
	close(fd);
	require(open("nosuchdir/file", O_CREATE | O_RDWR) == -1);
	require(mkdir("nosuchdir/dir") == -1);
	require(unlink("adir") == 0);
}

/* The names in a directory as read() gives them. */
static void directory_can_be_read(void)
{
	struct dirent d;
	int fd, i, seen = 0;

	_Static_assert(sizeof(struct dirent) == 16, "programs rely on the layout");
	require(mkdir("listed") == 0);
	make_file("listed/12345678901234", "");
	make_file("listed/b", "");
	require(unlink("listed/b") == 0);
	fd = open("listed", O_RDONLY);
	for (i = 0; read(fd, &d, sizeof(d)) == sizeof(d); i++) {
		if (!d.inum)
			continue;
		if (d.name[0] == '.')
			require(d.inum == (d.name[1] ? ROOTINO : stat_of("listed").ino));
		else
			require(d.name[13] == '4');
		seen++;
	}
	require(seen == 3 && i <= 4);
	close(fd);
	require(unlink("listed/12345678901234") == 0);
	require(unlink("listed") == 0);
}

/* Deeper than the i-node cache is large. */
static void fifty_one_nested_directories(void)
{
	int i;

	for (i = 0; i < NINODE + 1; i++) {
		require(mkdir("nested") == 0);
		require(chdir("nested") == 0);
		require(mkdir("") == -1);
		require(link("/README", "") == -1);
		require(open("", O_CREATE | O_RDWR) == -1);
	}
	require(mkdir("../nested") == -1);
	for (i = 0; i < NINODE + 1; i++) {
		require(chdir("..") == 0);
		require(unlink("nested") == 0);
	}
	require(stat_of(".").ino == ROOTINO);
}

static void stay_in_removed_directory(int unused)
{
	(void)unused;
	require(mkdir("removed") == 0);
	require(chdir("removed") == 0);
	require(unlink("../removed") == 0);
	require(open("file", O_CREATE | O_RDWR) == -1);
}

/* Its i-node goes when the last process leaves it, by exit or by chdir. */
static void current_directory_can_be_removed(void)
{
	int i;

	for (i = 0; i < 2 * NINODES; i++)
		in_child(stay_in_removed_directory, 0);
	stay_in_removed_directory(0);
	require(chdir("/") == 0);
	require(!exists("removed"));
}

/* Stay in "outer/inner" while both are removed. */
static void enter_and_remove_two(void)
{
	require(mkdir("/outer") == 0 && mkdir("/outer/inner") == 0);
	require(chdir("/outer/inner") == 0);
	require(unlink("/outer/inner") == 0 && unlink("/outer") == 0);
}

/* Their i-nodes are free, or will be: ".." must not lead to one of them. */
static void removed_directory_leads_nowhere(void)
{
	static const char *const nowhere[] = { "..", ".", "../.", "../..", "../README" };
	struct stat st;
	int round, i;

	for (round = 0; round < 3; round++) {
		enter_and_remove_two();
		for (i = 0; i < COUNT(nowhere); i++) {
			require(open(nowhere[i], O_RDONLY) == -1);
			require(open(nowhere[i], O_RDWR) == -1);
			require(stat(nowhere[i], &st) == -1);
			require(chdir(nowhere[i]) == -1);
			require(link(nowhere[i], "/linked") == -1);
		}
		require(open("../new", O_CREATE | O_RDWR) == -1);
		require(mkdir("../new") == -1);
		make_file("/next", "this gets a free i-node");
		require(open("..", O_RDWR) == -1);
		require_content("/next", "this gets a free i-node");
		require(unlink("/next") == 0 && chdir("/") == 0);
	}
}

/* --- several processes at once ------------------------------------------------------ */

#define PARTS 9		/* that a file is written in */
#define PART 450	/* bytes */

static void write_own_file(int i)
{
	char name[4];
	char block[BSIZE];
	int fd, n;

	number_name(name, 'f', i);
	fd = create(name);
	memset(block, '0' + i, sizeof(block));
	for (n = 0; n < PARTS; n++)
		require(write(fd, block, PART) == PART);
}

static void four_files(void)
{
	char name[4];
	int i, j, n, fd, total;

	for (i = 0; i < 4; i++)
		spawn(write_own_file, i);
	reap(4);
	for (i = 0; i < 4; i++) {
		number_name(name, 'f', i);
		fd = open(name, O_RDONLY);
		for (total = 0; (n = read(fd, buf, sizeof(buf))) > 0; total += n)
			for (j = 0; j < n; j++)
				require(buf[j] == '0' + i);
		require(total == PARTS * PART);
		close(fd);
		require(unlink(name) == 0);
	}
}

#define CREATED 24	/* files of each process; it deletes 1 to 11 */

static void create_and_delete(int who)
{
	char name[4];
	int i;

	for (i = 0; i < CREATED; i++) {
		number_name(name, 'p' + who, i);
		close(create(name));
		if (i > 0 && i % 2 == 0) {
			number_name(name, 'p' + who, i / 2);
			require(unlink(name) == 0);
		}
	}
}

static void concurrent_create_and_delete(void)
{
	char name[4];
	int who, i;

	for (who = 0; who < 4; who++)
		spawn(create_and_delete, who);
	reap(4);
	for (who = 0; who < 4; who++)
		for (i = 0; i < CREATED; i++) {
			number_name(name, 'p' + who, i);
			require(exists(name) == (i == 0 || i >= CREATED / 2));
			unlink(name);
		}
}

static void unlink_same_names(int who)
{
	char name[4];
	int round;

	for (round = 0; round < 100; round++) {
		number_name(name, 'u', (round * 3 + who) % 8);
		if ((round + who) % 3 == 0)
			close(open(name, O_CREATE | O_RDWR));
		else if ((round + who) % 3 == 1)
			link("target", name);
		else
			unlink(name);
	}
}

/* The same few names are created, linked and unlinked by all: no i-node is lost. */
static void concurrent_link_and_unlink(void)
{
	char name[4];
	int i;

	make_file("target", "still here");
	for (i = 0; i < 4; i++)
		spawn(unlink_same_names, i);
	reap(4);
	for (i = 0; i < 8; i++) {
		number_name(name, 'u', i);
		unlink(name);
	}
	require(stat_of("target").nlink == 1);
	require_content("target", "still here");
	require(unlink("target") == 0);
}

static void create_shared_name(int round)
{
	close(create("same"));
	(void)round;
}

/* Two processes create one name: there is one file. */
static void concurrent_create_of_one_name(void)
{
	int round;

	for (round = 0; round < 30; round++) {
		spawn(create_shared_name, round);
		spawn(create_shared_name, round);
		reap(2);
		require(stat_of("same").nlink == 1);
		require(unlink("same") == 0);
		require(!exists("same"));
	}
}

static void many_directories(int who)
{
	char name[4];
	int i;

	number_name(name, 'm', who);
	for (i = 0; i < 50; i++) {
		require(mkdir(name) == 0);
		require(chdir(name) == 0);
		make_file("file", "x");
		require(unlink("file") == 0);
		require(chdir("..") == 0);
		require(unlink(name) == 0);
	}
}

static void concurrent_directories(void)
{
	int who;

	for (who = 0; who < 4; who++)
		spawn(many_directories, who);
	reap(4);
}

/* --- devices ----------------------------------------------------------------------------- */

/* No driver has this number: the node may exist, but is of no use. */
static void unusable_device(short major)
{
	int fd;

	if (mknod("nodriver", major, 0) < 0)
		return;
	fd = open("nodriver", O_RDWR);
	require(read(fd, buf, 1) == -1);
	require(write(fd, buf, 1) == -1);
	if (fd >= 0)
		close(fd);
	require(unlink("nodriver") == 0);
}

static void devices(void)
{
	int fd;

	require(mknod("newmem", 2, 0) == 0);
	require(mknod("newmem", 2, 0) == -1);
	require(stat_of("newmem").type == T_DEV);
	fd = open("newmem", O_RDONLY);
	require(fd >= 0 && read(fd, buf, sizeof(buf)) > 0);
	require(atoi(buf) > 1000);
	require(read(fd, buf, sizeof(buf)) == 0);
	close(fd);
	require(unlink("newmem") == 0);
	unusable_device(9);
	unusable_device(-1);
	unusable_device(30000);
}

/* --- a full disk ---------------------------------------------------------------------------- */

/* Create files until it fails; remove them. Returns how many there could be. */
static int count_free_inodes(void)
{
	char name[4];
	int fd, i, n = 0;

	for (;;) {
		number_name(name, 'i', n);
		fd = open(name, O_CREATE | O_RDWR);
		if (fd < 0)
			break;
		close(fd);
		n++;
	}
	for (i = 0; i < n; i++) {
		number_name(name, 'i', i);
		require(unlink(name) == 0);
	}
	return n;
}

static void inodes_run_out(void)
{
	int n = count_free_inodes();

	printf(1, "# %d free i-nodes\n", n);
	require(n > 50 && n < NINODES);
	require(count_free_inodes() == n);
}

/* Write files until the disk is full; remove them. Returns the bytes. */
static int count_free_bytes(void)
{
	char name[4];
	int fd, i, n, total = 0;
	int files = 0;

	for (n = 1; n > 0; files++) {
		number_name(name, 'b', files);
		fd = open(name, O_CREATE | O_RDWR);
		if (fd < 0)
			break;
		for (i = 0; i < (int)MAXFILE; i++) {
			n = write(fd, buf, BSIZE);
			if (n <= 0)
				break;
			total += n;
		}
		close(fd);
	}
	for (i = 0; i < files; i++) {
		number_name(name, 'b', i);
		require(unlink(name) == 0);
	}
	return total;
}

static void disk_runs_full(void)
{
	int n = count_free_bytes();

	printf(1, "# %d free bytes\n", n);
	require(n > (int)MAXFILE * BSIZE && n < FSSIZE * BSIZE);
	require(count_free_bytes() == n);
}

/* The two counts, measured before the first and after the last test of this group. */
struct space {
	int inodes;
	int bytes;
};

static struct space measure(void)
{
	struct space s;

	s.inodes = count_free_inodes();
	s.bytes = count_free_bytes();
	return s;
}

/* The note takes up space itself: it is there whenever space is measured. */
static void note_free_space(void)
{
	int fd = create("/space");
	struct space s = { 0, 0 };

	require(write(fd, &s, sizeof(s)) == sizeof(s));
	s = measure();
	close(fd);
	fd = open("/space", O_WRONLY);
	require(write(fd, &s, sizeof(s)) == sizeof(s));
}

static void no_space_was_lost(void)
{
	int fd = open("/space", O_RDONLY);
	struct space before, now = measure();

	require(fd >= 0);
	require(read(fd, &before, sizeof(before)) == sizeof(before));
	require(before.inodes == now.inodes);
	require(before.bytes == now.bytes);
	close(fd);
	require(unlink("/space") == 0);
}

static const struct test tests[] = {
	TEST(note_free_space),
	TEST(inodes_run_out),
	TEST(disk_runs_full),
	TEST(write_and_read),
	TEST(modes_are_kept),
	TEST(bad_descriptors),
	TEST(largest_file),
	TEST(writes_in_pieces),
	TEST(offset_is_shared_after_fork),
	TEST(offset_is_shared_after_dup),
	TEST(descriptors_run_out),
	TEST(open_files_run_out),
	TEST(stat_tells),
	TEST(unlinked_file_lives_while_open),
	TEST(links_count),
	TEST(five_hundred_links),
	TEST(names_are_cut_at_14),
	TEST(paths),
	TEST(dots_stay),
	TEST(a_file_is_not_a_directory),
	TEST(a_directory_is_not_a_file),
	TEST(directory_can_be_read),
	TEST(fifty_one_nested_directories),
	TEST(current_directory_can_be_removed),
	TEST(removed_directory_leads_nowhere),
	TEST(four_files),
	TEST(concurrent_create_and_delete),
	TEST(concurrent_link_and_unlink),
	TEST(concurrent_create_of_one_name),
	TEST(concurrent_directories),
	TEST(devices),
	TEST(no_space_was_lost),
};

const struct group file_tests = { tests, COUNT(tests) };
