"""A real Slurm cluster on one machine, for as long as a `with` block or a command lasts.

    python tests/cluster/slurm.py bash      # a shell on its login node; exit takes it down

Its daemons are Debian's, run by hand as root and listening on 127.0.0.1 alone: munge, MariaDB and
slurmdbd for the accounting, slurmctld, and a slurmd for each node. A node is a set of namespaces
with a process 1 of its own: killing that kills the node with all that runs on it, like a power cut.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = (
    "slurmctld",
    "slurmd",
    "slurm-client",
    "munge",
    "slurmdbd",
    "mariadb-server-core",
    "mariadb-client-core",
)
COMMANDS = ("slurmctld", "slurmd", "sbatch", "munged", "slurmdbd", "mariadbd", "mariadb")
PATH = f"{os.environ['PATH']}:/usr/sbin"  # where the daemons are
MISSING = [command for command in COMMANDS if not shutil.which(command, path=PATH)]

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[slurmctld]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A job of a dead node starts again after so many seconds.
AuthInfo=socket={folder}/munge.sock,cred_expire=10
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool.%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
# Without cgroups: processes are found by their parents, memory is looked at now and then.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=3
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Everything is noticed sooner than on a real cluster.
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdTimeout=10
SlurmctldTimeout=30
KillWait=2
CompleteWait=0
ReturnToService=2
JobRequeue=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[slurmdbd]}
AccountingStoragePass={folder}/munge.sock
AccountingStoreFlags=job_comment
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n1]} CPUs=2 RealMemory=8000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n2]} CPUs=2 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=120 State=UP
"""

