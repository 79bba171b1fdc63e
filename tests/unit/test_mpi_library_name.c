/* SPDX-License-Identifier: MIT */
/* mpi_library_name: the texts of MPI_Get_library_version of several MPIs, and the names that users
 * see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mpi_library_name.h"

static const struct text {
    const char *version, *name;
} texts[] = {
    {"Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022",
     "Open MPI 4.1.4"},
    {"Open MPI v5.0.7, package: Debian OpenMPI, ident: 5.0.7, repo rev: v5.0.7, Feb 14, 2025",
     "Open MPI 5.0.7"},
    {"Open MPI v5.1.0a1, package: Open MPI builder@host Distribution, ident: 5.1.0a1",
     "Open MPI 5.1.0a1"},
    {"MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n"
     "MPICH ABI:\t14:2:2\nMPICH Device:\tch4:ofi\nMPICH configure:\t--prefix=/usr\n",
     "MPICH 4.0.2"},
    {"MPICH Version:      4.1a1\nMPICH Release date: unreleased development copy\n"
     "MPICH ABI:          0:0:0\nMPICH Device:       ch4:ofi\n",
     "MPICH 4.1a1"},
    {"Intel(R) MPI Library 2021.9 for Linux* OS\n", "Intel(R) MPI Library 2021.9"},
    {"Intel(R) MPI Library 2019 Update 6 for Linux* OS\n", "Intel(R) MPI Library 2019"},
    {"MPI VERSION    : CRAY MPICH version 8.1.25.17 (ANL base 3.4a2)\n"
     "MPI BUILD INFO : Sun Feb 26 16:42 2023 (git hash aecd99f)\n",
     "CRAY MPICH 8.1.25.17"},
    {"MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date :\tWed March 02 22:00:00 EST 2022\n",
     "MVAPICH2 2.3.7"},
    {"An MPI without a number\nand 1 further line", "An MPI without a number"},
    {"", "unknown MPI"},
    {"\nMPI 4", "unknown MPI"},
    {" \t \r\n", "unknown MPI"},
    {"MPI VERSION", "unknown MPI"},
};

static void names_are_short(void **state)
{
    (void)state;
    char name[LIBRARY_NAME_SIZE];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mpi_library_name(texts[i].version, name, sizeof name);
        assert_string_equal(name, texts[i].name);
    }
}

static void names_are_cut_to_size(void **state)
{
    (void)state;
    for (size_t size = 1; size <= sizeof "Open MPI 4.1.4"; size++) {
        char name[32], wanted[32] = "";
        memset(name, 'x', sizeof name);
        memcpy(wanted, "Open MPI 4.1.4", size - 1);
        mpi_library_name(texts[0].version, name, size);
        assert_string_equal(name, wanted);
        for (size_t i = size; i < sizeof name; i++)
            assert_int_equal(name[i], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_short),
                                       cmocka_unit_test(names_are_cut_to_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
