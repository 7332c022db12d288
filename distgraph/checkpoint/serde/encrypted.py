"""A serializer around another one, whose bytes nobody reads who has not the key."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Protocol, Self

from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import DeserializationError

_KEYS = "DISTGRAPH_AES_KEY", "LANGGRAPH_AES_KEY"
_LENGTHS = 16, 24, 32
_NONCE, _TAG = 16, 16
"""In bytes, before what is encrypted."""


class CipherProtocol(Protocol):
    """Encrypts bytes, and tells with them what it is called; decrypts by that name."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Return the cipher's name and the encrypted bytes."""
        ...

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Return the bytes that ``encrypt`` was given; ValueError when they are not those."""
        ...


class EncryptedSerializer:
    """Encrypts by ``cipher`` what ``serde`` writes: values, metadata, and what tasks wrote.

    Not encrypted are the names of threads, namespaces, tasks, nodes and channels. What was stored
    without it can still be read. DeserializationError for what another key encrypted, or none.
    """

    def __init__(self, cipher: CipherProtocol, serde: SerializerProtocol | None = None) -> None:
        self.cipher = cipher
        self.serde: Any = JsonPlusSerializer() if serde is None else serde

    @classmethod
    def from_pycryptodome_aes(
        cls, serde: SerializerProtocol | None = None, *, key: bytes | None = None
    ) -> Self:
        """Encrypt by AES (EAX), with a ``key`` of 16, 24 or 32 bytes.

        Without a key, the text of DISTGRAPH_AES_KEY or LANGGRAPH_AES_KEY in the environment is it;
        ValueError when there is none, or it is of another length. ImportError without pycryptodome.
        """
        return cls(_Aes(_key() if key is None else key), serde)

    def allow(self, *types: type) -> EncryptedSerializer:
        """A serializer that knows these classes too; this one stays as it is."""
        if not isinstance(self.serde, JsonPlusSerializer):
            return self
        return EncryptedSerializer(self.cipher, self.serde.allow(*types))

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """The format and the cipher, with a plus between them, and the encrypted bytes."""
        kind, blob = self.serde.dumps_typed(obj)
        cipher, encrypted = self.cipher.encrypt(blob)
        return f"{kind}+{cipher}", encrypted

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value that ``dumps_typed`` was given."""
        kind, found, cipher = data[0].partition("+")
        return self.serde.loads_typed(
            (kind, self._decrypted(cipher, data[1]) if found else data[1])
        )

    def _decrypted(self, cipher: str, blob: bytes) -> bytes:
        try:
            return self.cipher.decrypt(cipher, blob)
        except ValueError as error:
            raise DeserializationError(
                f"What was encrypted by {cipher!r} cannot be decrypted ({error}): was it written "
                "with another key?"
            ) from error


def _key() -> bytes:
    for name in _KEYS:
        if found := os.environ.get(name):
            return found.encode()
    raise ValueError(f"There is no key: give key=, or set {' or '.join(_KEYS)}.")


class _Aes:
    def __init__(self, key: bytes) -> None:
        if len(key) not in _LENGTHS:
            raise ValueError(f"A key of AES has 16, 24 or 32 bytes, not {len(key)}.")
        try:
            self._aes: Any = import_module("Crypto.Cipher.AES")
        except ImportError as error:
            raise ImportError(
                "AES comes from pycryptodome, which is not installed: pip install pycryptodome."
            ) from error
        self._key = key

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        cipher = self._aes.new(self._key, self._aes.MODE_EAX)
        encrypted, tag = cipher.encrypt_and_digest(plaintext)
        return "aes", cipher.nonce + tag + encrypted

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        if ciphername != "aes":
            raise ValueError(f"no cipher {ciphername!r} is known")
        nonce, tag = ciphertext[:_NONCE], ciphertext[_NONCE : _NONCE + _TAG]
        cipher = self._aes.new(self._key, self._aes.MODE_EAX, nonce)
        found: bytes = cipher.decrypt_and_verify(ciphertext[_NONCE + _TAG :], tag)
        return found
