/* The fork server, both ends: see forkserver.h. */
#include "forkserver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

/* One packet on the control socket; both ends are the same program on the same host. */
struct control {
    enum forkserver_event_type type; /* towards the fork server: NOTHING */
    int slot;
    int signal; /* towards the fork server: to be sent to the worker; 0: start one */
    pid_t pid;
    int wait_status;
};

union fd_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_control(int fd, const struct control *control, int passed_fd)
{
    union fd_space space = {0};
    struct iovec vector = {.iov_base = (void *)control, .iov_len = sizeof *control};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (passed_fd >= 0) {
        header.msg_control = space.bytes;
        header.msg_controllen = sizeof space.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &passed_fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof *control ? 0 : -1;
}

/* 1: received, 0: nothing there, -1: the other end is gone. *passed_fd is -1 when none came. */
static int receive_control(int fd, struct control *control, int *passed_fd)
{
    union fd_space space = {0};
    struct iovec vector = {.iov_base = control, .iov_len = sizeof *control};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = space.bytes,
                            .msg_controllen = sizeof space.bytes};
    ssize_t received;
    do
        received = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    *passed_fd = -1;
    if (received < 0)
        return errno == EAGAIN ? 0 : -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(passed_fd, CMSG_DATA(rights), sizeof(int));
    return received == (ssize_t)sizeof *control ? 1 : -1;
}

/* ---- Inside the fork server ---- */

struct server {
    int control;
    int signals; /* signalfd for SIGCHLD */
    struct worker_slot *slots;
    const struct worker_config *config;
    pid_t workers[MPP_WORKERS_MAX]; /* by slot; 0: none */
};

/* What every process below the rank needs: it dies with its parent, and a terminal's keys are the
 * rank's. */
static void become_child(pid_t parent, const char *name)
{
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

/* A SIGTERM that its agent asked for ends a worker. One that a launcher or a batch system sends to
 * all processes of a job is for rank 0 to answer, and no fault of the task that runs here. */
static void end_if_told(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_pid != getppid())
        return;
    signal(number, SIG_DFL);
    raise(number); /* is delivered when this returns */
}

/* Signals that ask a whole job to end. The fork server and its workers end with their rank. */
static void ignore_job_signals(void)
{
    static const int job_signals[] = {SIGINT, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof job_signals / sizeof *job_signals; i++)
        signal(job_signals[i], SIG_IGN);
}

static void become_worker(struct server *server, pid_t parent, int fd, int slot)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE};
    struct sigaction terminate = {.sa_sigaction = end_if_told, .sa_flags = SA_SIGINFO | SA_RESTART};
    become_child(parent, "mpp-worker");
    close(server->control);
    close(server->signals);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    sigaction(SIGTERM, &terminate, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    worker_main(fd, &server->slots[slot], &server->config->options);
    fflush(stdout); /* jobs may print */
    _exit(0);
}

static void reset_slot(struct worker_slot *slot)
{
    atomic_store(&slot->next, 0);
    atomic_store(&slot->running, 0);
    atomic_store(&slot->crashed, 0);
    atomic_store(&slot->bell, false);
    atomic_store(&slot->no_memory, false);
    result_ring_reset(&slot->results);
}

static void spawn(struct server *server, int slot)
{
    struct control reply = {.type = FORKSERVER_FAILED, .slot = slot};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        reply.wait_status = errno;
        send_control(server->control, &reply, -1);
        return;
    }
    reset_slot(&server->slots[slot]);
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        become_worker(server, self, pair[1], slot);
    }
    if (pid > 0) {
        server->workers[slot] = pid;
        reply.type = FORKSERVER_STARTED;
        reply.pid = pid;
    } else {
        reply.wait_status = errno;
    }
    send_control(server->control, &reply, pid > 0 ? pair[0] : -1);
    close(pair[0]);
    close(pair[1]);
}

static void reap(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof info) > 0)
        ;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int slot = 0; slot < MPP_WORKERS_MAX; slot++) {
            if (server->workers[slot] != pid)
                continue;
            server->workers[slot] = 0;
            struct control news = {
                .type = FORKSERVER_EXITED, .slot = slot, .pid = pid, .wait_status = status};
            send_control(server->control, &news, -1);
            break;
        }
    }
}

static void server_loop(struct server *server)
{
    struct pollfd polled[2] = {{.fd = server->control, .events = POLLIN},
                               {.fd = server->signals, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return;
        if (polled[1].revents)
            reap(server);
        if (!polled[0].revents)
            continue;
        struct control request;
        int unused;
        int received = receive_control(server->control, &request, &unused);
        if (received < 0)
            return; /* the rank has closed its end, or is gone */
        if (!received || request.slot < 0 || request.slot >= MPP_WORKERS_MAX)
            continue;
        if (!request.signal)
            spawn(server, request.slot);
        else if (server->workers[request.slot])
            kill(server->workers[request.slot], request.signal);
    }
}

static _Noreturn void server_main(int control, struct worker_slot *slots,
                                  const struct worker_config *config, pid_t parent)
{
    static struct server server; /* too large for a small stack; this process has only one */
    server.control = control;
    server.slots = slots;
    server.config = config;
    become_child(parent, "mpp-forkserver");
    setpgid(0, 0);
    ignore_job_signals();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDIN_FILENO); /* standard input is the rank's alone */
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    server.signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server.signals >= 0)
        server_loop(&server);
    _exit(0); /* the workers follow: PR_SET_PDEATHSIG */
}

