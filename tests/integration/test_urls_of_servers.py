"""Whatever a URL says, the store's connections and the broker's do alike, on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
import redis

from distgraph.errors import BrokerUnavailable, StoreUnavailable
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.tls import AUTHORITY, HOST, TlsFront, tls_front
from workers import CeleryBackend

pytestmark = [pytest.mark.redis]
PASSWORD = "p@ss/w:rd#?%41 é"
WORD = quote(PASSWORD, safe="")


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a path that is short enough for a socket."""
    return tmp_path_factory.mktemp("s") / "r"


@pytest.fixture
def guarded(new_redis: Callable[..., RedisServer], file: Path) -> Iterator[redis.Redis]:
    """Give a client of a server with a password, and the socket `file`."""
    server = new_redis(unixsocket=str(file))
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "ann", "on", f">{PASSWORD}", "~*", "&*", "+@all")
        admin.config_set("requirepass", PASSWORD)
        yield admin


def seen(admin: redis.Redis, name: str) -> set[tuple[str, str]]:
    """Return user and database of each connection of that name."""
    return {(c["user"], c["db"]) for c in admin.client_list() if c["name"] == name}


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("redis://:{word}@127.0.0.1:{port}/3?", "default"),
        ("valkey://ann:{word}@127.0.0.1:{port}/3?", "ann"),
        ("redis://127.0.0.1:{port}?db=3&username=ann&password={word}&", "ann"),
        ("unix://ann:{word}@{path}?db=3&", "ann"),
        ("unix://{path}?virtual_host=3&password={word}&", "default"),
        ("redis+socket://:{word}@{path}?virtual_host=3&", "default"),
    ],
)
def test_both_sides_log_in_and_choose_alike(
    guarded: redis.Redis, file: Path, namespace: str, url: str, user: str
) -> None:
    port = guarded.connection_pool.connection_kwargs["port"]
    place = url.format(word=WORD, port=port, path=file)
    more = "client_name={}&socket_timeout=5&socket_connect_timeout=5&health_check_interval=9"
    store = CeleryBackend(place + more.format("store"), broker="memory://", namespace=namespace)
    assert store.threads() == []
    assert seen(guarded, "store") == {(user, "3")}
    broker = CeleryBackend("redis://h", broker=place + more.format("broker"), namespace=namespace)
    broker.office.publisher.reach()
    assert seen(guarded, "broker") == {(user, "3")}


@pytest.fixture
def front(redis_server: RedisServer, tmp_path: Path) -> Iterator[TlsFront]:
    with tls_front(redis_server.port, tmp_path) as made:
        yield made


@pytest.mark.parametrize("options", ["", "?ssl_cert_reqs=required", "?ssl_check_hostname=false"])
@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_a_certificate_that_nobody_vouches_for_is_told_nothing(
    front: TlsFront, namespace: str, scheme: str, options: str
) -> None:
    url = f"{scheme}://:s3cret@{HOST}:{front.port}/0{options}"
    backend = CeleryBackend(url, namespace=namespace, reach=0.1)
    with pytest.raises(StoreUnavailable, match="certificate") as store:
        backend.threads()
    with pytest.raises(BrokerUnavailable, match="certificate") as broker:
        backend.office.publisher.reach()
    assert front.heard == 0
    assert "s3cret" not in f"{store.value} {broker.value}"


def test_a_certificate_of_another_host_is_told_nothing(front: TlsFront, namespace: str) -> None:
    url = f"rediss://127.0.0.1:{front.port}/0?ssl_ca_certs={AUTHORITY}"
    backend = CeleryBackend(url, namespace=namespace, reach=0.1)
    with pytest.raises(StoreUnavailable, match="certificate"):
        backend.threads()
    with pytest.raises(BrokerUnavailable, match="certificate"):
        backend.office.publisher.reach()
    assert front.heard == 0


@pytest.mark.celery
@pytest.mark.parametrize("options", [f"ssl_ca_certs={AUTHORITY}", "ssl_cert_reqs=CERT_NONE"])
def test_a_run_by_way_of_tls(
    front: TlsFront, own_site: Callable[..., Site], thread_id: str, options: str
) -> None:
    secured: Any = SimpleNamespace(url=f"rediss://{HOST}:{front.port}/0?{options}")
    site = own_site(secured)
    site.start(concurrency=1)
    assert site.graphs["fan"].invoke({"width": 3}, on(thread_id))["total"] == 3
    assert front.heard
