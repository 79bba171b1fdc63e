/* SPDX-License-Identifier: MIT */
/* The fork server process, and the rank's side of it: see forkserver.h. */
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

#include "worker_process.h"

/* A packet on the control socket: a request of the rank or an event for it. Both processes run the
 * same program, so the struct is sent as it is. */
struct forkserver_packet {
    enum forkserver_event_type type; /* requests: FORKSERVER_NOTHING */
    int slot;
    int signal; /* requests: the signal to send to the worker; 0: start a worker */
    pid_t pid;
    int wait_status;
};

union fd_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_packet(int fd, const struct forkserver_packet *packet, int passed_fd)
{
    union fd_space space = {0};
    struct iovec vector = {.iov_base = (void *)packet, .iov_len = sizeof *packet};
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
    return sent == (ssize_t)sizeof *packet ? 0 : -1;
}

/* 1: received; 0: nothing to receive; -1: the other end is closed. *passed_fd is -1 if the packet
 * carries no descriptor. */
static int receive_packet(int fd, struct forkserver_packet *packet, int *passed_fd)
{
    union fd_space space = {0};
    struct iovec vector = {.iov_base = packet, .iov_len = sizeof *packet};
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
    return received == (ssize_t)sizeof *packet ? 1 : -1;
}

/* ---- Inside the fork server ---- */

struct server {
    int control_fd;
    int sigchld_fd; /* a signalfd */
    struct worker_slot *slots;
    const struct worker_config *config;
    pid_t workers[MPP_WORKERS_MAX]; /* by slot; 0: none */
};

/* Names the process and makes the kernel kill it when its parent dies. The check covers a parent
 * that died before prctl. */
static void become_child(pid_t parent, const char *name)
{
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

/* Handles SIGTERM in a worker. Only a SIGTERM that the fork server sent ends the worker. A launcher
 * or batch system sends SIGTERM to every process of a job; rank 0 handles that one, and it must not
 * look like a crash of the task that runs here. */
static void terminate_if_from_parent(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_pid != getppid())
        return;
    signal(number, SIG_DFL);
    raise(number); /* delivered when this handler returns */
}

/* Signals by which launchers, batch systems and terminals end a job. Only the rank handles them;
 * the fork server and its workers end with the rank. */
static void ignore_job_signals(void)
{
    static const int job_signals[] = {SIGINT, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof job_signals / sizeof *job_signals; i++)
        signal(job_signals[i], SIG_IGN);
}

static void become_worker(struct server *server, pid_t parent, int fd, int slot)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE};
    struct sigaction terminate = {.sa_sigaction = terminate_if_from_parent,
                                  .sa_flags = SA_SIGINFO | SA_RESTART};
    become_child(parent, "mpp-worker");
    close(server->control_fd);
    close(server->sigchld_fd);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    sigaction(SIGTERM, &terminate, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    worker_main(fd, &server->slots[slot], &server->config->options);
    fflush(stdout); /* of jobs that print; _exit does not do it */
    _exit(0);
}

static void reset_slot(struct worker_slot *slot)
{
    atomic_store(&slot->next, 0);
    atomic_store(&slot->running, 0);
    atomic_store(&slot->crashed_load, 0);
    atomic_store(&slot->agent_woken, false);
    atomic_store(&slot->no_memory, false);
    result_ring_reset(&slot->results);
}

static void spawn(struct server *server, int slot)
{
    struct forkserver_packet reply = {.type = FORKSERVER_FAILED, .slot = slot};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        reply.wait_status = errno;
        send_packet(server->control_fd, &reply, -1);
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
    send_packet(server->control_fd, &reply, pid > 0 ? pair[0] : -1);
    close(pair[0]);
    close(pair[1]);
}

static void reap(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->sigchld_fd, &info, sizeof info) > 0)
        ;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int slot = 0; slot < MPP_WORKERS_MAX; slot++) {
            if (server->workers[slot] != pid)
                continue;
            server->workers[slot] = 0;
            struct forkserver_packet event = {
                .type = FORKSERVER_EXITED, .slot = slot, .pid = pid, .wait_status = status};
            send_packet(server->control_fd, &event, -1);
            break;
        }
    }
}

