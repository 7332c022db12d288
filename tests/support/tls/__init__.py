"""TLS in front of a server that has none: a program that hands on what it deciphers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import Process
from tests.support.redis_server import free_port
from tests.support.waiting import wait_until

HOST = "localhost"
AUTHORITY = Path(__file__).with_name("authority.pem")
"""Who signed the certificate, which is for HOST alone and good until 2126."""
CERTIFICATE = Path(__file__).with_name("server.pem")


class TlsFront(Process):
    """Listens on `port`; what is said to it goes to the port `behind`."""

    def __init__(self, behind: int, folder: Path) -> None:
        self.port = free_port()
        program = [sys.executable, "-m", "tests.support.tls.front", str(self.port), str(behind)]
        super().__init__([*program, str(CERTIFICATE)], log=folder / "tls.log")

    @property
    def heard(self) -> int:
        """How many connections were secured and said something."""
        return self.output.count("heard")


@contextmanager
def tls_front(behind: int, folder: Path) -> Iterator[TlsFront]:
    """Give a front that listens, for the length of the block."""
    front = TlsFront(behind, folder)
    try:
        wait_until(lambda: "listening" in front.output, "the front to listen")
        yield front
    finally:
        front.kill()
