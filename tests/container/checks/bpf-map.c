/* bpf(2) at its smallest, by the bare system call so that a static binary needs
 * no library: make an array map, write, pin it at argv[1], read it back through
 * the pin. Exit 0 only when all of it works. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int fail(const char *step)
{
	fprintf(stderr, "bpf-map: %s: %s\n", step, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	union bpf_attr attr;
	unsigned int key = 1;
	unsigned long long written = 0x67617364, found = 0;
	int map, pin;

	if (argc != 2) {
		fprintf(stderr, "usage: bpf-map PIN_PATH\n");
		return 2;
	}

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(key);
	attr.value_size = sizeof(written);
	attr.max_entries = 4;
	map = bpf(BPF_MAP_CREATE, &attr);
	if (map < 0)
		return fail("BPF_MAP_CREATE");

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&written;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return fail("BPF_MAP_UPDATE_ELEM");

	memset(&attr, 0, sizeof(attr));
	attr.bpf_fd = map;
	attr.pathname = (unsigned long)argv[1];
	if (bpf(BPF_OBJ_PIN, &attr))
		return fail("BPF_OBJ_PIN");
	close(map);

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (unsigned long)argv[1];
	pin = bpf(BPF_OBJ_GET, &attr);
	if (pin < 0)
		return fail("BPF_OBJ_GET");

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = pin;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&found;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		return fail("BPF_MAP_LOOKUP_ELEM");
	if (found != written) {
		fprintf(stderr, "bpf-map: the pinned map holds %#llx, written was %#llx\n", found, written);
		return 1;
	}
	return 0;
}
