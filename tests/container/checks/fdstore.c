/* A service that keeps descriptors in systemd's store over its own death, by the
 * bare sd_notify protocol (a datagram with SCM_RIGHTS), without libsystemd.
 *
 * Each start writes what it was handed to argv[1], a line each: "name content".
 * A start that was handed nothing makes and stores:
 *   both-r, both-w  a pipe's two ends, so that the reader never sees a hang-up
 *   orphan          a read end whose writer is gone, with FDPOLL=0
 *   watched         the same without FDPOLL=0
 *   map             a BPF array map with FDPOLL=0
 *   polled-map      the same without: the kernel answers poll on it with an error
 * The pipes hold the starting process's pid as text. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3

static void fail(const char *step)
{
	fprintf(stderr, "fdstore: %s: %s\n", step, strerror(errno));
	exit(1);
}

static void notify(const char *message, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec text = { (void *)message, strlen(message) };
	struct msghdr header = { .msg_name = &address, .msg_iov = &text, .msg_iovlen = 1 };
	int sock;

	if (!path || strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "fdstore: NOTIFY_SOCKET is missing or too long; run me as Type=notify\n");
		exit(1);
	}
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	header.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (fd >= 0) {
		struct cmsghdr *rights;

		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || sendmsg(sock, &header, MSG_NOSIGNAL) < 0)
		fail(message);
	close(sock);
}

/* Returns once systemd has worked through all earlier messages: it closes the
 * descriptor that comes with BARRIER=1. Without it a kill could come first. */
static void barrier(void)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe2");
	notify("BARRIER=1", ends[1]);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 0)
		fail("BARRIER");
	close(ends[0]);
}

static void filled_pipe(int ends[2])
{
	char text[32];
	int length = snprintf(text, sizeof(text), "pid-%d", getpid());

	if (pipe2(ends, O_CLOEXEC) || write(ends[1], text, length) != length)
		fail("filled pipe");
}

static void store_all(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1 };
	int both[2], orphan[2], watched[2], map;

	filled_pipe(both);
	filled_pipe(orphan);
	filled_pipe(watched);
	map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (map < 0)
		fail("BPF_MAP_CREATE");
	close(orphan[1]);
	close(watched[1]);
	notify("FDSTORE=1\nFDNAME=both-r", both[0]);
	notify("FDSTORE=1\nFDNAME=both-w", both[1]);
	notify("FDSTORE=1\nFDNAME=orphan\nFDPOLL=0", orphan[0]);
	notify("FDSTORE=1\nFDNAME=watched", watched[0]);
	notify("FDSTORE=1\nFDNAME=map\nFDPOLL=0", map);
	notify("FDSTORE=1\nFDNAME=polled-map", map);
	barrier();
}

/* tee(2) shows a pipe's content and leaves it there for the next start. */
static void describe(FILE *report, const char *name, int fd)
{
	char text[64] = "";
	int copy[2];
	ssize_t length;

	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK))
		fail("pipe2");
	length = tee(fd, copy[1], sizeof(text) - 1, SPLICE_F_NONBLOCK);
	if (length > 0)
		length = read(copy[0], text, sizeof(text) - 1);
	fprintf(report, "%s %s\n", name, length > 0 ? text : "-");
	close(copy[0]);
	close(copy[1]);
}

int main(int argc, char **argv)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	char *names = getenv("LISTEN_FDNAMES");
	int given = count && pid && atoi(pid) == getpid() ? atoi(count) : 0;
	FILE *report;

	if (argc != 2 || !(report = fopen(argv[1], "we")))
		fail("usage: fdstore REPORT_FILE");
	for (int i = 0; i < given; i++)
		describe(report, names ? strsep(&names, ":") : "?", LISTEN_FDS_START + i);
	fclose(report);
	if (!given)
		store_all();
	notify("READY=1", -1);
	for (;;)
		pause();
}
