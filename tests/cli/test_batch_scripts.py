#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The batch scripts in slurm/ with stubs instead of Slurm's commands: how they find out when the job ends, and which
command they start. scripts/test-cluster runs them on a real Slurm."""
import os
import pathlib
import subprocess

from harness import equal, main

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "slurm"
NAMES = ("mpthumb.sbatch", "mpthumb-array.sbatch", "mpthumb-requeue.sbatch")
END_S = "1893456000"  # 2030-01-01T00:00:00 UTC

# Like Slurm's, it prints a line for each element of an array if it is asked for job 7, which is the id of the array
# and also that of its last element. Job 8 is not an array.
SQUEUE = """case "$3" in
    7) echo 2030-01-01T00:00:00; echo 2030-01-01T00:05:00 ;;
    6 | 7_1 | 7_2 | 8) echo 2030-01-01T00:00:00 ;;
    *) exit 1 ;;
esac
"""


def run(sandbox, name, squeue=SQUEUE, status=0, **variables):
    """Runs a batch script. Returns (exit status, the end of the job that srun was told, its arguments, stderr)."""
    stubs = {"squeue": squeue, "scontrol": 'echo "scontrol $*"\n',
             "srun": f'echo "${{SLURM_JOB_END_TIME-none}}"; echo "$*"; exit {status}\n'}
    for stub, text in stubs.items():
        sandbox.write(f"bin/{stub}", b"#!/bin/sh\n" + text.encode())
        sandbox.path(f"bin/{stub}").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    environment.update(PATH=f"{sandbox.path('bin')}:{os.environ['PATH']}", TZ="UTC", MPTHUMB="mpthumb",
                       SLURM_CPUS_PER_TASK="4", **variables)
    done = subprocess.run(["bash", SCRIPTS / name, "images"], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    end, *words = done.stdout.splitlines()
    return done.returncode, end, words, done.stderr


def job(name, index=1):
    if "array" not in name:
        return {"SLURM_JOB_ID": "8"}
    return {"SLURM_JOB_ID": "7" if index == 2 else "6", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_COUNT": "2",
            "SLURM_ARRAY_TASK_ID": str(index)}


def case_squeue_tells_the_end(sandbox):
    for name in NAMES:
        equal(run(sandbox, name, **job(name))[:2], (0, END_S), name)


def case_the_element_with_the_id_of_the_array(sandbox):
    name = "mpthumb-array.sbatch"
    status, end, words, errors = run(sandbox, name, **job(name, index=2))
    equal((status, end, errors), (0, END_S, ""))
    equal(words, ["--mpi=pmix -c 4 mpthumb --shard 2/2 --resume --time-limit auto images"])


def case_the_variable_of_slurm_is_kept(sandbox):
    for name in NAMES:
        equal(run(sandbox, name, squeue="exit 1\n", SLURM_JOB_END_TIME="5", **job(name))[1], "5", name)


def case_without_an_answer_there_is_no_limit(sandbox):
    """An empty text is midnight for date(1): the run would stop at once, and the requeued job again and again."""
    for name in NAMES:
        for answer in ("exit 1\n", "exit 0\n", "echo N/A\n"):
            status, end, words, _ = run(sandbox, name, squeue=answer, **job(name))
            equal((status, end, len(words)), (0, "none", 1), name + answer)


def case_outside_slurm(_):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    for name in NAMES:
        done = subprocess.run(["bash", SCRIPTS / name], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "submit this script with sbatch" in done.stderr, done


def case_status_75_requeues(sandbox):
    name = "mpthumb-requeue.sbatch"
    status, _, words, _ = run(sandbox, name, status=75, **job(name))
    equal((status, words[1:]), (75, ["scontrol requeue 8"]))
    status, _, words, _ = run(sandbox, name, status=1, **job(name))
    equal((status, words[1:]), (1, []))


main(globals())
