/* SPDX-License-Identifier: MIT */
/* resting_mlx.cpp -- a program on the engine of throwing_mlx.cpp that waits for semaphores, as
 * threads of CPython do, and prints what came of each wait.
 *
 *	resting_mlx WORD...
 *
 *	eval async	computes one thing; begins one, and does not wait for it
 *	all		each wait in each way, with something begun before each
 *	all_in_thread	in a second thread, which gets the signals
 *	rounds		what is begun from there on is tokens
 *	until=MS	one wait with that limit, by the monotonic clock
 *	thread=HOW	another thread begins something, then waits in that way until it is no more;
 *			the words behind go on once it is about to
 *	cancel=HOW	the same, and is cancelled and joined
 *	cut=HOW		the same, in the midst of a drain
 *	over		waits for what is posted already, once it is idle
 *	broken		a signal comes in the midst of a drain
 *	later=WHAT	what waits next for what was begun fails of it
 *	one		waits for what was begun
 *	turns=N		until that thread has waited so many times more
 *	settled=FILE	until that file has a line "synchronize"
 *	slow=MS		each synchronize takes so long
 *	wish=WHAT	all that is computed fails of it (throwing_mlx.cpp)
 *	exit=N _exit=N	ends
 *	sigterm		waits for a signal */
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <unistd.h>

namespace mlx::core
{
struct array {
	std::shared_ptr<int> desc;

	__attribute__((visibility("default"))) void eval();
};
void eval(std::vector<array> arrays);
void async_eval(std::vector<array> arrays);
} // namespace mlx::core

extern "C" void wish_for(const char *what);
extern "C" void wish_later(const char *what);
extern "C" void wish_slow(int ms);

static sem_t sem, about;
static mlx::core::array cell;

