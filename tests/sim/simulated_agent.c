/* SPDX-License-Identifier: MIT */
/* The model of an agent in a simulated pool: see simulated_agent.h. */
#include "simulated_agent.h"

/* ---- Messages ---- */

int64_t poll_time(struct simulated_pool *pool, int64_t arrives, int64_t active, int64_t most_ns)
{
    int64_t sleep = (arrives - active) / WAIT_FRACTION;
    sleep = sleep > most_ns ? most_ns : sleep < WAIT_MIN_NS ? WAIT_MIN_NS : sleep;
    return arrives + (int64_t)((double)sleep * random_times_uniform(&pool->delay_times));
}

static int64_t arrival(struct simulated_pool *pool, int64_t at, uint32_t tasks, int64_t *last)
{
    int64_t arrives = at + pool->setup->latency + tasks * pool->setup->latency_task;
    if (arrives <= *last)
        arrives = *last + 1;
    return *last = arrives;
}

static void send_up(struct simulated_pool *pool, int from, struct simulated_message message)
{
    message.from = from;
    int64_t at = arrival(pool, pool->now, message.copies.count, &pool->agents[from].sent_up_ns);
    event_queue_put(&pool->queue, (struct sim_event){.at_ns = at,
                                                     .type = COORDINATOR_RECEIVES,
                                                     .argument = simulated_tasks_new_message(
                                                         &pool->tasks, message)});
}

void send_to_agent(struct simulated_pool *pool, int64_t at, int to, int64_t *last,
                   struct simulated_message message)
{
    struct simulated_agent *agent = &pool->agents[to];
    bool idle = !agent->running && !agent->queue.count;
    int64_t arrives = arrival(pool, at, message.copies.count, last);
    int64_t seen =
        poll_time(pool, arrives, agent->active_ns, idle ? WAIT_MAX_IDLE_NS : WAIT_MAX_BUSY_NS);
    if (seen <= agent->received_down_ns)
        seen = agent->received_down_ns + 1;
    agent->received_down_ns = seen;
    event_queue_put(&pool->queue, (struct sim_event){.at_ns = seen,
                                                     .type = AGENT_RECEIVES,
                                                     .agent = to,
                                                     .argument = simulated_tasks_new_message(
                                                         &pool->tasks, message)});
}

/* ---- Agents ---- */

static void note_busy(struct simulated_pool *pool, int change)
{
    bool was_full = pool->busy * 100 >= pool->alive_workers * 99;
    pool->busy += (uint64_t)(int64_t)change;
    bool full = pool->busy * 100 >= pool->alive_workers * 99;
    if (full && !pool->report.full_ns)
        pool->report.full_ns = pool->now;
    if (was_full && !full)
        pool->report.last_ns = pool->now;
}

static void send_results(struct simulated_pool *pool, int id, bool wants)
{
    struct simulated_agent *agent = &pool->agents[id];
    if (!agent->results.count)
        return;
    agent->timer++;
    agent->results_due_ns = pool->now + pool->setup->hold;
    send_up(pool, id,
            (struct simulated_message){.type = DONE, .wants = wants, .copies = agent->results});
    agent->results = (struct copy_list){0};
}

/* Gives tasks to idle workers, sends results, and asks for more tasks. */
static void agent_step(struct simulated_pool *pool, int id)
{
    struct simulated_agent *agent = &pool->agents[id];
    agent->active_ns = pool->now;
    while (agent->queue.count && agent->running < (uint32_t)pool->setup->workers) {
        uint32_t copy = copy_list_take(&pool->tasks, &agent->queue);
        agent->running++;
        note_busy(pool, 1);
        event_queue_put(&pool->queue,
                        (struct sim_event){.at_ns = pool->now + pool->tasks.copies[copy].run_ns,
                                           .type = TASK_ENDS,
                                           .agent = id,
                                           .argument = copy});
    }
    if (!agent->requested_more && agent->queue.count < agent->low_water) {
        agent->requested_more = true;
        if (agent->results.count)
            send_results(pool, id, true); /* results and request in one message */
        else
            send_up(pool, id, (struct simulated_message){.type = WANT});
    }
    if ((!agent->queue.count && !agent->running) || pool->now >= agent->results_due_ns)
        send_results(pool, id, false);
}

