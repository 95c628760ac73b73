"""A Slurm cluster of one node on loopback, for tests; Debian, as root.

    python tests/slurm/cluster.py [--accounting] [--gres] [--install] COMMAND ...

runs a command beside the cluster and takes it down after that. All daemons, their keys, state and
logs live in one temporary folder, to which /etc/slurm/slurm.conf is a link meanwhile (Snakemake's
plugin hides SLURM_CONF from its jobs); a machine with a Slurm of its own is refused. What
`--install` installs stays installed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SYSTEM = Path("/etc/slurm/slurm.conf")
PACKAGES = ["munge", "slurmctld", "slurmd", "slurm-client"]
OF_ACCOUNTING = ["slurmdbd", "mariadb-server"]

# No control groups (a container has none to give): slurmd itself looks once a second how much
# memory a job has, and ends what has too much. Time limits are looked at every half minute.
SLURM_CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
{accounting}
{gres}
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 {node_gres} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
SLURMDBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={dbd_port}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm
"""
ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/munge.socket
"""


def why_not(accounting: bool = False) -> str | None:
    """Return why no cluster can be started here, or None."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root"
    if os.path.lexists(SYSTEM):
        return f"this machine has a Slurm of its own, or another test's: {SYSTEM}"
    if shutil.which("apt-get") is None:
        return "Slurm is installed from Debian's packages, and there is no apt-get"
    try:
        install(accounting)
    except subprocess.CalledProcessError as error:
        return f"Slurm cannot be installed: {(error.stderr or '').strip()[-300:]}"
    return None


def install(accounting: bool = False) -> None:
    """Install Debian's packages as far as they are missing, without starting anything."""
    wanted = PACKAGES + (OF_ACCOUNTING if accounting else [])
    names = {"slurm-client": "sbatch", "munge": "munged", "mariadb-server": "mariadbd"}
    missing = [name for name in wanted if shutil.which(names.get(name, name)) is None]
    if not missing:
        return
    # RUNLEVEL=1: packages that are installed start no services
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    tell = {"env": environment, "capture_output": True, "text": True}
    if subprocess.run(command, check=False, **tell).returncode != 0:
        subprocess.run(["apt-get", "update"], check=False, **tell)
        subprocess.run(command, check=True, **tell)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(what: str, ready: Callable[[], bool], folder: Path, seconds: float = 60) -> None:
    """Wait until something is ready.

    Raises
    ------
    RuntimeError
        With the ends of all logs, if that takes too long.
    """
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            logs = "\n".join(f"{p}:\n{p.read_text()[-1500:]}" for p in folder.glob("*.log"))
            raise RuntimeError(f"{what} is not there after {seconds:g} s\n{logs}")
        time.sleep(0.5)


