// Holds one line of a GPIO chip through the kernel's uAPI v2.
//
// Usage: edges count CHIP LINE LABEL EVENTS   read EVENTS edges, print a summary, hold the line
//                                             until SIGTERM: its interrupt is counted that long
//        edges hold CHIP LINE LABEL in|out0|out1   hold the line until killed
//
// Writes a row to descriptor 3 once it holds the line.
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "edges: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int request(const char *chip, unsigned int line, const char *label, const char *mode)
{
	struct gpio_v2_line_request req = { .num_lines = 1, .offsets = { line } };
	int fd = open(chip, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(chip);
	snprintf(req.consumer, sizeof(req.consumer), "%s", label);
	req.event_buffer_size = 1024;
	if (!strncmp(mode, "out", 3)) {
		req.config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
		req.config.num_attrs = 1;
		req.config.attrs[0].mask = 1;
		req.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
		req.config.attrs[0].attr.values = mode[3] == '1';
	} else {
		req.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING |
				   GPIO_V2_LINE_FLAG_EDGE_FALLING;
	}
	if (ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &req) < 0)
		die("GPIO_V2_GET_LINE_IOCTL");
	close(fd);
	if (write(3, "ready\n", 6) != 6)
		die("descriptor 3");
	close(3);
	return req.fd;
}

static int count(int fd, unsigned int want)
{
	struct gpio_v2_line_event event;
	unsigned int got = 0, rising = 0, gaps = 0, last = 0;
	sigset_t end;
	int sig;

	// Before the first edge, so that one who is told to end early ends well.
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);

	// Reads past the last one wanted for a moment: one edge too many is a failure too.
	while (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, got < want ? 10000 : 300) == 1) {
		if (read(fd, &event, sizeof(event)) != sizeof(event))
			die("event");
		got++;
		rising += event.id == GPIO_V2_LINE_EVENT_RISING_EDGE;
		gaps += event.seqno != last + 1;
		last = event.seqno;
	}
	printf("events %u rising %u falling %u gaps %u\n", got, rising, got - rising, gaps);
	fflush(stdout);
	// A machine may be slow to look at what it counted.
	sigwait(&end, &sig);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: edges count|hold CHIP LINE LABEL EVENTS|in|out0|out1\n");
		return 2;
	}
	int fd = request(argv[2], (unsigned int)atoi(argv[3]), argv[4], argv[5]);
	if (!strcmp(argv[1], "count"))
		return count(fd, (unsigned int)atoi(argv[5]));
	for (;;)
		pause();
}
