"""One URL means the same to redis-py and to Celery, and what is wrong with it shows no secret."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import redis

from checkpoint_redis.servers import opening
from checkpoint_redis.servers.cluster import ClusterClient
from checkpoint_redis.servers.url import ServerKind, read, store_of
from workers.addresses import is_store, told


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://", {"nodes": (("localhost", 6379),), "db": 0, "password": None}),
        ("redis://h:7/3", {"nodes": (("h", 7),), "db": 3, "tls": False}),
        ("redis://h?db=4", {"db": 4}),
        ("redis://h/1?db=0", {"db": 0}),
        ("valkey://h", {"kind": ServerKind.single, "tls": False}),
        ("valkeys://h", {"kind": ServerKind.single, "tls": True}),
        ("rediss://u:p%40%2F@h", {"username": "u", "password": "p@/", "tls": True}),
        ("redis://:a@b:c@h", {"username": None, "password": "a@b:c"}),
        ("redis://u:@h", {"username": "u", "password": ""}),
        ("redis://[::1]:7/0", {"nodes": (("::1", 7),)}),
        ("unix:///tmp/r.sock?db=2", {"kind": ServerKind.socket, "path": "/tmp/r.sock", "db": 2}),
        ("unix://:p%23@/tmp/a%20b", {"path": "/tmp/a b", "password": "p#"}),
        ("unix:///tmp/r.sock?password=x&username=u", {"password": "x", "username": "u"}),
        ("redis+socket:///tmp/r.sock?virtual_host=2", {"kind": ServerKind.socket, "db": 2}),
        ("sentinel://a,b:7/main/2", {"nodes": (("a", 26379), ("b", 7)), "master": "main", "db": 2}),
        ("sentinel://a/my%20own", {"master": "my own", "db": 0}),
        ("sentinel://a/2", {"master": "", "db": 2}),
        ("sentinels://a/m", {"kind": ServerKind.sentinel, "tls": True}),
        ("redis+cluster://a:1,b:2", {"kind": ServerKind.cluster, "nodes": (("a", 1), ("b", 2))}),
        ("rediss+cluster://a/0", {"kind": ServerKind.cluster, "tls": True}),
    ],
)
def test_every_spelling_is_read(url: str, says: dict[str, Any]) -> None:
    found = read(url)
    assert {name: getattr(found, name) for name in says} == says


@pytest.mark.parametrize(
    ("query", "means"),
    [
        ("socket_timeout=5", 5.0),
        ("socket_connect_timeout=0.5", 0.5),
        ("socket_keepalive=false", False),
        ("health_check_interval=10", 10),
        ("max_connections=50", 50),
        ("retry_on_timeout=True", True),
        ("client_name=me", "me"),
        ("protocol=3", 3),
        ("timeout=1", 1.0),
        ("ssl_cert_reqs=CERT_NONE", "none"),
        ("ssl_cert_reqs=optional", "optional"),
        ("ssl_check_hostname=no", False),
        ("ssl_min_version=771", ssl.TLSVersion.TLSv1_2),
        ("ssl_ca_certs=%2Fetc%2Fca.pem", "/etc/ca.pem"),
    ],
)
def test_options_are_read(query: str, means: Any) -> None:
    name = query.partition("=")[0]
    assert read(f"rediss://h?{query}").options == {name: means}


NOT_URLS = (
    *("", "h", "h:6379", "http://h", "redis:h", "//h"),
    *("redis://h:0", "redis://h:65536", "redis://h:", "redis://h/1/2", "redis://h/one"),
    *(
        "redis://a:1,b:2,",
        "redis://a b",
        "redis://[::1",
        "redis://h:1:2",
        "unix://r.sock",
        "unix://",
    ),
    *("sentinel://a/m/one", "sentinel://a/m/1/2"),
)
SECRETS = (
    *("redis://:s3/cret@h", "redis://:12/s3cret@h/0", "redis://:s3#cret@h", "redis://:s3?cret@h"),
    *("redis://u:1?cret=s3@h", "redis://:s3[cret@h", "redis://:s3cret:6379", "rediss://s3cret@h"),
    *("redis://u:12#s3cret@h", "unix://:s3?cret@/tmp/r.sock", "sentinel://:s3/cret@h/m"),
    *("redis://h?password=s3&cret=1", "redis://h?password=s3&cret", "redis+cluster://:s3/cret@h"),
)
WRONG = (
    *(
        "redis://h?sockettimeout=5",
        "redis://h?visibility_timeout=9",
        "redis://h?ssl_cert_reqs=none",
    ),
    *(
        "redis://h?socket_timeout=soon",
        "redis://h?socket_timeout=0",
        "redis://h?socket_timeout=nan",
    ),
    *("redis://h?protocol=4", "redis://h?db=", "redis://h?db=-1", "rediss://h?ssl_cert_reqs=maybe"),
    *("unix:///tmp/r.sock?socket_keepalive=1", "redis://h?sentinel_password=x"),
    *("redis://h?max_connections=0", "rediss://h?ssl_min_version=1"),
    *("redis+cluster://h?max_connections=5", "rediss+cluster://h?ssl_ciphers=x"),
)


@pytest.mark.parametrize("url", [*NOT_URLS, *SECRETS, *WRONG, "redis+cluster://h/1"])
def test_what_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|option|password") as refused:
        read(url)
    said = str(refused.value)
    assert "s3" not in said
    assert "cret" not in said
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("url", WRONG)
def test_the_option_is_named(url: str) -> None:
    with pytest.raises(ValueError, match=url.partition("?")[2].partition("=")[0]):
        read(url)


def test_sentinels_without_a_master_are_no_store() -> None:
    assert store_of("sentinel://a/m").master == "m"
    with pytest.raises(ValueError, match="name the master"):
        store_of("sentinel://a")


def test_a_password_is_not_shown_by_what_is_read() -> None:
    url = "redis://:s3cret@h?ssl_password=s3cret".replace("redis", "rediss")
    assert "s3cret" not in f"{read(url)} {told(url)} {read(url).address}"


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("redis://", "redis://localhost:6379/0"),
        ("valkey://u:p%2F@h/2?socket_timeout=5", "redis://u:p%2F@h:6379/2"),
        ("rediss://:p@h?db=2", "rediss://:p@h:6379/2"),
        ("redis://[::1]", "redis://[::1]:6379/0"),
        ("unix:///tmp/r.sock?db=2", "redis+socket:///tmp/r.sock?virtual_host=2"),
        ("unix://:p@/tmp/r.sock", "redis+socket://:p@/tmp/r.sock?virtual_host=0"),
        ("sentinel://:p@a,b/m/2", "sentinel://:p@a:26379/2;sentinel://:p@b:26379/2"),
        ("redis://a;redis://b:7", "redis://a:6379/0;redis://b:7/0"),
        ("amqp://u:p@h:5672//", "amqp://u:p@h:5672//"),
        ("memory://", "memory://"),
        ("mongodb://a:1,b:2/db", "mongodb://a:1,b:2/db"),
    ],
)
def test_the_broker_is_told_the_same(url: str, spelled: str) -> None:
    assert told(url).url == spelled


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("redis://h?socket_timeout=5&protocol=3&timeout=1", {"socket_timeout": 5.0}),
        ("redis://h?socket_timeout=0.1", {"socket_timeout": 2.0}),
        ("redis://h?max_connections=1", {"max_connections": 10}),
        ("redis://h?client_name=me&health_check_interval=7", {"health_check_interval": 7}),
        ("sentinel://a/m", {"master_name": "m"}),
    ],
)
def test_its_options_go_where_kombu_looks(url: str, transport: dict[str, Any]) -> None:
    assert transport.items() <= told(url).transport.items()


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("redis://h", {}),
        ("rediss://h", {"ssl_cert_reqs": "required"}),
        ("valkeys://h?ssl_cert_reqs=CERT_NONE", {"ssl_cert_reqs": "none"}),
        ("sentinels://h/m?ssl_ca_certs=a", {"ssl_cert_reqs": "required", "ssl_ca_certs": "a"}),
        ("amqp://h", {}),
        ("amqps://h", {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}),
    ],
)
def test_tls_is_verified_unless_the_url_says_otherwise(url: str, tls: dict[str, Any]) -> None:
    assert told(url).tls == tls


def test_options_of_the_broker_come_before_those_of_its_url() -> None:
    given = {"socket_timeout": 9, "visibility_timeout": 60, "ssl_cert_reqs": "CERT_NONE"}
    found = told("rediss://h?socket_timeout=5", given)
    assert found.transport == {"socket_timeout": 9, "visibility_timeout": 60}
    assert found.tls == {"ssl_cert_reqs": "none"}


def test_the_master_may_be_given_apart() -> None:
    found = told("sentinel://a:1;sentinel://b:2/3", {"master_name": "main"})
    assert found.transport["master_name"] == "main"


def test_sentinels_have_a_login_of_their_own() -> None:
    url = "sentinels://:p@a/m?sentinel_password=x&ssl_ca_certs=ca"
    asking = told(url, {"sentinel_kwargs": {"socket_timeout": 9}}).transport["sentinel_kwargs"]
    wanted = {"password": "x", "ssl": True, "ssl_ca_certs": "ca", "socket_timeout": 9}
    assert wanted.items() <= asking.items()
    assert asking["retry"].get_retries() == 0


def test_tls_of_other_brokers_is_told_in_the_same_words() -> None:
    given = {"ssl_ca_certs": "ca", "ssl_cert_reqs": "none"}
    assert told("amqps://h", given).tls == {"ca_certs": "ca", "cert_reqs": ssl.CERT_NONE}
    found = told("amqp://h", {"ssl_check_hostname": False, "confirm_publish": True})
    assert found.tls == {"cert_reqs": ssl.CERT_REQUIRED}
    assert found.transport == {"confirm_publish": True}


@pytest.mark.parametrize(
    ("urls", "given", "says"),
    [
        ("redis+cluster://a", {}, "Cluster cannot be Celery's broker"),
        ("redis://a;rediss://b", {}, "one scheme"),
        ("redis://a;redis://b?socket_timeout=1", {}, "same options"),
        ("redis://a;b", {}, "no URL of a Redis"),
        ("sentinel://a", {}, "master_name"),
        ("redis://a", {"visibilty_timeout": 1}, "visibilty_timeout"),
        ("redis://a", {"ssl_ca_certs": "x"}, "ssl_ca_certs"),
        ("rediss://a", {"ssl_cert_reqs": "maybe"}, "ssl_cert_reqs"),
        ("amqp://a", {"ssl_ca_path": "x"}, "ssl_ca_path"),
        ("rabbit://a", {}, "amqp"),
        ("amqp://u:se/cret@h", {}, "%2F"),
        ("amqp://u:1/cret@h", {}, "%2F"),
        ("amqp://a;h", {}, "amqp"),
    ],
)
def test_what_a_broker_cannot_be_told_is_refused(
    urls: str, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        told(urls, given)
    assert "cret" not in str(refused.value)


def pool_of(url: str) -> Any:
    client: Any = opening.blocking(read(url))
    return client.connection_pool


def test_tls_reaches_every_kind_of_connection() -> None:
    query = "ssl_ca_certs=ca&ssl_cert_reqs=CERT_OPTIONAL"
    wanted = {"ssl_ca_certs": "ca", "ssl_cert_reqs": "optional"}
    watched = pool_of(f"sentinels://a/m?{query}")
    (sentinel,) = watched.sentinel_manager.sentinels
    for pool in (pool_of(f"rediss://h?{query}"), watched, sentinel.connection_pool):
        assert issubclass(pool.connection_class, redis.SSLConnection)
        assert wanted.items() <= pool.connection_kwargs.items()
    spread = opening.blocking(read(f"rediss+cluster://a?{query}"))
    assert isinstance(spread, ClusterClient)
    assert {"ssl": True, **wanted}.items() <= spread._how.items()


@pytest.mark.parametrize(
    ("broker", "store", "same"),
    [
        ("redis://h", "redis://localhost/0", False),
        ("redis://h", "valkey://h:6379/0?protocol=3", True),
        ("redis://h/1", "redis://h", False),
        ("unix:///tmp/r", "redis+socket:///tmp/r?virtual_host=0", True),
        ("sentinel://a/m", "sentinel://a/m", True),
        ("sentinel://a/m", "sentinel://a/n", False),
        ("redis://h", "redis+cluster://h", False),
    ],
)
def test_a_broker_that_is_the_store_is_known(broker: str, store: str, *, same: bool) -> None:
    assert is_store(told(broker), read(store)) is same
