#!/bin/sh
# SPDX-License-Identifier: MIT
# In place of ssh: local_ssh.sh [OPTION]... HOST COMMAND... runs the command on this host. Hydra starts the ranks of other
# hosts with it.
while [ "${1#-}" != "$1" ]; do
    shift
done
shift
exec sh -c "$*"
