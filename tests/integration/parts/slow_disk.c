/* SPDX-License-Identifier: MIT */
/* slow_disk.c -- runs a program on a disk that takes its time.
 *
 *	slow_disk MS COMMAND...
 *
 * Each flush of a file takes MS longer, one after the other, as on a disk that is busy.
 * The kernel hands the calls to a process beside the program (a seccomp filter with a
 * listener), so that system calls without a C library are held up too.  The program keeps
 * this process; the other one goes when the last that has the filter is gone.
 * 77 where the kernel does not do that, 64 on wrong use.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Room for one descriptor beside a byte. */
struct parcel {
	struct iovec io;
	struct msghdr head;
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	char byte;
};

static struct cmsghdr *wrap(struct parcel *p)
{
	struct cmsghdr *c;

	memset(p, 0, sizeof(*p));
	p->io = (struct iovec){ &p->byte, 1 };
	p->head = (struct msghdr){ .msg_iov = &p->io,
				   .msg_iovlen = 1,
				   .msg_control = p->room,
				   .msg_controllen = sizeof(p->room) };
	c = CMSG_FIRSTHDR(&p->head);
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS };
	return c;
}

static int send_one(int to, int fd)
{
	struct parcel p;

	memcpy(CMSG_DATA(wrap(&p)), &fd, sizeof(fd));
	return sendmsg(to, &p.head, 0) == 1 ? 0 : -1;
}

static int receive_one(int from)
{
	struct parcel p;
	struct cmsghdr *c = wrap(&p);
	int fd = -1;

	if (recvmsg(from, &p.head, 0) == 1 && CMSG_FIRSTHDR(&p.head))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Until nobody is left who could ask. */
static void serve(int listener, long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int quiet = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(quiet, fd);
	while (poll(&p, 1, -1) < 0 || !(p.revents & POLLHUP)) {
		struct seccomp_notif asked;
		struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		memset(&asked, 0, sizeof(asked));
		if (!(p.revents & POLLIN) || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked))
			continue;
		nanosleep(&pause, NULL);
		answer.id = asked.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

static int listen_for_flushes(void)
{
	struct sock_filter list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(list) / sizeof(*list), list };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &filter);
}

int main(int argc, char **argv)
{
	long ms = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	int ends[2], listener;
	pid_t helper;

	if (ms <= 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return 64;
	helper = fork();
	if (!helper) {
		/* Nobody's child, so that the program meets none that it does not know. */
		if (fork())
			_exit(0);
		close(ends[0]);
		listener = receive_one(ends[1]);
		if (listener >= 0)
			serve(listener, ms);
		_exit(0);
	}
	waitpid(helper, NULL, 0);
	close(ends[1]);
	listener = listen_for_flushes();
	if (listener < 0 || send_one(ends[0], listener)) {
		fprintf(stderr, "slow_disk: the kernel hands no calls on: %s\n", strerror(errno));
		return 77;
	}
	close(listener);
	close(ends[0]);
	execvp(argv[2], argv + 2);
	return 127;
}
