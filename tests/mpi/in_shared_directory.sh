#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with MPP_TEST_DIRECTORY set to a new empty directory, and removes the directory afterwards. Launchers pass
# the variable on to their ranks, so all ranks of the command find the same directory (shared_directory.h).
MPP_TEST_DIRECTORY=$(mktemp -d) || exit 1
export MPP_TEST_DIRECTORY
"$@"
status=$?
rm -rf "$MPP_TEST_DIRECTORY"
exit "$status"
