// A service that leaves a descriptor with systemd and finds it after a restart.
//
// Usage: fdstore RESULT-FILE   (by systemd, Type=notify)
#define _GNU_SOURCE // memfd_create
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Where systemd puts the first descriptor that it passes on.
#define FIRST_FD 3

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void notify(const char *text, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { (void *)text, strlen(text) };
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || strlen(path) >= sizeof(address.sun_path))
		die("NOTIFY_SOCKET");
	memcpy(address.sun_path, path, strlen(path));
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	if (*path == '@')
		address.sun_path[0] = 0;
	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
	}
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || sendmsg(s, &message, 0) < 0)
		die("notify");
	close(s);
}

int main(int argc, char **argv)
{
	const char *fds = getenv("LISTEN_FDS");
	char text[64] = "";

	if (argc != 2)
		return 2;
	if (fds && atoi(fds) == 1) {
		if (pread(FIRST_FD, text, sizeof(text) - 1, 0) < 0)
			die("the kept descriptor");
		FILE *result = fopen(argv[1], "w");
		if (!result || fprintf(result, "kept: %s\n", text) < 0 || fclose(result))
			die(argv[1]);
	} else {
		int fd = memfd_create("kept", MFD_CLOEXEC);
		const char *words = "written before the restart";
		if (fd < 0 || write(fd, words, strlen(words)) < 0)
			die("memfd");
		notify("FDSTORE=1\nFDNAME=kept", fd);
	}
	notify("READY=1", -1);
	for (;;)
		pause();
}