static long since_ms(clockid_t clock)
{
	timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static timespec in_ms(clockid_t clock, long ms)
{
	timespec at;

	clock_gettime(clock, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

struct way {
	const char *name;
	clockid_t clock;
	int (*wait)(const timespec *until);
};

static const way ways[] = {
	{ "wait", CLOCK_MONOTONIC, [](const timespec *) { return sem_wait(&sem); } },
	{ "timed", CLOCK_REALTIME, [](const timespec *t) { return sem_timedwait(&sem, t); } },
	{ "mono", CLOCK_MONOTONIC,
	  [](const timespec *t) { return sem_clockwait(&sem, CLOCK_MONOTONIC, t); } },
	{ "real", CLOCK_REALTIME,
	  [](const timespec *t) { return sem_clockwait(&sem, CLOCK_REALTIME, t); } },
};

static const way &way_of(const std::string &name)
{
	for (const way &w : ways)
		if (name == w.name)
			return w;
	abort();
}

static bool is_in_rounds;

/* In the order of mlx_lm, in which a token is begun ahead; or one thing alone. */
static void begin()
{
	try {
		mlx::core::async_eval({ cell });
		if (!is_in_rounds)
			return;
		mlx::core::async_eval({ cell });
		mlx::core::eval({ cell });
		for (int i = 0; i < 3; i++) {
			cell.eval();
			mlx::core::async_eval({ cell });
		}
	} catch (const std::runtime_error &) {
	}
}

/* errno is as the wait has left it, also where it succeeds. */
static void one(const way &w, const char *what, timespec until)
{
	int rc, value;

	begin();
	errno = 77;
	rc = w.wait(&until);
	printf("%s %s: %d, errno %d", w.name, what, rc, errno);
	sem_getvalue(&sem, &value);
	printf(", value %d\n", value);
	while (!sem_trywait(&sem))
		;
}

static std::atomic<int> alarms;

/* The third one posts. */
static void on_alarm(int)
{
	if (++alarms == 3)
		sem_post(&sem);
}

/* Again and again: one may come between two waits. */
static void alarm_every(long ms, int flags)
{
	struct sigaction act = {};
	itimerval in = { { 0, ms * 1000 }, { 0, ms * 1000 } };

	alarms = 0;
	act.sa_handler = on_alarm;
	act.sa_flags = flags;
	sigaction(SIGALRM, &act, nullptr);
	setitimer(ITIMER_REAL, &in, nullptr);
}

static void limited(const way &w, long ms)
{
	long then = since_ms(w.clock);

	one(w,
	    ms < 0    ? "limit in the past"
	    : ms < 50 ? "short limit"
		      : "limit",
	    in_ms(w.clock, ms));
	if (since_ms(w.clock) < then + ms)
		puts("too early");
}

static void posted(const way &w)
{
	std::thread by([] {
		usleep(130000);
		sem_post(&sem);
	});

	one(w, "posted later", in_ms(w.clock, 60000));
	by.join();
}

/* A wait without a limit goes on behind these, and one with a limit does not. */
static void alarmed(const way &w, int flags)
{
	const char *what = flags ? "restarted" : "interrupted";

	alarm_every(70, flags);
	begin();
	timespec until = in_ms(w.clock, 60000);
	int rc = w.wait(&until), err = errno, came = alarms;
	alarm_every(0, flags);
	printf("%s %s: %s\n", w.name, what,
	       !rc	      ? (came < 3 ? "posted by nobody" : "posted")
	       : err == EINTR ? "EINTR"
			      : "?");
	while (!sem_trywait(&sem))
		;
}

static void *all(void *)
{
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
	for (const way &w : ways) {
		timespec bad = { 0, -1 };

		sem_post(&sem);
		one(w, "posted before", in_ms(w.clock, 60000));
		posted(w);
		alarmed(w, SA_RESTART);
		alarmed(w, 0);
		if (w.name == std::string("wait"))
			continue;
		limited(w, 130);
		limited(w, 5);
		limited(w, -1000);
		one(w, "no time", bad);
		sem_post(&sem);
		one(w, "no time, posted", bad);
	}
	begin();
	errno = 77;
	timespec until = in_ms(CLOCK_MONOTONIC, 100);
	int rc = sem_clockwait(&sem, CLOCK_PROCESS_CPUTIME_ID, &until);
	printf("no such clock: %d, errno %d\n", rc, errno);
	return nullptr;
}

/* Not in the thread that signals prefer. */
static void all_in_thread()
{
	sigset_t alarm;
	pthread_t t;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
	pthread_create(&t, nullptr, all, nullptr);
	pthread_join(t, nullptr);
}

static std::atomic<int> turns;

static void *rest(void *how)
{
	const way &w = *static_cast<const way *>(how);

	begin();
	sem_post(&about);
	for (;;) {
		timespec until = in_ms(w.clock, 100);

		w.wait(&until);
		turns++;
	}
}

static pthread_t start(const way &w)
{
	pthread_t t;

	pthread_create(&t, nullptr, rest, const_cast<way *>(&w));
	sem_wait(&about);
	return t;
}

static void await(const std::string &path)
{
	for (std::string line;; usleep(10000))
		for (std::ifstream in(path); std::getline(in, line);)
			if (line == "synchronize")
				return;
}

/* At any time, or once the engine has been called. */
static void cancel(const way &w, const char *log)
{
	pthread_t t = start(w);
	void *end;

	if (log)
		await(log);
	else
		usleep(100000);
	pthread_cancel(t);
	pthread_join(t, &end);
	printf("%s: %s\n", w.name, end == PTHREAD_CANCELED ? "cancelled" : "ended");
}

/* The program may have a lock that the engine needs, in a wait that is none. */
static void over()
{
	begin();
	usleep(100000);
	sem_post(&sem);
	sem_post(&sem);
	for (const char *name : { "mono", "real" })
		one(way_of(name), "posted", in_ms(way_of(name).clock, 60000));
}

static void one_alarm(int)
{
}

static void broken()
{
	struct sigaction act = {};
	itimerval once = { { 0, 0 }, { 0, 300000 } };
	timespec until = in_ms(CLOCK_MONOTONIC, 60000);

	begin();
	act.sa_handler = one_alarm;
	sigaction(SIGALRM, &act, nullptr);
	setitimer(ITIMER_REAL, &once, nullptr);
	int rc = sem_clockwait(&sem, CLOCK_MONOTONIC, &until);
	printf("broken: %d, %s\n", rc, rc && errno == EINTR ? "EINTR" : "?");
}

static void wait_for_one()
{
	try {
		cell.eval();
		puts("computed");
	} catch (const std::exception &e) {
		printf("failed: %s\n", e.what());
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, nullptr, _IOLBF, 0);
	sem_init(&sem, 0, 0);
	sem_init(&about, 0, 0);
	for (int i = 1; i < argc; i++) {
		std::string word = argv[i], value = word.substr(word.find('=') + 1);

		word = word.substr(0, word.find('='));
		if (word == "eval")
			mlx::core::eval({ cell });
		else if (word == "async")
			begin();
		else if (word == "all")
			all(nullptr);
		else if (word == "all_in_thread")
			all_in_thread();
		else if (word == "until")
			one(way_of("mono"), "limit", in_ms(CLOCK_MONOTONIC, atol(value.c_str())));
		else if (word == "thread")
			start(way_of(value));
		else if (word == "cancel")
			cancel(way_of(value), nullptr);
		else if (word == "cut")
			cancel(way_of(value), getenv("ENGINE_LOG"));
		else if (word == "rounds")
			is_in_rounds = true;
		else if (word == "over")
			over();
		else if (word == "broken")
			broken();
		else if (word == "later")
			wish_later(value.c_str());
		else if (word == "one")
			wait_for_one();
		else if (word == "slow")
			wish_slow(atoi(value.c_str()));
		else if (word == "settled")
			await(value);
		else if (word == "turns")
			for (int until = turns + atoi(value.c_str()); turns < until;)
				usleep(10000);
		else if (word == "wish")
			wish_for(value.c_str());
		else if (word == "exit")
			exit(atoi(value.c_str()));
		else if (word == "_exit")
			_exit(atoi(value.c_str()));
		else if (word == "sigterm")
			for (puts("waiting");;)
				pause();
	}
	return 7;
}
