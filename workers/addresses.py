"""What Celery is told of a broker: its URLs as kombu spells them, and what is no part of a URL.

kombu reads but a few options behind a URL's question mark, knows fewer schemes than redis-py, and
without options of its own it verifies no certificate. So a URL of a Redis is read as the store's
is, and everything that it says is handed over in settings.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import SentinelChannel
from redis.backoff import NoBackoff
from redis.retry import Retry

from checkpoint_redis.servers import options
from checkpoint_redis.servers.url import SCHEMES, RedisUrl, ServerKind, read

_BLOCKS, _POOL = 2.0, 10
"""What kombu needs: a read for messages waits a second, and no free connection is an error."""
# One that is away is not tried again: there are others, which redis-py asks after it.
_ASKING = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0, "retry": Retry(NoBackoff(), 0)}
_VERIFY = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
_OF_AMQP = {
    "ssl_ca_certs": "ca_certs",
    "ssl_certfile": "certfile",
    "ssl_keyfile": "keyfile",
    "ssl_ciphers": "ciphers",
    "ssl_cert_reqs": "",
    "ssl_check_hostname": "",
}
"""What py-amqp calls options of TLS; '' where it has another way."""
NO_BROKER = (
    "this is no URL of a broker. It looks like amqp://user:password@host:5672/vhost; in a "
    "password /, #, ?, : and @ are written as %2F, %23, %3F, %3A and %40."
)
_NO_CLUSTER = (
    "a Redis Cluster cannot be Celery's broker: give another one as broker, such as "
    "redis://host:6379/0 or amqp://host. The threads may stay in the Cluster."
)


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What Celery's settings are: ``broker_url``, ``broker_transport_options``, ``broker_use_ssl``.

    ``redis``: whether it is one, so that its transport takes what we prefer.
    """

    url: str = field(repr=False)
    redis: bool = False
    transport: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tls: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sockets: bool = False


def told(urls: str, given: Mapping[str, Any] | None = None) -> BrokerSettings:
    """Return what ``urls``, one or several with ';' between them, and the ``given`` options say.

    ``given``: kombu's transport options; those that begin with ssl_ are about TLS. ValueError for
    what kombu would not understand.
    """
    parts, given = [part for part in urls.split(";") if part], given or {}
    tls = {name: value for name, value in given.items() if name.startswith("ssl_")}
    transport = {name: value for name, value in given.items() if name not in tls}
    if not any(_scheme(part) in SCHEMES for part in parts):
        for part in parts:
            _check_other(part)
        secure = any(_scheme(part) == "amqps" for part in parts)
        return BrokerSettings(
            ";".join(parts), transport=transport, tls=_as_amqp(tls, secure=secure)
        )
    found = _together([read(part) for part in parts])
    return _of_redis(found, transport, tls)


def is_store(broker: BrokerSettings, store: RedisUrl) -> bool:
    """Whether Celery's messages go where the threads live."""
    if store.kind is ServerKind.cluster or broker.transport.get("master_name", "") != store.master:
        return False
    return broker.url == ";".join(_spelled(store))


def _scheme(url: str) -> str:
    return url.partition("://")[0]


def _check_other(url: str) -> None:
    """Raise ValueError for a URL of another broker that kombu would not know, or misread."""
    scheme, found, _ = url.partition("://")
    if not found or scheme.partition("+")[0] not in TRANSPORT_ALIASES:
        known = ", ".join(sorted({*SCHEMES, *(n for n in TRANSPORT_ALIASES if n.islower())}))
        msg = f"this is no URL of a broker that kombu knows. It begins with one of {known}."
        raise ValueError(msg)
    if not is_plain(url):
        raise ValueError(NO_BROKER)


_AMQP = frozenset(name for name, path in TRANSPORT_ALIASES.items() if "amqp" in path)


def is_plain(url: str) -> bool:
    """Whether login, host and port are what stands before the first slash of a URL.

    Where they are not, kombu takes a part of the password for a port, and says so.
    """
    scheme, _, behind = url.partition("://")
    if scheme not in _AMQP and scheme not in SCHEMES:
        return True
    try:
        found = urlsplit(f"//{behind}")
        port = found.port or 1
    except ValueError:
        return False
    return port > 0 and "@" not in f"{found.path}{found.query}{found.fragment}"


