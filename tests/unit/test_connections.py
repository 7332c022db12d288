"""Connections that scripts share: handed out ready, taken back, and no more than there may be."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from redis import exceptions

from checkpoint_redis.servers import opening
from checkpoint_redis.servers.connections import DirectClient
from checkpoint_redis.servers.url import read
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.redis
ONE = ("EVAL", "return ARGV[1]", 0, "one")


def client(server: RedisServer, query: str = "", **options: Any) -> Any:
    return opening.blocking(read(server.url + query), **options)


def test_a_script_is_carried_out_and_its_error_raised(redis_server: RedisServer) -> None:
    direct = client(redis_server, max_connections=1)
    assert direct.execute_command(*ONE) == b"one"
    with pytest.raises(exceptions.ResponseError, match="no such luck"):
        direct.execute_command("EVAL", "return {err = 'no such luck'}", 0)
    assert direct.execute_command(*ONE) == b"one"
    assert direct.ping()


def test_what_the_url_says_of_the_pool_counts(redis_server: RedisServer) -> None:
    direct = client(redis_server, "?timeout=0.01&max_connections=1")
    held = direct.connection_pool.get_connection()
    with pytest.raises(exceptions.ConnectionError, match="No connection available"):
        direct.execute_command(*ONE)
    direct.connection_pool.release(held)
    assert direct.execute_command(*ONE) == b"one"


def test_who_comes_when_all_are_in_use_waits(redis_server: RedisServer) -> None:
    direct, found = client(redis_server, max_connections=1), list[Any]()
    held = direct.connection_pool.get_connection()
    other = threading.Thread(target=lambda: found.append(direct.execute_command(*ONE)))
    other.start()
    direct.connection_pool.release(held)
    other.join(PATIENCE)
    assert found == [b"one"]


def test_a_connection_that_ended_or_has_something_left_is_made_anew(
    redis_server: RedisServer,
) -> None:
    direct = client(redis_server, max_connections=1)
    pool: Any = direct.connection_pool
    held = pool.get_connection()
    held.send_command("PING")
    wait_until(held.can_read, "the reply that nobody reads")
    pool.release(held)
    assert direct.execute_command(*ONE) == b"one"
    number = direct.client_id()
    with DirectClient.from_url(redis_server.url) as other:
        other.client_kill_filter(_id=number)
    assert direct.execute_command(*ONE) == b"one"
    assert direct.client_id() != number


def test_a_connection_of_another_process_is_not_taken_back(redis_server: RedisServer) -> None:
    direct = client(redis_server, max_connections=1)
    held: Any = direct.connection_pool.get_connection()
    held.pid += 1
    direct.connection_pool.release(held)
    assert held._sock is None
    assert direct.execute_command(*ONE) == b"one"
