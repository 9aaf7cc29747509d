// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * sh - the shell.
 *
 *	list	 = pipeline { ( ";" | "&" ) pipeline }
 *	pipeline = command { "|" command }
 *	command  = { word | "<" word | ">" word }  or  "(" list ")" { redirection }
 *
 * There is no tree: a text is cut at its weakest separator outside parentheses,
 * and each part is run by the next function down. Every line runs in a child of
 * the shell, which may therefore change its descriptors as it likes. Two things
 * are done by the shell itself: "cd", because a child cannot change its parent's
 * directory, and "kill", which must work when there is no memory for a child.
 */
#include "types.h"
#include "fcntl.h"
#include "param.h"
#include "user.h"

#define LINE_SIZE 256	/* twice what the console gives at once */

/* A piece of the line, from @at up to but not including @end. */
struct text {
	char *at;
	char *end;
};

/* Copies of the words of a line, each terminated. */
static char words[LINE_SIZE];
static int words_used;

static void run_list(struct text t) __attribute__((noreturn));
static void run_pipeline(struct text t) __attribute__((noreturn));
static void run_command(struct text t) __attribute__((noreturn));

static void __attribute__((noreturn)) die(const char *what, const char *detail)
{
	printf(2, "sh: %s%s\n", what, detail);
	exit();
}

static int must_fork(void)
{
	int pid = fork();

	if (pid < 0)
		die("cannot fork", "");
	return pid;
}

static void wait_for(int pid)
{
	int gone;

	do {
		gone = wait();
	} while (gone >= 0 && gone != pid);
}

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct text *t)
{
	while (t->at < t->end && is_space(*t->at))
		t->at++;
}

static int is_empty(struct text t)
{
	skip_space(&t);
	return t.at == t.end;
}

/* The first of @separators outside parentheses, or the end of @t. */
static char *find(struct text t, const char *separators)
{
	int depth = 0;

	for (; t.at < t.end; t.at++) {
		if (depth == 0 && strchr(separators, *t.at))
			break;
		depth += *t.at == '(';
		depth -= *t.at == ')';
		if (depth < 0)
			die("syntax error: ", ") without (");
	}
	if (depth > 0)
		die("syntax error: ", "( without )");
	return t.at;
}

/* Copy the next word off @t; 0 if there is none. */
static char *next_word(struct text *t)
{
	char *word = &words[words_used];
	char *start;
	int n;

	skip_space(t);
	start = t->at;
	while (t->at < t->end && !is_space(*t->at) && !strchr("<>()", *t->at))
		t->at++;
	n = t->at - start;
	if (n == 0)
		return 0;
	memmove(word, start, n);
	word[n] = 0;
	words_used += n + 1;
	return word;
}

static void redirect(char operator, struct text *t)
{
	int input = operator == '<';
	char *path = next_word(t);

	if (!path)
		die("syntax error: ", "a file name is missing");
	close(input ? 0 : 1);
	if (open(path, input ? O_RDONLY : O_WRONLY | O_CREATE) < 0)
		die("cannot open ", path);
}

/* What stands between the parentheses that @t begins with; @t goes on after. */
static struct text cut_parentheses(struct text *t)
{
	struct text inside = { t->at + 1, t->end };

	inside.end = find(inside, ")");
	t->at = inside.end + 1;
	return inside;
}

static void run_command(struct text t)
{
	struct text group = { 0, 0 };
	char *argv[MAXARG];
	int argc = 0;

	skip_space(&t);
	if (t.at < t.end && *t.at == '(')
		group = cut_parentheses(&t);
	for (skip_space(&t); t.at < t.end; skip_space(&t)) {
		if (*t.at == '<' || *t.at == '>') {
			redirect(*t.at++, &t);
			continue;
		}
		argv[argc] = next_word(&t);
		if (!argv[argc] || group.at)
			die("syntax error: ", "misplaced parenthesis or word");
		if (++argc == MAXARG)
			die("too many words", "");
	}
	if (group.at)
		run_list(group);
	if (argc == 0)
		die("syntax error: ", "a command is missing");
	argv[argc] = 0;
	exec(argv[0], argv);
	die("cannot run ", argv[0]);
}

/* Run @t in a child whose descriptor @fd is the pipe's: p[0] to read, p[1] to write. */
static int run_end_of_pipe(struct text t, int fd, int p[2], void (*run)(struct text))
{
	int pid = must_fork();

	if (pid == 0) {
		close(fd);
		dup(p[fd]);
		close(p[0]);
		close(p[1]);
		run(t);
	}
	return pid;
}

static void run_pipeline(struct text t)
{
	char *bar = find(t, "|");
	struct text left = { t.at, bar };
	struct text right = { bar + 1, t.end };
	int p[2], reader, writer, gone;

	if (bar == t.end)
		run_command(t);
	if (pipe(p) < 0)
		die("cannot make a pipe", "");
	writer = run_end_of_pipe(left, 1, p, run_command);
	reader = run_end_of_pipe(right, 0, p, run_pipeline);
	close(p[0]);
	close(p[1]);
	while (writer || reader) {
		gone = wait();	/* perhaps a background process of this line */
		if (gone == writer)
			writer = 0;
		if (gone == reader)
			reader = 0;
	}
	exit();
}

static void run_list(struct text t)
{
	while (!is_empty(t)) {
		char *cut = find(t, ";&");
		struct text part = { t.at, cut };
		int pid;

		if (cut == t.end)
			run_pipeline(t);
		t.at = cut + 1;
		if (is_empty(part))
			continue;
		pid = must_fork();
		if (pid == 0)
			run_pipeline(part);
		if (*cut == ';')
			wait_for(pid);
	}
	exit();
}

/* All of @line, with no word of it taken yet. */
static struct text whole(char *line)
{
	struct text t = { line, line + strlen(line) };

	words_used = 0;
	return t;
}

/* Do @line here if it is a "cd". */
static int change_directory(char *line)
{
	struct text t = whole(line);
	char *word = next_word(&t);

	if (!word || strcmp(word, "cd") != 0)
		return 0;
	word = next_word(&t);
	if (chdir(word ? word : "/") < 0)
		printf(2, "sh: cannot go to %s\n", word);
	return 1;
}

static int only_numbers(struct text t)
{
	while (t.at < t.end && (is_space(*t.at) || (*t.at >= '0' && *t.at <= '9')))
		t.at++;
	return t.at == t.end;
}

/* Do @line here if it is a "kill" with nothing but numbers. */
static int kill_processes(char *line)
{
	struct text t = whole(line);
	char *word = next_word(&t);

	if (!word || strcmp(word, "kill") != 0 || is_empty(t) || !only_numbers(t))
		return 0;
	while ((word = next_word(&t)) != 0)
		if (kill(atoi(word)) < 0)
			printf(2, "kill: no process %s\n", word);
	return 1;
}

int main(void)
{
	static char line[LINE_SIZE];
	int pid;

	for (;;) {
		printf(2, "$ ");
		if (!*gets(line, sizeof(line)))
			exit();
		if (is_empty(whole(line)) || change_directory(line) ||
		    kill_processes(line))
			continue;
		pid = fork();
		if (pid == 0)
			run_list(whole(line));
		if (pid < 0)
			printf(2, "sh: cannot fork\n");
		else
			wait_for(pid);
	}
}
