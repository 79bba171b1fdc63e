# SPDX-License-Identifier: MIT
"""A Slurm cluster on one machine: a controller and several nodes, each with its own slurmd. All files are in one
directory. Needs root and Debian's packages slurm-wlm and munge."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

CALL_TIMEOUT_S = 60

CONF = """
ClusterName=mpthumb
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd-%n.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/slurmd-%n.log
SlurmctldPort={port}
TmpFS={directory}/tmp/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,requeue_delay=1
KillWait=5
MinJobAge=3600
ReturnToService=2
PropagateResourceLimits=NONE
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def poll_until(call, is_wanted, timeout_s=CALL_TIMEOUT_S):
    """Calls `call` until `is_wanted` accepts its answer, because Slurm does not notify. Returns the answer."""
    deadline = time.monotonic() + timeout_s
    while not is_wanted(answer := call()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s} s: {answer!r}")
        time.sleep(0.2)
    return answer


class Slurm:
    """A context manager that starts the cluster and stops it."""

    def __init__(self, folder, nodes=4, cpus=4):
        self.directory = pathlib.Path(folder) / "slurm"
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.cpus = cpus
        self.daemons = []
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        self.environment["SLURM_CONF"] = str(self.directory / "slurm.conf")

    def call(self, *command, **options):
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=CALL_TIMEOUT_S, check=False, **options)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr}")
        return done.stdout

    def start(self, *command, **options):
        log = open(self.directory / f"{pathlib.Path(command[0]).name}-{len(self.daemons)}.out", "wb")
        self.daemons.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, start_new_session=True, **options))
        log.close()

    def munge(self):
        """Starts munged, unless one is running: its socket has a fixed path, so there can be only one."""
        def status():
            return subprocess.run(["sh", "-c", "munge -n | unmunge"], capture_output=True, check=False).returncode
        if status() == 0:
            return
        user = pwd.getpwnam("munge")
        pathlib.Path("/run/munge").mkdir(exist_ok=True)
        os.chown("/run/munge", user.pw_uid, user.pw_gid)
        os.chmod("/run/munge", 0o755)
        self.start("setpriv", "--reuid", "munge", "--regid", "munge", "--clear-groups", "/usr/sbin/munged",
                   "--foreground", "--force")
        poll_until(status, lambda found: found == 0)

    def __enter__(self):
        for name in ("state", "spool", "tmp"):
            (self.directory / name).mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        ports = free_ports(len(self.nodes) + 1)
        conf = CONF.format(directory=self.directory, host=host, port=ports[0])
        for node, port in zip(self.nodes, ports[1:]):
            (self.directory / "spool" / node).mkdir()
            (self.directory / "tmp" / node).mkdir()
            conf += (f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus}"
                     " RealMemory=1000 State=UNKNOWN\n")
        (self.directory / "slurm.conf").write_text(conf)
        try:
            self.munge()
            self.start("/usr/sbin/slurmctld", "-D")
            for node in self.nodes:
                self.start("/usr/sbin/slurmd", "-D", "-N", node)
            poll_until(lambda: subprocess.run(["sinfo", "-h", "-t", "idle", "-o", "%D"], env=self.environment,
                                              capture_output=True, text=True, check=False).stdout.strip(),
                       lambda idle: idle == str(len(self.nodes)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        if self.daemons and shutil.which("scancel"):
            subprocess.run(["scancel", "--full", "-u", "root"], env=self.environment, capture_output=True, check=False,
                           timeout=CALL_TIMEOUT_S)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons = []

    def submit(self, script, *arguments, options=()):
        """Submits a job. Returns its number."""
        return self.call("sbatch", "--parsable", *options, str(script), *arguments).strip().partition(";")[0]

    def shown(self, job):
        """The output of `scontrol show job` as a dict. An element of an array is JOB_INDEX."""
        text = self.call("scontrol", "show", "job", job, "-o")
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def wait(self, job, timeout_s=300):
        """Waits until the job has ended. Returns (state, exit status)."""
        ends = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")
        shown = poll_until(lambda: self.shown(job), lambda shown: shown["JobState"] in ends, timeout_s)
        return shown["JobState"], int(shown["ExitCode"].partition(":")[0])