/* ---- Not isolated: the workers are threads ---- */

struct thread_worker {
    int fd, control, slot;
    struct worker_slot *shared;
    const struct worker_config *config;
};

static void *thread_main(void *argument)
{
    struct thread_worker worker = *(struct thread_worker *)argument;
    free(argument);
    worker_main(worker.fd, worker.shared, &worker.config->options);
    close(worker.fd);
    struct control news = {.type = FORKSERVER_EXITED, .slot = worker.slot, .pid = getpid()};
    send_control(worker.control, &news, -1);
    return NULL;
}

static int spawn_thread(struct forkserver *forkserver, int slot, struct mpp_error *error)
{
    struct thread_worker *worker = malloc(sizeof *worker);
    int pair[2] = {-1, -1};
    pthread_t thread;
    if (!worker || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        goto fail;
    *worker = (struct thread_worker){.fd = pair[1],
                                     .control = forkserver->inner,
                                     .slot = slot,
                                     .shared = &forkserver->slots[slot],
                                     .config = forkserver->config};
    reset_slot(worker->shared);
    struct control news = {.type = FORKSERVER_STARTED, .slot = slot, .pid = getpid()};
    if (send_control(forkserver->inner, &news, pair[0]))
        goto fail;
    errno = pthread_create(&thread, NULL, thread_main, worker);
    if (errno)
        goto fail;
    pthread_detach(thread);
    close(pair[0]);
    return 0;

fail:
    mpp_error_set_errno(error, "cannot start a worker thread");
    if (pair[0] >= 0) {
        close(pair[0]);
        close(pair[1]);
    }
    free(worker);
    return -1;
}

/* ---- The rank's end ---- */

int forkserver_start(struct forkserver *forkserver, const struct worker_config *config,
                     struct mpp_error *error)
{
    *forkserver = (struct forkserver){.fd = -1, .inner = -1};
    size_t slots_bytes = MPP_WORKERS_MAX * sizeof(struct worker_slot);
    void *slots = mmap(NULL, slots_bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED)
        return mpp_error_set_errno(error, "cannot map memory for the workers");
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        mpp_error_set_errno(error, "cannot make a socket for the fork server");
        goto unmap;
    }
    if (config->options.isolate == MPP_NOT_ISOLATED) {
        *forkserver =
            (struct forkserver){.fd = pair[0], .slots = slots, .config = config, .inner = pair[1]};
        return 0;
    }
    fflush(stdout); /* what the program has printed so far is printed once */
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        mpp_error_set_errno(error, "cannot fork the fork server");
        close(pair[0]);
        close(pair[1]);
        goto unmap;
    }
    if (pid == 0) {
        close(pair[0]);
        server_main(pair[1], slots, config, self);
    }
    close(pair[1]);
    *forkserver = (struct forkserver){
        .fd = pair[0], .pid = pid, .slots = slots, .config = config, .inner = -1};
    return 0;

unmap:
    munmap(slots, slots_bytes);
    return -1;
}

int forkserver_spawn(struct forkserver *forkserver, int slot, struct mpp_error *error)
{
    struct control request = {.type = FORKSERVER_NOTHING, .slot = slot};
    if (forkserver->inner >= 0)
        return spawn_thread(forkserver, slot, error);
    if (send_control(forkserver->fd, &request, -1))
        return mpp_error_set_errno(error, "cannot ask the fork server for a worker");
    return 0;
}

void forkserver_kill(struct forkserver *forkserver, int slot, int signal)
{
    struct control request = {.type = FORKSERVER_NOTHING, .slot = slot, .signal = signal};
    if (forkserver->inner < 0)
        send_control(forkserver->fd, &request,
                     -1); /* it fails with the fork server, which is told */
}

struct forkserver_event forkserver_next(struct forkserver *forkserver)
{
    struct control news;
    int fd;
    int received = receive_control(forkserver->fd, &news, &fd);
    if (received <= 0)
        return (struct forkserver_event){.type = received ? FORKSERVER_GONE : FORKSERVER_NOTHING};
    return (struct forkserver_event){.type = news.type,
                                     .slot = news.slot,
                                     .pid = news.pid,
                                     .fd = fd,
                                     .wait_status = news.wait_status};
}

void forkserver_stop(struct forkserver *forkserver)
{
    if (forkserver->fd < 0)
        return;
    close(forkserver->fd);
    if (forkserver->inner >= 0)
        close(forkserver->inner);
    else
        while (waitpid(forkserver->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    munmap(forkserver->slots, MPP_WORKERS_MAX * sizeof(struct worker_slot));
    *forkserver = (struct forkserver){.fd = -1};
}
