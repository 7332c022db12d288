"""Options that a URL may have behind its question mark: one table for redis-py and for Celery."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

Parse = Callable[[str], Any]


def _seconds(text: str) -> float:
    if not 0 < (seconds := float(text)) < float("inf"):
        raise ValueError
    return seconds


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise ValueError
    return count


def _whole(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _truth(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    return bool(_among(known, text.lower()))


def _among(known: Mapping[str, Any], text: str) -> Any:
    if text not in known:
        raise ValueError
    return known[text]


def _cert_reqs(text: str) -> str:
    """Read it as redis-py and as kombu spell it."""
    short = text.lower().removeprefix("cert_")
    return str(_among({name: name for name in ("required", "optional", "none")}, short))


def _protocol(text: str) -> int:
    return int(_among({"2": 2, "3": 3}, text))


def _tls_version(text: str) -> ssl.TLSVersion:
    return ssl.TLSVersion(int(text))


LOGIN: Mapping[str, Parse] = {"username": str, "password": str}
"""What may stand before the host instead."""
DATABASE: Mapping[str, Parse] = {"db": _whole, "virtual_host": _whole}
"""The number of the database, as redis-py and as kombu call it."""
SHARED: Mapping[str, Parse] = {
    "socket_timeout": _seconds,
    "socket_connect_timeout": _seconds,
    "health_check_interval": _whole,
    "max_connections": _count,
    "retry_on_timeout": _truth,
    "client_name": str,
}
"""What the store's connections and the broker's have."""
TCP: Mapping[str, Parse] = {"socket_keepalive": _truth}
"""What both have, but not by a socket file."""
STORE: Mapping[str, Parse] = {"protocol": _protocol, "timeout": _seconds}
"""What the store's connections alone have; ``timeout``: how long to wait for a free one."""
TLS: Mapping[str, Parse] = {
    "ssl_cert_reqs": _cert_reqs,
    "ssl_check_hostname": _truth,
    "ssl_min_version": _tls_version,
    **dict.fromkeys(("ssl_ca_certs", "ssl_ca_path", "ssl_ca_data"), str),
    **dict.fromkeys(("ssl_certfile", "ssl_keyfile", "ssl_password", "ssl_ciphers"), str),
}
"""What both have where the scheme is one with TLS."""
CLUSTER = frozenset(
    (
        *LOGIN,
        *DATABASE,
        *(
            "socket_timeout",
            "socket_connect_timeout",
            "socket_keepalive",
            "client_name",
            "protocol",
        ),
        *("ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_ca_data"),
        *("ssl_certfile", "ssl_keyfile"),
    )
)
"""Those of all tables that redis-py's clients of a Cluster take."""
SENTINEL: Mapping[str, Parse] = {"sentinel_username": str, "sentinel_password": str}
"""The login at the Sentinels, which is not that at the servers."""


def value(known: Mapping[str, Parse], name: str, text: str) -> Any:
    """Return the value of an option that is ``known``; ValueError, which does not show the text."""
    try:
        return known[name](text)
    except ValueError:
        msg = f"the option '{name}' has a value that it cannot have."
        raise ValueError(msg) from None
