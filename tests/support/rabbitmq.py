"""A real RabbitMQ of the tests' own, on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from kombu import Connection

from tests.support.processes import Process
from tests.support.redis_server import HOST, free_port
from tests.support.waiting import wait_until

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's own; its rabbitmq-server on PATH runs as one certain user only."""
_PLUGINS = "[].\n"
_RULES = """
loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 20MB
log.console = true
log.console.level = warning
log.file = false
"""


def executable() -> str | None:
    """Return the program to start, None where RabbitMQ is not installed."""
    return str(PROGRAM) if PROGRAM.exists() else shutil.which("rabbitmq-server")


class RabbitMQ:
    """A node with its data, its cookie and its name server in `folder`; one scheduler, no plugin.

    It keeps its port and its data over a restart.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.node = f"t{uuid.uuid4().hex[:12]}@localhost"
        self._names, self._distribution = free_port(), free_port()
        self._epmd: Process | None = None
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{HOST}:{self.port}//"

    @property
    def process(self) -> Process:
        """What runs it, to be frozen or killed."""
        assert self._process is not None, "the broker was not started"
        return self._process

    def start(self) -> RabbitMQ:
        """Start it and return when it takes connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(_RULES)
        (self.folder / "plugins").write_text(_PLUGINS)
        program = executable()
        assert program, "RabbitMQ is not installed"
        if self._epmd is None:
            # Erlang would start one that outlives the broker.
            epmd = shutil.which("epmd") or "epmd"
            self._epmd = self._begin([epmd, "-port", str(self._names), "-address", HOST], "epmd")
        self._process = self._begin([program], "rabbitmq")
        wait_until(self._answers, f"RabbitMQ at {self.url}")
        return self

    def restart(self) -> None:
        """Shut it down in order, which closes every connection, and start it again."""
        self.process.stop()
        self.start()

    def end(self) -> None:
        """Have it gone, and its name server."""
        for each in (self._process, self._epmd):
            if each is not None:
                each.end()

    def control(self, *arguments: str) -> str:
        """Return what rabbitmqctl prints; raises CalledProcessError where it refuses."""
        program = Path(executable() or "").with_name("rabbitmqctl")
        command = [str(program), "--quiet", "--node", self.node, *arguments]
        env = {**os.environ, **self._environment()}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def _begin(self, command: list[str], name: str) -> Process:
        log = self.folder / f"{name}.log"
        return Process(command, log=log, env=self._environment(), cwd=self.folder)

    def _environment(self) -> Mapping[str, str]:
        inside = str(self.folder)
        return {
            "HOME": inside,
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": inside,
            "RABBITMQ_LOG_BASE": inside,
            "RABBITMQ_SCHEMA_DIR": f"{inside}/schema",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{inside}/config",
            "RABBITMQ_CONFIG_FILE": f"{inside}/rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{inside}/plugins",
            "RABBITMQ_PID_FILE": f"{inside}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +A 2 +SDio 1",
        }

    def _answers(self) -> bool:
        if not self.process.alive:
            message = f"RabbitMQ ended at once:\n{self.process.output}"
            raise RuntimeError(message)
        connection = Connection(self.url)
        with contextlib.suppress(*connection.connection_errors, OSError), connection:
            connection.connect()
            return True
        return False


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[RabbitMQ]:
    """Give a broker for the length of the block."""
    made = RabbitMQ(folder)
    try:
        yield made.start()
    finally:
        made.end()
