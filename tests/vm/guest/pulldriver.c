// Plays a schedule of pulls on simulated GPIO lines.
//
// Usage: pulldriver SCHEDULE [REPEAT]
//
// SCHEDULE is a file ("-" is standard input) with one pull a row:
//     LINE-FOLDER DELAY-US up|down
// LINE-FOLDER is what gpiosim_line prints; DELAY-US is the pause between the pull
// before and this one. It is a minimum: on a slow machine pauses grow but never
// shrink, so a pulse is never narrower than the schedule says.
// Empty rows and rows that begin with # are skipped. REPEAT plays it that many times.
//
// Prints one line at the end: pulls, seconds, and how late the worst pull was.
// Everything is opened and parsed before the first pull. Exit codes: 0 played,
// 1 a pull failed, 2 wrong usage or schedule.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Below this a sleep overshoots by more than it sleeps; watch the clock instead.
#define BUSY_WAIT_NS 200000

struct line {
	char *folder;
	int fd;
};

struct pull {
	size_t line;
	int64_t delay_ns;
	int up;
};

static struct line *lines;
static size_t line_count;
static struct pull *pulls;
static size_t pull_count;

static void *grow(void *array, size_t count, size_t size)
{
	// Room is doubled at each power of two.
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array) {
		fprintf(stderr, "pulldriver: out of memory\n");
		exit(2);
	}
	return array;
}

static size_t open_line(const char *folder)
{
	char path[4096];

	for (size_t i = 0; i < line_count; i++)
		if (!strcmp(lines[i].folder, folder))
			return i;
	snprintf(path, sizeof(path), "%s/pull", folder);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "pulldriver: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	lines = grow(lines, line_count, sizeof(*lines));
	lines[line_count] = (struct line){ strdup(folder), fd };
	return line_count++;
}

static void read_schedule(const char *name)
{
	char row[4400], folder[4001], way[8], rest;
	long long delay_us;
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;

	if (!file) {
		fprintf(stderr, "pulldriver: %s: %s\n", name, strerror(errno));
		exit(2);
	}
	for (int number = 1; fgets(row, sizeof(row), file); number++) {
		char *text = row + strspn(row, " \t");
		if (*text == '#' || *text == '\n' || !*text)
			continue;
		if (sscanf(text, "%4000s %lld %7s %c", folder, &delay_us, way, &rest) != 3 ||
		    delay_us < 0 || delay_us > INT64_C(86400000000) ||
		    (strcmp(way, "up") && strcmp(way, "down"))) {
			fprintf(stderr, "pulldriver: %s:%d: want LINE-FOLDER DELAY-US up|down\n",
				name, number);
			exit(2);
		}
		pulls = grow(pulls, pull_count, sizeof(*pulls));
		pulls[pull_count++] = (struct pull){ open_line(folder), delay_us * 1000,
						     !strcmp(way, "up") };
	}
	if (ferror(file)) {
		fprintf(stderr, "pulldriver: %s: %s\n", name, strerror(errno));
		exit(2);
	}
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wait_until(int64_t due_ns)
{
	int64_t left;

	while ((left = due_ns - now_ns()) > 0) {
		if (left <= BUSY_WAIT_NS)
			continue;
		left -= BUSY_WAIT_NS;
		nanosleep(&(struct timespec){ left / 1000000000, left % 1000000000 }, NULL);
	}
}

int main(int argc, char **argv)
{
	char *end = "";
	long repeat = argc == 3 ? strtol(argv[2], &end, 10) : 1;

	if (argc < 2 || argc > 3 || *end || repeat < 1) {
		fprintf(stderr, "usage: pulldriver SCHEDULE [REPEAT]\n");
		return 2;
	}
	read_schedule(argv[1]);

	int64_t start = now_ns(), previous = start, worst = 0;
	for (long round = 0; round < repeat; round++) {
		for (size_t i = 0; i < pull_count; i++) {
			const struct pull *p = &pulls[i];
			const char *text = p->up ? "pull-up" : "pull-down";
			size_t length = strlen(text);

			wait_until(previous + p->delay_ns);
			if (pwrite(lines[p->line].fd, text, length, 0) != (ssize_t)length) {
				fprintf(stderr, "pulldriver: pull %zu, %s: %s\n", i + 1,
					lines[p->line].folder, strerror(errno));
				return 1;
			}
			int64_t done = now_ns(), late = done - previous - p->delay_ns;
			if (late > worst)
				worst = late;
			previous = done;
		}
	}
	printf("pulldriver: %zu pulls in %.3f s, at worst %.1f ms late\n",
	       pull_count * (size_t)repeat, (double)(now_ns() - start) / 1e9,
	       (double)worst / 1e6);
	return 0;
}
