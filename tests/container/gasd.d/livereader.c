// SPDX-License-Identifier: MIT OR Apache-2.0
/* Reads a meter's pulses out of the live pages, without the daemon and without a bus, as
 * `docs/pin-protocol.md` has it; for a member of the group gasd-read.
 *
 * usage: livereader GENERATION METER
 *   GENERATION   its pins: /run/gasd/bpf/v1
 *
 * Prints "EDGES ACCEPTED". Then tries to write through what it has opened, and fails if that works. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Meta never changes, in any layout. */
struct offsets {
	uint32_t page, slots, slot, edges, accepted, last_edge, first, pulse, pending, level, contact, counted;
	uint32_t line, key, since, evidence, candidate, pulse_first, checked, spare;
};
struct meta {
	uint64_t magic, fingerprint, generation[2], created_ns;
	uint32_t version, lines;
	struct offsets offsets;
};
_Static_assert(sizeof(struct meta) == 128, "Meta has 128 bytes");

static int die(const char *what)
{
	fprintf(stderr, "livereader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int open_map(const char *generation, const char *name, uint32_t flags)
{
	char path[512];
	union bpf_attr attr = { 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/maps/%s", generation, name);
	attr.pathname = (uintptr_t)path;
	attr.file_flags = flags;
	fd = (int)bpf(BPF_OBJ_GET, &attr);
	return fd < 0 ? die(path) : fd;
}

static long element(int command, int map, uint32_t key, void *value)
{
	union bpf_attr attr = { 0 };

	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	return bpf(command, &attr);
}

static uint64_t meter_key(const char *id)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *id != 0; id++)
		hash = (hash ^ (uint8_t)*id) * 0x100000001b3u;
	return hash == 0 ? 1 : hash;
}

static void read_line(const uint8_t *pages, unsigned line, const struct meta *m, uint8_t *state)
{
	const uint8_t *page = pages + (size_t)line * m->offsets.page;
	uint64_t before, after;

	do {
		before = __atomic_load_n((const uint64_t *)page, __ATOMIC_ACQUIRE);
		memcpy(state, page + m->offsets.slots + (before & 3) * m->offsets.slot, m->offsets.slot);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n((const uint64_t *)page, __ATOMIC_RELAXED);
	} while (before != after);
}

int main(int argc, char **argv)
{
	struct meta meta;
	uint8_t buffer[1024], state[1024];
	uint64_t key, edges, accepted;
	uint32_t line;
	const uint8_t *pages;
	size_t length;
	int lines, live;

	if (argc != 3) {
		fprintf(stderr, "usage: livereader GENERATION METER\n");
		return 2;
	}
	if (element(BPF_MAP_LOOKUP_ELEM, open_map(argv[1], "meta", BPF_F_RDONLY), 0, &meta) != 0)
		die("meta");
	if (memcmp(&meta.magic, "gasdpins", 8) != 0 || meta.offsets.line > sizeof(buffer) ||
	    meta.offsets.slot > sizeof(state)) {
		fprintf(stderr, "livereader: these are no pins of gasd, or of a layout too large\n");
		return 1;
	}
	lines = open_map(argv[1], "lines", BPF_F_RDONLY);
	for (line = 0; line < meta.lines; line++) {
		if (element(BPF_MAP_LOOKUP_ELEM, lines, line, buffer) != 0)
			die("lines");
		memcpy(&key, buffer + meta.offsets.key, sizeof(key));
		if (key == meter_key(argv[2]))
			break;
	}
	if (line == meta.lines) {
		fprintf(stderr, "livereader: no line has meter %s\n", argv[2]);
		return 1;
	}
	live = open_map(argv[1], "live", 0);
	length = (size_t)meta.offsets.page * meta.lines;
	pages = mmap(NULL, length, PROT_READ, MAP_SHARED, live, 0);
	if (pages == MAP_FAILED)
		die("mapping live");
	read_line(pages, line, &meta, state);
	memcpy(&edges, state + meta.offsets.edges, sizeof(edges));
	memcpy(&accepted, state + meta.offsets.accepted, sizeof(accepted));

	/* Nobody forges a count, neither through the one map that is writable by its mode nor the others. */
	memset(buffer, 0, sizeof(buffer));
	if (mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, live, 0) != MAP_FAILED ||
	    element(BPF_MAP_UPDATE_ELEM, live, line, buffer) == 0 ||
	    element(BPF_MAP_UPDATE_ELEM, lines, line, buffer) == 0) {
		fprintf(stderr, "livereader: a map could be WRITTEN\n");
		return 3;
	}
	printf("%llu %llu\n", (unsigned long long)edges, (unsigned long long)accepted);
	return 0;
}