static void server_loop(struct server *server)
{
    struct pollfd polled[2] = {{.fd = server->control_fd, .events = POLLIN},
                               {.fd = server->sigchld_fd, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return;
        if (polled[1].revents)
            reap(server);
        if (!polled[0].revents)
            continue;
        struct forkserver_packet request;
        int unused;
        int received = receive_packet(server->control_fd, &request, &unused);
        if (received < 0)
            return; /* the rank has closed its end or has died */
        if (!received || request.slot < 0 || request.slot >= MPP_WORKERS_MAX)
            continue;
        if (!request.signal)
            spawn(server, request.slot);
        else if (server->workers[request.slot])
            kill(server->workers[request.slot], request.signal);
    }
}

static _Noreturn void server_main(int control_fd, struct worker_slot *slots,
                                  const struct worker_config *config, pid_t parent)
{
    static struct server server; /* too large for a small stack; there is one per process */
    server.control_fd = control_fd;
    server.slots = slots;
    server.config = config;
    become_child(parent, "mpp-forkserver");
    setpgid(0, 0);
    ignore_job_signals();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDIN_FILENO); /* only the rank reads standard input */
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    server.sigchld_fd = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server.sigchld_fd >= 0)
        server_loop(&server);
    _exit(0); /* PR_SET_PDEATHSIG ends the workers */
}

/* ---- MPP_NOT_ISOLATED: the workers are threads ---- */

struct thread_worker {
    int fd, control_fd, slot;
    struct worker_slot *shared;
    const struct worker_config *config;
};

static void *thread_main(void *argument)
{
    struct thread_worker worker = *(struct thread_worker *)argument;
    free(argument);
    worker_main(worker.fd, worker.shared, &worker.config->options);
    close(worker.fd);
    struct forkserver_packet event = {
        .type = FORKSERVER_EXITED, .slot = worker.slot, .pid = getpid()};
    send_packet(worker.control_fd, &event, -1);
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
                                     .control_fd = forkserver->thread_fd,
                                     .slot = slot,
                                     .shared = &forkserver->slots[slot],
                                     .config = forkserver->config};
    reset_slot(worker->shared);
    struct forkserver_packet event = {.type = FORKSERVER_STARTED, .slot = slot, .pid = getpid()};
    if (send_packet(forkserver->thread_fd, &event, pair[0]))
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

/* ---- The rank's side ---- */

int forkserver_start(struct forkserver *forkserver, const struct worker_config *config,
                     struct mpp_error *error)
{
    *forkserver = (struct forkserver){.fd = -1, .thread_fd = -1};
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
        *forkserver = (struct forkserver){
            .fd = pair[0], .slots = slots, .config = config, .thread_fd = pair[1]};
        return 0;
    }
    fflush(stdout); /* or the child would print the buffered text again */
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
        .fd = pair[0], .pid = pid, .slots = slots, .config = config, .thread_fd = -1};
    return 0;

unmap:
    munmap(slots, slots_bytes);
    return -1;
}

int forkserver_spawn(struct forkserver *forkserver, int slot, struct mpp_error *error)
{
    struct forkserver_packet request = {.type = FORKSERVER_NOTHING, .slot = slot};
    if (forkserver->thread_fd >= 0)
        return spawn_thread(forkserver, slot, error);
    if (send_packet(forkserver->fd, &request, -1))
        return mpp_error_set_errno(error, "cannot ask the fork server for a worker");
    return 0;
}

void forkserver_kill(struct forkserver *forkserver, int slot, int signal)
{
    struct forkserver_packet request = {.type = FORKSERVER_NOTHING, .slot = slot, .signal = signal};
    if (forkserver->thread_fd < 0)
        send_packet(forkserver->fd, &request, -1); /* fails only when FORKSERVER_DIED will come */
}

struct forkserver_event forkserver_next_event(struct forkserver *forkserver)
{
    struct forkserver_packet packet;
    int fd;
    int received = receive_packet(forkserver->fd, &packet, &fd);
    if (received <= 0)
        return (struct forkserver_event){.type = received ? FORKSERVER_DIED : FORKSERVER_NOTHING};
    return (struct forkserver_event){.type = packet.type,
                                     .slot = packet.slot,
                                     .pid = packet.pid,
                                     .fd = fd,
                                     .wait_status = packet.wait_status};
}

void forkserver_stop(struct forkserver *forkserver)
{
    if (forkserver->fd < 0)
        return;
    close(forkserver->fd);
    if (forkserver->thread_fd >= 0)
        close(forkserver->thread_fd);
    else
        while (waitpid(forkserver->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    munmap(forkserver->slots, MPP_WORKERS_MAX * sizeof(struct worker_slot));
    *forkserver = (struct forkserver){.fd = -1};
}
