// Shows that bpf(2) works in the guest, with no library.
//
// Usage: bpfprobe PIN           make a map, write to it, pin it, reopen it
//        bpfprobe --irq-probe   load a program onto irq_handler_entry
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static int pin_map(const char *path)
{
	uint32_t key = 1;
	uint64_t written = 4711, found = 0;
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(key),
		.value_size = sizeof(written),
		.max_entries = 4,
	};
	long map = bpf(BPF_MAP_CREATE, &attr);
	if (map < 0)
		return failed("BPF_MAP_CREATE");

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)&key;
	attr.value = (uint64_t)&written;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return failed("BPF_MAP_UPDATE_ELEM");

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t)path;
	attr.bpf_fd = (uint32_t)map;
	if (bpf(BPF_OBJ_PIN, &attr))
		return failed("BPF_OBJ_PIN");
	close((int)map);

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t)path;
	map = bpf(BPF_OBJ_GET, &attr);
	if (map < 0)
		return failed("BPF_OBJ_GET");

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)&key;
	attr.value = (uint64_t)&found;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		return failed("BPF_MAP_LOOKUP_ELEM");
	return found == written ? 0 : failed("value");
}

static int attach_program(void)
{
	static char log[4096];
	struct bpf_insn return_zero[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uint64_t)return_zero,
		.insn_cnt = 2,
		.license = (uint64_t)"GPL",
		.log_buf = (uint64_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	long program = bpf(BPF_PROG_LOAD, &attr);
	if (program < 0)
		return failed("BPF_PROG_LOAD");

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uint64_t)"irq_handler_entry";
	attr.raw_tracepoint.prog_fd = (uint32_t)program;
	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0 ? failed("BPF_RAW_TRACEPOINT_OPEN") : 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bpfprobe PIN | --irq-probe\n");
		return 2;
	}
	return strcmp(argv[1], "--irq-probe") ? pin_map(argv[1]) : attach_program();
}
