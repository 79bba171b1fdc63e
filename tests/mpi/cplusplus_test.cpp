// SPDX-License-Identifier: MIT
// cplusplus_test: a C++17 program compiles against mppool.h, links with the library and runs. Rank
// 0 exits with 0, or prints what is wrong and exits with 1.
#include <mppool.h>

#include <cstdio>
#include <cstring>
#include <string>

static int reverse(void *, mpp_bytes payload, mpp_context *context, mpp_error *error)
{
    const char *text = static_cast<const char *>(payload.data);
    std::string reversed(text, payload.size);
    reversed.assign(reversed.rbegin(), reversed.rend());
    if (mpp_context_set_result(context, reversed.data(), reversed.size()))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static int fail(const char *text)
{
    std::fprintf(stderr, "cplusplus_test: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    mpp_job job = {};
    job.name = "reverse";
    job.run = reverse;
    const mpp_job *const jobs[] = {&job, nullptr};
    mpp_options options = {};
    options.jobs = jobs;
    options.workers_per_rank = 1;
    mpp_executor *executor;
    mpp_error error;
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return fail(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    mpp_future *future = mpp_submit(executor, "reverse", "loop", 4, &error);
    mpp_bytes result = {};
    int failed = 0;
    if (!future || mpp_future_result(future, MPP_FOREVER, &result, &error) != MPP_WAIT_OK)
        failed = fail(error.text);
    else if (result.size != 4 || std::memcmp(result.data, "pool", 4) != 0)
        failed = fail("wrong result");
    mpp_future_free(future);
    if (mpp_close(executor, &error))
        failed = fail(error.text);
    if (std::strcmp(mpp_version(), MPP_VERSION) != 0)
        failed = fail("the header and the library have different versions");
    return failed;
}
