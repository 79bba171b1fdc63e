/* SPDX-License-Identifier: MIT */
/*
 * rank0_cost [MESSAGES]: measures the CPU time that a rank needs to receive and to send a message
 * of typical size, as input for the simulator. Runs on two MPI ranks. Rank 1 answers each batch of
 * messages with a batch of the same size. Rank 0 polls only after all answers have arrived, so that
 * waiting is not measured.
 */
#include <mpp_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "transport.h"

enum { BATCH = 64, SIZE = 256 };

static int send_batch(struct transport *transport, int to, struct mpp_error *error)
{
    for (int i = 0; i < BATCH; i++) {
        struct buf bytes = BUF_INIT;
        if (!buf_reserve(&bytes, SIZE))
            return mpp_error_set(error, "out of memory");
        bytes.size = SIZE;
        if (transport_send(transport, to, &bytes, error))
            return -1;
    }
    return 0;
}

static int receive_batch(struct transport *transport, struct mpp_error *error)
{
    for (int i = 0; i < BATCH;) {
        struct transport_message message;
        enum transport_status status = transport_poll(transport, &message, error);
        if (status == TRANSPORT_FAILED)
            return -1;
        if (status == TRANSPORT_EMPTY)
            continue;
        buf_release(&message.bytes);
        i++;
    }
    return 0;
}

static int measure(struct transport *transport, int batches, struct mpp_error *error)
{
    int64_t sending_ns = 0, receiving_ns = 0;
    for (int batch = 0; batch < batches; batch++) {
        int64_t begun_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
        if (send_batch(transport, 1, error))
            return -1;
        sending_ns += clock_now_ns(CLOCK_THREAD_CPUTIME_ID) - begun_ns;
        /* All answers arrive in this time. */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        begun_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
        if (receive_batch(transport, error))
            return -1;
        receiving_ns += clock_now_ns(CLOCK_THREAD_CPUTIME_ID) - begun_ns;
    }
    printf("receive %.0f ns, send %.0f ns\n", (double)receiving_ns / batches / BATCH,
           (double)sending_ns / batches / BATCH);
    return 0;
}

static int answer(struct transport *transport, int batches, struct mpp_error *error)
{
    for (int batch = 0; batch < batches; batch++)
        if (receive_batch(transport, error) || send_batch(transport, 0, error))
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    int batches = argc > 1 ? atoi(argv[1]) / BATCH : 500;
    struct transport *transport = transport_mpi_new(&argc, &argv, &error);
    int failed = !transport;
    if (transport && transport->size != 2)
        failed = mpp_error_set(&error, "exactly two ranks are needed: mpirun -n 2");
    else if (transport)
        failed = transport->rank ? answer(transport, batches, &error)
                                 : measure(transport, batches, &error);
    if (failed)
        fprintf(stderr, "rank0_cost: %s\n", error.text);
    if (transport && transport_close(transport, NULL))
        failed = 1;
    return failed ? 1 : 0;
}
