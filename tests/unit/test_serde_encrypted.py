"""What is stored encrypted: who reads it, and what those are told who cannot."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest

from distgraph.checkpoint.serde.encrypted import EncryptedSerializer
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import DeserializationError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt

KEY = b"0123456789abcdef"
SECRET = "a secret nobody reads"


@dataclass
class Card:
    number: str


class Paying(TypedDict, total=False):
    card: Card
    sure: str


def with_key(key: bytes = KEY) -> EncryptedSerializer:
    return EncryptedSerializer.from_pycryptodome_aes(key=key)


def ask(state: Paying) -> Paying:
    return {"sure": interrupt({"card": state["card"].number})}


def test_a_file_has_nothing_of_a_state_and_its_question(tmp_path: Path) -> None:
    config = {"configurable": {"thread_id": "t"}}
    file = tmp_path / "threads.sqlite"
    with SqliteSaver.from_conn_string(file, serde=with_key()) as saver:
        builder = StateGraph(Paying).add_node("ask", ask).add_edge(START, "ask")
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"card": Card(SECRET)}, config)
        assert graph.get_state(config).values == {"card": Card(SECRET)}
        assert graph.invoke(Command(resume="yes"), config)["sure"] == "yes"
        stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert SECRET.encode() not in stored
    with (
        SqliteSaver.from_conn_string(file, serde=with_key(bytes(16))) as other,
        pytest.raises(DeserializationError, match="another key"),
    ):
        other.get_tuple(config)


def test_what_was_stored_in_the_clear_is_read() -> None:
    assert with_key().loads_typed(JsonPlusSerializer().dumps_typed([1])) == [1]


def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISTGRAPH_AES_KEY", "LANGGRAPH_AES_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="no key: give key="):
        EncryptedSerializer.from_pycryptodome_aes()
    blob = with_key().dumps_typed("x")
    monkeypatch.setenv("LANGGRAPH_AES_KEY", KEY.decode())
    assert EncryptedSerializer.from_pycryptodome_aes().loads_typed(blob) == "x"
    monkeypatch.setenv("DISTGRAPH_AES_KEY", "f" * 32)
    with pytest.raises(DeserializationError):
        EncryptedSerializer.from_pycryptodome_aes().loads_typed(blob)


def test_what_cannot_be_decrypted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="16, 24 or 32 bytes, not 5"):
        with_key(b"short")
    kind, blob = with_key().dumps_typed(1)
    for damaged in (b"", blob[:20], blob[:-1] + bytes([blob[-1] ^ 1])):
        with pytest.raises(DeserializationError, match="'aes' cannot be decrypted"):
            with_key().loads_typed((kind, damaged))
    with pytest.raises(DeserializationError, match="no cipher 'rot13' is known"):
        with_key().loads_typed(("msgpack+rot13", blob))
    monkeypatch.setitem(sys.modules, "Crypto.Cipher.AES", None)
    with pytest.raises(ImportError, match="pip install pycryptodome"):
        with_key()