void agent_task_ends(struct simulated_pool *pool, int id, uint32_t copy)
{
    struct simulated_agent *agent = &pool->agents[id];
    struct copy_list one = {0};
    copy_list_append(&pool->tasks, &one, copy);
    if (agent->lost) {
        copy_list_discard(&pool->tasks, &one);
        return;
    }
    agent->running--;
    note_busy(pool, -1);
    copy_list_append(&pool->tasks, &agent->results, copy);
    if (agent->results.count == 1 && pool->now < agent->results_due_ns)
        event_queue_put(&pool->queue, (struct sim_event){.at_ns = agent->results_due_ns,
                                                         .type = AGENT_FLUSHES,
                                                         .agent = id,
                                                         .argument = agent->timer});
    agent_step(pool, id);
}

/* Sends the end of the queue to the thief, and a report to rank 0. */
static void send_to_thief(struct simulated_pool *pool, int id,
                          const struct simulated_message *steal)
{
    struct simulated_agent *agent = &pool->agents[id];
    send_results(pool, id, false);
    uint32_t moved =
        steal->steal_count < agent->queue.count ? steal->steal_count : agent->queue.count;
    struct copy_list kept = {0}, tasks = {0}, reported = {0};
    while (agent->queue.count > moved)
        copy_list_append(&pool->tasks, &kept, copy_list_take(&pool->tasks, &agent->queue));
    while (agent->queue.count) {
        uint32_t copy = copy_list_take(&pool->tasks, &agent->queue),
                 report = simulated_tasks_new_copy(&pool->tasks);
        pool->tasks.copies[report] = pool->tasks.copies[copy];
        copy_list_append(&pool->tasks, &reported, report);
        copy_list_append(&pool->tasks, &tasks, copy);
    }
    agent->queue = kept;
    if (moved) {
        pool->report.steal_messages++;
        send_to_agent(pool, pool->now, steal->other, &agent->sent_across_ns,
                      (struct simulated_message){.type = TASKS, .copies = tasks});
    }
    send_up(pool, id,
            (struct simulated_message){.type = MOVED, .other = steal->other, .copies = reported});
}

void agent_receives(struct simulated_pool *pool, int id, uint32_t index)
{
    struct simulated_agent *agent = &pool->agents[id];
    struct simulated_message *message = &pool->tasks.messages[index];
    if (!agent->lost) {
        if (message->type == STEAL) {
            struct simulated_message steal = *message;
            send_to_thief(pool, id, &steal);
        } else {
            uint32_t workers = (uint32_t)pool->setup->workers, half = message->copies.count / 2;
            while (message->copies.count)
                copy_list_append(&pool->tasks, &agent->queue,
                                 copy_list_take(&pool->tasks, &message->copies));
            agent->requested_more = false;
            agent->low_water = half > workers ? half : workers;
        }
        agent_step(pool, id);
    }
    simulated_tasks_free_message(&pool->tasks, index);
}

void agent_flushes(struct simulated_pool *pool, int id, uint32_t timer)
{
    if (pool->agents[id].timer == timer && !pool->agents[id].lost)
        send_results(pool, id, false);
}

void agents_are_lost(struct simulated_pool *pool)
{
    const struct simulated_pool_setup *setup = pool->setup;
    for (int i = setup->agents - setup->lost; i < setup->agents; i++) {
        pool->agents[i].lost = true;
        pool->alive_workers -= (uint64_t)setup->workers;
        note_busy(pool, -(int)pool->agents[i].running);
        copy_list_discard(&pool->tasks, &pool->agents[i].queue);
        copy_list_discard(&pool->tasks, &pool->agents[i].results);
        event_queue_put(&pool->queue,
                        (struct sim_event){.at_ns = pool->now + setup->lost_known_after,
                                           .type = LOSS_IS_NOTICED,
                                           .agent = i});
    }
}