def says(*command: str, env: dict[str, str]) -> str:
    """Return what a command prints; nothing if it fails."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def listens(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemons:
    """The processes of a cluster, by their programs' names.

    Parameters
    ----------
    folder
        Where their logs go.
    env
        The environment that they, and Slurm's commands, run in.
    """

    def __init__(self, folder: Path, env: dict[str, str]):
        self.folder, self.env = folder, env
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, *command: str) -> None:
        """Start a program in the foreground, its output in a log."""
        name = Path(command[0]).name
        with (self.folder / f"{name}.out.log").open("a") as log:
            self.running[name] = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)

    def wait_for_node(self) -> None:
        """Wait until the controller answers that its node works."""

        def works() -> bool:
            state = says("sinfo", "-h", "-o", "%T", env=self.env).strip()
            return state in ("idle", "mixed", "allocated")

        wait("the node", works, self.folder)

    def kill_and_restart(self, name: str, seconds: float) -> None:
        """Kill a program (SIGKILL), and start it again after some seconds."""
        process = self.running[name]
        process.kill()
        process.wait()
        time.sleep(seconds)
        self.start(*process.args)
        self.wait_for_node()

    def stop(self) -> None:
        """Cancel all jobs and end all programs, the last one started first."""
        if len(self.running) > 1:
            says("scancel", "--user=root", env=self.env)
            end = time.monotonic() + 20
            while says("squeue", "-h", env=self.env).strip() and time.monotonic() < end:
                time.sleep(0.5)
        for daemon in reversed(self.running.values()):
            daemon.terminate()
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


@contextlib.contextmanager
def cluster(accounting: bool = False, gres: bool = False) -> Iterator[Daemons]:
    """Start a cluster of one node, and stop it when the block is left.

    Parameters
    ----------
    accounting
        Whether there is a database of jobs (`sacct`).
    gres
        Whether the node has a GPU to ask for. It is declared only: no device stands behind it.

    Yields
    ------
    Daemons
        With `env`, the environment in which Slurm's commands find the cluster.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    host = socket.gethostname().split(".")[0]
    env = os.environ | {"SLURM_CONF": f"{folder}/slurm.conf"}
    names = ("ctld_port", "d_port", "dbd_port", "sql_port")
    facts = {name: free_port() for name in names}
    facts |= {"folder": folder, "host": host, "password": secrets.token_hex(8)}
    daemons, linked = Daemons(folder, env), False
    start = daemons.start
    try:
        start_munge(folder, start)
        conf = SLURM_CONF.format(
            accounting=ACCOUNTING.format(**facts)
            if accounting
            else "AccountingStorageType=accounting_storage/none",
            gres="GresTypes=gpu" if gres else "",
            node_gres="Gres=gpu:1" if gres else "",
            **facts,
        )
        (folder / "slurm.conf").write_text(conf)
        SYSTEM.parent.mkdir(exist_ok=True)
        SYSTEM.symlink_to(folder / "slurm.conf")  # fails where there is one
        linked = True
        if gres:
            (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n")
        if accounting:
            start_accounting(folder, facts, start)
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        start("/usr/sbin/slurmctld", "-D", "-i")
        start("/usr/sbin/slurmd", "-D", "-N", host)
        daemons.wait_for_node()
        if accounting:
            subprocess.run(
                "sacctmgr -i add account test && sacctmgr -i add user root account=test",
                shell=True, env=env, check=True, capture_output=True,
            )  # fmt: skip
        yield daemons
    finally:
        daemons.stop()
        if linked:
            SYSTEM.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def start_munge(folder: Path, start: Callable[..., None]) -> None:
    """Start the daemon by which Slurm's commands and daemons know each other."""
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o600)
    files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "munged.log"}
    files["seed-file"] = "seed"
    options = [f"--{option}={folder}/munge.{end}" for option, end in files.items()]
    start("/usr/sbin/munged", "--foreground", "--force", *options)
    wait("munge", (folder / "munge.socket").exists, folder)


def start_accounting(folder: Path, facts: dict, start: Callable[..., None]) -> None:
    """Start the database of jobs, and the daemon before it."""
    data = f"--datadir={folder}/sql"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--user=root", data, "--skip-test-db"],
        check=True, capture_output=True,
    )  # fmt: skip
    setup = folder / "setup.sql"
    setup.write_text(  # one statement per line
        "CREATE DATABASE slurm;\n"
        f"CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '{facts['password']}';\n"
        "GRANT ALL ON slurm.* TO slurm@'127.0.0.1';\n"
    )
    start(
        "/usr/sbin/mariadbd", "--no-defaults", "--user=root", data, "--skip-name-resolve",
        "--bind-address=127.0.0.1", f"--port={facts['sql_port']}", f"--init-file={setup}",
        f"--socket={folder}/sql.socket", f"--pid-file={folder}/sql.pid",
        "--innodb-buffer-pool-size=64M",
    )  # fmt: skip
    wait("the database", lambda: listens(facts["sql_port"]), folder)
    path = folder / "slurmdbd.conf"
    path.write_text(SLURMDBD_CONF.format(**facts))
    path.chmod(0o600)
    start("/usr/sbin/slurmdbd", "-D")
    wait("slurmdbd", lambda: listens(facts["dbd_port"]), folder)
    env = os.environ | {"SLURM_CONF": f"{folder}/slurm.conf"}
    subprocess.run(
        ["sacctmgr", "-i", "add", "cluster", "loopback"], env=env, check=True, capture_output=True
    )


def main() -> int:
    """Run a command beside a cluster and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounting", action="store_true", help="with a database of jobs")
    parser.add_argument("--gres", action="store_true", help="with a GPU declared")
    parser.add_argument("--install", action="store_true", help="install what is missing (apt-get)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.install:
        install(arguments.accounting)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the cluster is taken down
    with cluster(arguments.accounting, arguments.gres) as daemons:
        command = subprocess.Popen(arguments.command, env=daemons.env, start_new_session=True)
        try:
            return command.wait()
        finally:
            if command.poll() is None:  # with all that it has started
                os.killpg(command.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