def _together(found: list[RedisUrl]) -> list[RedisUrl]:
    """Return the servers that kombu turns to in turn, or that it asks as Sentinels."""
    if any(each.kind is ServerKind.cluster for each in found):
        raise ValueError(_NO_CLUSTER)
    first = found[0]
    for each in found[1:]:
        if (each.kind, each.tls, each.options) != (first.kind, first.tls, first.options):
            msg = "the URLs of several brokers must have one scheme and the same options."
            raise ValueError(msg)
    return found


def _of_redis(
    found: list[RedisUrl], transport: Mapping[str, Any], tls: Mapping[str, Any]
) -> BrokerSettings:
    first = found[0]
    known = {*SentinelChannel.from_transport_options, *(options.TLS if first.tls else ())}
    if unknown := sorted({*transport, *tls} - known):
        msg = (
            f"broker_options have {', '.join(unknown)}, which kombu's transport for this URL does "
            f"not take. Known are {', '.join(sorted(known))}."
        )
        raise ValueError(msg)
    secured = _secured(first, tls)
    return BrokerSettings(
        url=";".join(url for each in found for url in _spelled(each)),
        redis=True,
        transport={**_transport(first), **transport, **_sentinels(first, secured, transport)},
        tls=secured,
        sockets=first.kind is ServerKind.socket,
    )


def _spelled(url: RedisUrl) -> Iterable[str]:
    login = _login(url)
    if url.kind is ServerKind.socket:
        yield f"redis+socket://{login}{quote(url.path)}?virtual_host={url.db}"
        return
    scheme = "sentinel" if url.kind is ServerKind.sentinel else "rediss" if url.tls else "redis"
    for host, port in url.nodes:
        where = f"[{host}]" if ":" in host else host
        yield f"{scheme}://{login}{where}:{port}/{url.db}"


def _login(url: RedisUrl) -> str:
    if url.username is None and url.password is None:
        return ""
    return f"{quote(url.username or '', safe='')}:{quote(url.password or '', safe='')}@"


def _transport(url: RedisUrl) -> dict[str, Any]:
    """Return the transport options that a URL says."""
    found = url.given(options.SHARED, options.TCP)
    if "socket_timeout" in found:
        found["socket_timeout"] = max(found["socket_timeout"], _BLOCKS)
    if "max_connections" in found:
        found["max_connections"] = max(found["max_connections"], _POOL)
    return found


def _secured(url: RedisUrl, tls: Mapping[str, Any]) -> dict[str, Any]:
    """Return what kombu makes TLS with: verified, unless something else is said."""
    if not url.tls:
        return {}
    return {"ssl_cert_reqs": "required", **url.given(options.TLS), **_values(tls)}


def _sentinels(url: RedisUrl, tls: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the Sentinels are asked, and for which master."""
    if url.kind is not ServerKind.sentinel:
        return {}
    master = given.get("master_name") or url.master
    if not master:
        msg = (
            "Sentinels as the broker need the name of the master that they watch: "
            "sentinel://host:26379,host:26379/mymaster/0, or master_name in broker_options."
        )
        raise ValueError(msg)
    login = url.given(options.SENTINEL).items()
    asking = {
        **_ASKING,
        **({"ssl": True, **tls} if tls else {}),
        **{name.removeprefix("sentinel_"): value for name, value in login},
        **given.get("sentinel_kwargs", {}),
    }
    return {"master_name": master, "sentinel_kwargs": asking}


def _as_amqp(tls: Mapping[str, Any], *, secure: bool) -> dict[str, Any]:
    """Return the options of TLS as py-amqp calls them, which else looks at no host's name."""
    if not (secure or tls):
        return {}
    if unknown := sorted(tls.keys() - _OF_AMQP.keys()):
        msg = f"broker_options have {', '.join(unknown)}; known are {', '.join(sorted(_OF_AMQP))}."
        raise ValueError(msg)
    read_all = _values(tls)
    verify = _VERIFY[read_all.get("ssl_cert_reqs", "required")]
    compares = read_all.get("ssl_check_hostname", True) and verify is not ssl.CERT_NONE
    names = {_OF_AMQP[name]: value for name, value in read_all.items() if _OF_AMQP[name]}
    # kombu puts the host's name where None stands.
    return {**names, "cert_reqs": verify, **({"server_hostname": None} if compares else {})}


def _values(tls: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of TLS, read where they are text."""
    return {
        name: options.value(options.TLS, name, value) if isinstance(value, str) else value
        for name, value in tls.items()
    }
