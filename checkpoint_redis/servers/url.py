"""A URL of a Redis, read once for all who connect to it.

redis-py and kombu understand different URLs, and some of them differently. Nothing else reads one,
and no message shows a part of one: what stands there may be a part of a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from checkpoint_redis.servers import options

NO_URL = (
    "this is no URL of a Redis. It looks like redis://user:password@host:6379/0, rediss://... with "
    "TLS, unix:///path/to.sock, sentinel://host:26379,host:26379/master/0, or "
    "redis+cluster://host:6379,host:6379; in a password /, #, ?, : and @ are written as %2F, %23, "
    "%3F, %3A and %40."
)
_LONE_USER = (
    "a user stands before the host, and no password. A password alone is written as "
    "redis://:password@host, a user who has none as redis://user:@host."
)


class ServerKind(Enum):
    """What stands behind a URL."""

    single = "single"
    socket = "socket"
    sentinel = "sentinel"
    cluster = "cluster"


_PLAIN = {
    "redis": ServerKind.single,
    "valkey": ServerKind.single,
    "sentinel": ServerKind.sentinel,
    "redis+cluster": ServerKind.cluster,
    "valkey+cluster": ServerKind.cluster,
}
_SECURE = {
    "rediss": ServerKind.single,
    "valkeys": ServerKind.single,
    "sentinels": ServerKind.sentinel,
    "rediss+cluster": ServerKind.cluster,
    "valkeys+cluster": ServerKind.cluster,
}
_SOCKETS = {"unix": ServerKind.socket, "redis+socket": ServerKind.socket}
SCHEMES: Mapping[str, ServerKind] = {**_PLAIN, **_SECURE, **_SOCKETS}
_PORTS = {ServerKind.single: 6379, ServerKind.sentinel: 26379, ServerKind.cluster: 6379}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s\[\]:%]+)?(?::(\d{1,5}))?")
_PATH = re.compile(r"/?(?P<db>\d*)")
_SENTINEL_PATH = re.compile(r"/?(?:(?P<master>[^/]*[^/\d][^/]*)(?:/(?P<db>\d*))?|(?P<lone>\d*))")


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where a Redis is; ``nodes``: (host, port) of the server, the Sentinels, or of a Cluster.

    ``master``: what the Sentinels call it, '' where the URL does not say. ``options``: those of the
    tables in ``options``, read.
    """

    kind: ServerKind
    tls: bool = False
    nodes: tuple[tuple[str, int], ...] = ()
    path: str = ""
    master: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """Where it is, without login and options."""
        hosts = ",".join(_netloc(*node) for node in self.nodes)
        match self.kind:
            case ServerKind.socket:
                return self.path
            case ServerKind.single:
                return f"{hosts}/{self.db}"
            case ServerKind.sentinel:
                return f"{self.master}/{self.db} of the Sentinels {hosts}"
            case ServerKind.cluster:
                return f"the Cluster of {hosts}"

    def given(self, *tables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options that are in one of ``tables``."""
        return {
            name: self.options[name] for table in tables for name in table.keys() & self.options
        }

    def or_else(self, **defaults: Any) -> RedisUrl:
        """Return the same with options for what the URL does not say."""
        return replace(self, options={**defaults, **self.options})


def read(url: str) -> RedisUrl:
    """Return what ``url`` says; ValueError for one that is none, or has options nobody knows."""
    found = _split(url)
    kind, tls = SCHEMES[found.scheme], found.scheme in _SECURE
    query = _options(kind, found.query, tls=tls)
    username, password, hosts = _login(found.netloc)
    path, master, db = _place(kind, found.path)
    given_db = [query.pop(name) for name in options.DATABASE if name in query]
    return RedisUrl(
        kind=kind,
        tls=tls,
        nodes=_nodes(kind, hosts),
        path=path,
        master=master,
        db=_database(kind, (*given_db, db)),
        username=query.pop("username", username),
        password=query.pop("password", password),
        options=query,
    )


def store_of(url: str) -> RedisUrl:
    """Return what ``url`` says; ValueError also for Sentinels without the name of a master."""
    found = read(url)
    if found.kind is ServerKind.sentinel and not found.master:
        msg = (
            "the URL of Sentinels has to name the master that they watch: "
            "sentinel://host:26379,host:26379/mymaster/0."
        )
        raise ValueError(msg)
    return found


def _split(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
    except ValueError:  # which quotes what it takes for a host
        raise ValueError(NO_URL) from None
    behind = f"{found.path}{found.query}{found.fragment}"
    if found.scheme not in SCHEMES or "://" not in url or "@" in behind or "#" in url:
        raise ValueError(NO_URL)
    return found


def _login(netloc: str) -> tuple[str | None, str | None, str]:
    login, found, hosts = netloc.rpartition("@")
    username, separated, password = login.partition(":")
    if found and not separated:
        raise ValueError(_LONE_USER)
    if username and not password:
        return unquote(username), "", hosts
    return unquote(username) or None, unquote(password) or None, hosts


def _nodes(kind: ServerKind, hosts: str) -> tuple[tuple[str, int], ...]:
    if kind is ServerKind.socket:
        return ()
    found = tuple(_node(host, _PORTS[kind]) for host in hosts.split(","))
    if kind is ServerKind.single and len(found) > 1:
        raise ValueError(NO_URL)
    return found


def _node(text: str, port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    number = int(found[2] or port) if found else 0
    if found is None or not 0 < number < 2**16:
        raise ValueError(NO_URL)
    return (found[1] or "localhost").strip("[]"), number


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _place(kind: ServerKind, path: str) -> tuple[str, str, int]:
    """Return the path of a socket, the name of a master, and the number of a database."""
    if kind is ServerKind.socket:
        if not path.startswith("/"):
            raise ValueError(NO_URL)
        return unquote(path), "", 0
    found = (_SENTINEL_PATH if kind is ServerKind.sentinel else _PATH).fullmatch(path)
    if found is None:
        raise ValueError(NO_URL)
    parts = found.groupdict()
    return "", unquote(parts.get("master") or ""), int(parts["db"] or parts.get("lone") or 0)


def _database(kind: ServerKind, found: tuple[int, ...]) -> int:
    """Return the number that stands first."""
    db = found[0]
    if db and kind is ServerKind.cluster:
        msg = "a Cluster has no databases but 0: leave the number out of its URL."
        raise ValueError(msg)
    return db


def _options(kind: ServerKind, query: str, *, tls: bool) -> dict[str, Any]:
    known = _known(kind, tls=tls)
    pairs = parse_qsl(query, keep_blank_values=True)
    is_secret = any("password" in name for name, _ in pairs if name in known)
    for name, _ in pairs:
        if name not in known:
            # Behind a password that is not encoded, it may be a part of that.
            shown = "" if is_secret else f" '{name}'"
            msg = f"the URL has an option{shown} that is not known there. {_told(kind, known)}"
            raise ValueError(msg)
    return {name: options.value(known, name, text) for name, text in pairs}


def _known(kind: ServerKind, *, tls: bool) -> dict[str, options.Parse]:
    known = {
        **options.LOGIN,
        **options.DATABASE,
        **options.SHARED,
        **options.STORE,
        **({} if kind is ServerKind.socket else options.TCP),
        **(options.TLS if tls else {}),
        **(options.SENTINEL if kind is ServerKind.sentinel else {}),
    }
    if kind is not ServerKind.cluster:
        return known
    return {name: known[name] for name in options.CLUSTER & known.keys()}


def _told(kind: ServerKind, known: Mapping[str, Any]) -> str:
    lacks_tls = kind is not ServerKind.socket and "ssl_cert_reqs" not in known
    more = "; ssl_... with rediss://" if lacks_tls else ""
    return f"Known are {', '.join(sorted(known))}{more}. Those of kombu's go into broker_options."
