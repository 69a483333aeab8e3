// SPDX-License-Identifier: MIT OR Apache-2.0
/* Edges of a meter that has no chip, from outside of the daemon: steps the pinned twin of the
 * dispatcher, as `docs/pin-protocol.md` has it, with the time of now.
 *
 * usage: edgetrain GENERATION METER GAP_MS
 *   GENERATION   its pins: /run/gasd/bpf/v1; the twin is beside it in dispatch/
 *   GAP_MS       between two edges; two edges are one pulse
 *
 * Goes on until SIGTERM, ends with a whole pulse and prints how many there were. Exit status 1 as
 * soon as an edge is not taken. */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINES 256
#define LINE_CONFIG 48
#define LINE_KEY 32
#define TWIN_EDGE 0

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "edgetrain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int open_pin(const char *directory, const char *name)
{
	union bpf_attr attr = { 0 };
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	attr.pathname = (uintptr_t)path;
	fd = bpf(BPF_OBJ_GET, &attr);
	if (fd < 0)
		die(path);
	return fd;
}

/* FNV-1a 64, which is how a line knows its meter. */
static uint64_t key_of(const char *meter)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *meter; meter++)
		hash = (hash ^ (unsigned char)*meter) * 0x100000001b3;
	return hash;
}

static uint64_t line_of(const char *generation, const char *meter)
{
	int map = open_pin(generation, "maps/lines");
	unsigned char value[LINE_CONFIG];
	uint64_t key;

	for (uint32_t line = 0; line < LINES; line++) {
		union bpf_attr attr = { 0 };

		attr.map_fd = (uint32_t)map;
		attr.key = (uintptr_t)&line;
		attr.value = (uintptr_t)value;
		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
			die("maps/lines");
		memcpy(&key, value + LINE_KEY, sizeof(key));
		if (key == key_of(meter)) {
			close(map);
			return line;
		}
	}
	fprintf(stderr, "edgetrain: no line has meter %s\n", meter);
	exit(1);
}

static void edge(int twin, uint64_t line)
{
	uint64_t args[8] = { TWIN_EDGE, line };
	union bpf_attr attr = { 0 };
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	args[2] = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	attr.test.prog_fd = (uint32_t)twin;
	attr.test.ctx_in = (uintptr_t)args;
	attr.test.ctx_size_in = sizeof(args);
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		die("an edge");
	if ((int32_t)attr.test.retval < 0) {
		fprintf(stderr, "edgetrain: an edge fell through: %d\n", (int32_t)attr.test.retval);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	struct timespec gap;
	char dispatch[512];
	unsigned long pulses = 0;
	uint64_t line;
	long gap_ms;
	int twin;

	if (argc != 4 || (gap_ms = atol(argv[3])) <= 0) {
		fprintf(stderr, "usage: edgetrain GENERATION METER GAP_MS\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	gap = (struct timespec){ gap_ms / 1000, gap_ms % 1000 * 1000000 };
	snprintf(dispatch, sizeof(dispatch), "%s/../dispatch", argv[1]);
	twin = open_pin(dispatch, "twin");
	line = line_of(argv[1], argv[2]);
	while (!ended) {
		struct timespec left = gap;

		edge(twin, line);
		/* The closure lasts as long as it should. */
		while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
			;
		edge(twin, line);
		pulses++;
		nanosleep(&gap, NULL);
	}
	printf("%lu\n", pulses);
	return 0;
}