SLURMDBD_CONF = """\
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={ports[slurmdbd]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CommunicationParameters=NoInAddrAny
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[mariadbd]}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""

# Process 1 of a node. Job steps look for slurm.conf in its usual place, whatever SLURM_CONF says.
NODE = """\
hostname "$1"
mkdir -p /etc/slurm
mount --bind "$2" /etc/slurm
mount --bind "$2/hosts" /etc/hosts
slurmd -D -N "$1" &
while :; do sleep 3600 & wait $!; done
"""

ACCOUNTING = """\
create database slurm_acct_db;
create user slurm@'127.0.0.1' identified by 'slurm';
grant all on slurm_acct_db.* to slurm@'127.0.0.1';
"""


class Slurm:
    """A cluster of two nodes, n1 and n2, with two processors each. `folder` is its own and new.

    `environment` is what its users need in theirs.
    """

    nodes = ("n1", "n2")

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.environment = {"SLURM_CONF": str(self.folder / "etc/slurm.conf"), "PATH": PATH}
        self._processes = {}

    def __enter__(self):
        with ExitStack() as stack:
            stack.callback(self._kill_all)
            self._start()
            stack.pop_all()
        return self

    def __exit__(self, *_):
        self._kill_all()

    def _start(self):
        etc = self.folder / "etc"
        for folder in (etc, self.folder / "state"):
            folder.mkdir(parents=True)
        values = {"folder": self.folder, "host": socket.gethostname().partition(".")[0]}
        names = ("slurmctld", "slurmdbd", "mariadbd", *self.nodes)
        values["ports"] = dict(zip(names, _free_ports(len(names))))
        (etc / "slurm.conf").write_text(SLURM_CONF.format(**values))
        (etc / "slurmdbd.conf").write_text(SLURMDBD_CONF.format(**values))
        (etc / "slurmdbd.conf").chmod(0o600)
        hosts = [f"127.0.0.1 {node}\n" for node in self.nodes]
        (etc / "hosts").write_text("".join([Path("/etc/hosts").read_text(), *hosts]))
        self._start_munged()
        self._start_mariadbd(values["ports"]["mariadbd"])
        self._spawn("slurmdbd", "slurmdbd", "-D")
        self._wait_for("sacctmgr", "-n", "list", "cluster")
        self.run("sacctmgr", "-i", "add", "cluster", "test")
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        _until(lambda: self.run("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 2, "nodes")

    def _start_munged(self):
        key, socket_ = self.folder / "munge.key", self.folder / "munge.sock"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        options = {"socket": socket_, "key-file": key}
        options |= {
            f"{kind}-file": self.folder / f"munged.{kind}" for kind in ("pid", "log", "seed")
        }
        # By force, in a folder that other users cannot look into.
        arguments = ["--foreground", "--force", *(f"--{k}={v}" for k, v in options.items())]
        self._spawn("munged", "munged", *arguments)
        self._wait_for("munge", "-S", socket_, "-n")

    def _start_mariadbd(self, port):
        data = self.folder / "mariadb"
        data.mkdir(mode=0o700)
        where = ("--no-defaults", "--user=root", f"--datadir={data}", f"--tmpdir={data}")
        self.run("mariadb-install-db", *where, "--skip-test-db")
        self._spawn(
            "mariadbd",
            "mariadbd",
            *where,
            f"--socket={data}/sock",
            f"--pid-file={data}/pid",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            "--skip-name-resolve",
        )
        client = ("mariadb", "--no-defaults", f"--socket={data}/sock", "--execute")
        self._wait_for(*client, "select 1")
        self.run(*client, ACCOUNTING)

    def start_controller(self):
        self._spawn("slurmctld", "slurmctld", "-D")
        self._wait_for("scontrol", "ping")

    def kill_controller(self):
        self._kill("slurmctld")

    def start_node(self, node):
        namespaces = ("--uts", "--pid", "--mount", "--fork", "--kill-child=KILL", "--mount-proc")
        self._spawn(node, "unshare", *namespaces, "sh", "-c", NODE, "sh", node, self.folder / "etc")

    def cut_power(self, node):
        """Kill a node, with all that runs on it."""
        self._kill(node)

    def down(self):
        """The nodes whose power was cut."""
        return [node for node in self.nodes if node not in self._processes]

    def freeze(self, node):
        """Stop all processes of a node where they are; `thaw` lets them go on."""
        self._signal_all(node, signal.SIGSTOP)

    def thaw(self, node):
        self._signal_all(node, signal.SIGCONT)

    def _signal_all(self, node, number):
        def namespace(process):
            try:
                return (process / "ns/pid_for_children").readlink()
            except OSError:
                return None

        mine = namespace(Path(f"/proc/{self._processes[node].pid}"))
        for process in Path("/proc").glob("[0-9]*"):
            inside = process / "ns/pid"
            try:
                if inside.readlink() == mine:
                    os.kill(int(process.name), number)
            except OSError:
                pass  # it has ended meanwhile

    def jobs(self, *states):
        """The jobs in one of `states` (all, if none are given): {id: (name, state, node)}."""
        lines = self.run("squeue", "-h", "-a", "-t", ",".join(states) or "all", "-o", "%A|%k|%T|%N")
        rows = [line.split("|") for line in lines.splitlines()]
        return {int(number): tuple(rest) for number, *rest in rows}

    def run(self, *command):
        """What a command prints; raises CalledProcessError if it fails."""
        result = subprocess.run(
            list(map(str, command)),
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{command[0]}: {result.stdout}")
        return result.stdout

    def _spawn(self, name, *command):
        with (self.folder / f"{name}.out").open("a") as output:
            self._processes[name] = subprocess.Popen(
                list(map(str, command)),
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _wait_for(self, *command):
        def works():
            try:
                self.run(*command)
            except RuntimeError:
                return False
            return True

        _until(works, command[0])

    def _kill(self, name):
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def _kill_all(self):
        for name in reversed(list(self._processes)):
            self._kill(name)


def _until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up in {seconds} s")
        time.sleep(0.1)


def _free_ports(n):
    """`n` ports of 127.0.0.1 that nobody listens on at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def main(command):
    if MISSING:
        sys.exit(f"{', '.join(MISSING)} missing; install: apt install {' '.join(PACKAGES)}")
    with TemporaryDirectory(prefix="slurm-") as folder, Slurm(Path(folder) / "cluster") as cluster:
        return subprocess.run(command, env=os.environ | cluster.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
