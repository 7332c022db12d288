"""The serializer: msgpack with the types of ``table`` and the classes that the operator allowed.

The rule to keep: no byte that is read can choose code to import, find or run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import msgpack
from msgpack import ExtType, Timestamp

from distgraph._elsewhere import missing_in
from distgraph.checkpoint.serde.classes import (
    UserClass,
    describe,
    ref_of,
    table_of,
)
from distgraph.checkpoint.serde.held import extended, held
from distgraph.checkpoint.serde.spoken import briefly, message_class
from distgraph.checkpoint.serde.survey import (
    LENIENT,
    is_simple,
    may_be_deep,
    survey,
    survey_blob,
)
from distgraph.checkpoint.serde.table import (
    COMPOUND_OF_CODE,
    COMPOUND_OF_TYPE,
    DATACLASS,
    ENUM,
    FORMAT_VERSION,
    MODEL,
    NAMEDTUPLE,
    SCALAR_OF_CODE,
    SCALAR_OF_TYPE,
)
from distgraph.errors import DeserializationError, SerializationError

TYPE_NAME = "msgpack"
_VERSION = bytes([FORMAT_VERSION])
_CLASS_CODES = frozenset({ENUM, DATACLASS, NAMEDTUPLE, MODEL})
_MARK_CODES = _CLASS_CODES | set(COMPOUND_OF_CODE)
_MARKS = {code: ExtType(code, b"") for code in _MARK_CODES}
_MARK_HEADER = b"\xc7\x00"  # ext 8 of length 0
# Types that msgpack writes by itself although the table has another row for them, or none.
_HIJACKED: frozenset[type] = frozenset({bytearray, memoryview, ExtType, Timestamp})
# msgpack makes room for an array as soon as it reads its length. From this size on (bytes), a
# pass that builds nothing first makes sure that every announced item is there.
_CHECKED_FIRST = 4096
_NATIVE = range(-(2**63), 2**64)  # the numbers that msgpack writes without asking


class JsonPlusSerializer:
    """Values to bytes and back; equal values give equal bytes, and types come back exactly.

    ``allowed`` are the dataclasses, pydantic models, NamedTuples and Enums that may be stored
    besides the types of ``table``; with ``learn`` any such class is allowed once it was written
    (for a saver whose bytes never leave the process). ``max_bytes`` bounds a blob and
    ``max_depth`` the nesting of its containers, both when writing and when reading.

    The others are LangGraph's names for ``allowed``, as ``classes_named`` reads them: classes, or
    names of modules and classes. Raises ValueError where any class is to be restored, or a pickle.
    """

    def __init__(  # noqa: PLR0913 LangGraph's names besides our own
        self,
        *,
        allowed: Iterable[type] = (),
        learn: bool = False,
        max_bytes: int = 16 * 2**20,
        max_depth: int = 100,
        allowed_msgpack_modules: Any = None,
        allowed_json_modules: Any = None,
        pickle_fallback: bool = False,
    ) -> None:
        if allowed_msgpack_modules or allowed_json_modules or pickle_fallback:
            allowed = (
                *allowed,
                *_named(allowed_msgpack_modules, allowed_json_modules, pickle_fallback),
            )
        self._know({ref: briefly(entry) for ref, entry in table_of(allowed).items()})
        self._learn = learn
        self._max_bytes = max_bytes
        self._max_depth = max_depth

    @property
    def max_bytes(self) -> int:
        """How large a blob may be."""
        return self._max_bytes

    def allow(self, *types: type) -> Self:
        """A serializer that knows these classes too; this one stays as it is.

        A class replaces an older one of the same name (a notebook cell that was run again). One of
        a class that is derived from this one stays of that.
        """
        other = copy.copy(self)
        added = {ref: briefly(entry) for ref, entry in table_of(types).items()}
        JsonPlusSerializer._know(other, {**self._classes, **added})
        return other

    def dumps(self, value: Any) -> bytes:
        """The bytes of ``value``; SerializationError says which part of it cannot be stored."""
        writer = _Writer(self)
        try:
            data = _VERSION + writer.pack(value)
            if not is_simple(data, self._max_depth):
                data = self._careful(value, data, writer)
        except Exception as error:
            from distgraph.checkpoint.serde.explain import explain  # noqa: PLC0415 rarely needed

            raise explain(value, writer.write, self._max_depth, error) from error
        if len(data) > self._max_bytes:
            raise SerializationError(
                f"The value takes {len(data):,} bytes, more than the {self._max_bytes:,} that may "
                f"be stored. Keep large data elsewhere and a reference to it in the state."
            )
        return data

    def loads(self, data: bytes) -> Any:
        """The value that ``data`` was written from; DeserializationError for anything else."""
        self._check_frame(data)
        try:
            if len(data) > _CHECKED_FIRST:
                _check_complete(data)
            try:
                return self._read(data)
            except UnicodeDecodeError:  # lone surrogates
                return self._read(data, **LENIENT)
        except DeserializationError:
            raise
        except Exception as error:
            raise DeserializationError(
                f"Stored bytes cannot be read: {type(error).__name__}: {error}"
            ) from error

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """``("msgpack", dumps(obj))``."""
        return TYPE_NAME, self.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value of a pair that ``dumps_typed`` returned."""
        name, blob = data
        if name != TYPE_NAME:
            raise DeserializationError(
                f"Stored bytes are of the format {name!r}; this serializer reads {TYPE_NAME!r}."
            )
        return self.loads(blob)

    def class_of(self, value: Any) -> UserClass | None:
        """How ``value`` is stored, if its class is allowed."""
        entry = self._of_class.get(type(value))
        return self._found(type(value)) if entry is None else entry

    def _found(self, cls: type) -> UserClass | None:
        entry = self._known(ref_of(cls))
        if entry is not None and entry.cls is cls:
            return entry
        entry = describe(cls) if self._learn else None
        if entry is not None:
            self._know({**self._classes, entry.ref: entry})
        return entry

    def _know(self, classes: dict[str, UserClass]) -> None:
        self._classes = classes
        self._of_class = {entry.cls: entry for entry in classes.values()}

    def class_named(self, ref: Any, code: int) -> UserClass:
        """The allowed class that data calls ``ref``, which must be of the kind ``code``."""
        entry = self._known(ref)
        if entry is None or entry.code != code:
            from distgraph.messages.stored import way_out  # noqa: PLC0415 rarely needed

            advice = "Name it in the state schema, or allow it: JsonPlusSerializer(allowed=[...])."
            raise DeserializationError(
                f"Stored bytes name the class {ref!r}, which is not allowed here. "
                f"{way_out(ref) or advice}"
            )
        return entry

    def _known(self, ref: Any) -> UserClass | None:
        entry = self._classes.get(ref)
        if entry is None and (entry := message_class(ref)):
            self._know({**self._classes, ref: entry})
        return entry

    def _careful(self, value: Any, data: bytes, writer: _Writer) -> bytes:
        if survey(value, self._max_depth) & _HIJACKED:
            data = _VERSION + writer.pack(_shielded(value))
        if writer.used and may_be_deep(data, self._max_depth):
            survey_blob(memoryview(data)[1:], self._max_depth)
        return data

    def _check_frame(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise DeserializationError(f"Stored bytes are of the type {type(data).__name__}.")
        if len(data) > self._max_bytes:
            raise DeserializationError(
                f"Stored bytes are too large: {len(data):,}, allowed are {self._max_bytes:,}."
            )
        if data[:1] != _VERSION:
            raise DeserializationError(
                f"Stored bytes begin with {data[:1]!r} instead of the format version {_VERSION!r}: "
                f"they are damaged or were written by another version."
            )

    def _read(self, data: bytes, **options: Any) -> Any:
        body = memoryview(data)[1:]
        if is_simple(data, self._max_depth):
            return _unpack(body, **options)
        reader = _Reader(self)
        if _MARK_HEADER not in data:
            value = _unpack(body, ext_hook=reader.ext, **options)
            _check_kinds(survey(value, self._max_depth))
            return value
        _check_kinds(survey_blob(body, self._max_depth))
        value = _unpack(body, ext_hook=reader.ext, list_hook=reader.array, **options)
        reader.check_marks()
        return value


def _named(by_msgpack: Any, by_json: Any, pickle_fallback: Any) -> Iterable[type]:
    from distgraph.checkpoint.serde.named import (  # noqa: PLC0415 rarely needed
        classes_named,
        refuse_pickle,
    )

    refuse_pickle(pickle_fallback)
    yield from classes_named("allowed_msgpack_modules", by_msgpack)
    yield from classes_named("allowed_json_modules", by_json)


class _Writer:
    """One call of ``dumps``: what msgpack asks about the values that it does not know."""

    __slots__ = ("_order", "_serializer", "used")

    def __init__(self, serializer: JsonPlusSerializer) -> None:
        self._serializer = serializer
        self._order: dict[int, tuple[Any, list[Any]]] = {}
        self.used = False

    def pack(self, value: Any) -> bytes:
        try:
            return self._packed(value)
        except UnicodeEncodeError:  # lone surrogates, as in file names that are not UTF-8
            return self._packed(value, **LENIENT)

    def _packed(self, value: Any, **options: Any) -> bytes:
        packed: bytes = msgpack.packb(value, default=self.write, strict_types=True, **options)
        return packed

    def write(self, value: Any) -> Any:
        """What msgpack is to write in place of ``value``."""
        self.used = True
        if type(value) is _Shield:
            value = value.value
        cls = type(value)
        if scalar := SCALAR_OF_TYPE.get(cls):
            return ExtType(scalar.code, scalar.write(value))
        if cls is set or cls is frozenset:
            return [_MARKS[COMPOUND_OF_TYPE[cls].code], *_guarded(self._sorted(value))]
        if compound := COMPOUND_OF_TYPE.get(cls):
            return [_MARKS[compound.code], *_guarded(compound.write(value))]
        if entry := self._serializer.class_of(value):
            return [_MARKS[entry.code], *_guarded(entry.write(entry, value))]
        return self._held(value)

    def _held(self, value: Any) -> Any:
        """What msgpack is to write of a value whose class extends a plain type."""
        base = extended(type(value))
        if base is None:
            from distgraph.checkpoint.serde.explain import unsupported  # noqa: PLC0415 as above

            raise unsupported(value)
        if base is set or base is frozenset:
            return [_MARKS[COMPOUND_OF_TYPE[base].code], *_guarded(self._sorted(value))]
        plain = held(value, base)
        if base is tuple or (base is int and plain not in _NATIVE):
            return self.write(plain)
        return _guarded([plain])[0]

    def _sorted(self, items: set[Any] | frozenset[Any]) -> list[Any]:
        # Remembered, or each level of nested sets would double the work. The set is kept with its
        # order, so that no other one can come to have its id.
        if id(items) not in self._order:
            self._order[id(items)] = (items, sorted(items, key=self.pack))
        return self._order[id(items)][1]


class _Reader:
    """One call of ``loads``: makes values of ext codes and of arrays that begin with a mark."""

    __slots__ = ("_marks", "_serializer")

    def __init__(self, serializer: JsonPlusSerializer) -> None:
        self._serializer = serializer
        self._marks = 0

    def ext(self, code: int, data: bytes) -> Any:
        if scalar := SCALAR_OF_CODE.get(code):
            return scalar.read(data)
        if code not in _MARK_CODES or data:
            raise DeserializationError(f"Stored bytes hold the unknown ext code {code}.")
        self._marks += 1
        return _Mark(code)

    def array(self, items: list[Any]) -> Any:
        if not items or type(items[0]) is not _Mark:
            return items
        self._marks -= 1
        code = items[0].code
        if compound := COMPOUND_OF_CODE.get(code):
            return compound.read(items[1:])
        entry = self._serializer.class_named(items[1], code)
        return entry.read(entry, items[2:])

    def check_marks(self) -> None:
        if self._marks:
            raise DeserializationError("Stored bytes hold a mark that heads no array.")


class _Mark:
    """The head of an array that stands for a value of another type."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class _Shield:
    """Hides a value that msgpack would write by itself, so that it asks."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _guarded(items: list[Any]) -> list[Any]:
    # msgpack's own recursion limit bounds what lies deeper.
    kinds = set(map(type, items))
    if kinds.isdisjoint(_HIJACKED) and kinds.isdisjoint((list, dict)):
        return items
    return _shielded(items) if survey(items, _NESTING) & _HIJACKED else items


_NESTING = 511  # containers within containers that msgpack writes


def _shielded(value: Any) -> Any:
    if type(value) is list:
        return [_shielded(item) for item in value]
    if type(value) is dict:
        return {_shielded(key): _shielded(item) for key, item in value.items()}
    return _Shield(value) if type(value) in _HIJACKED else value


def _unpack(body: memoryview, **options: Any) -> Any:
    return msgpack.unpackb(body, strict_map_key=False, **options)


def _check_complete(data: bytes) -> None:
    unpacker = msgpack.Unpacker(max_buffer_size=len(data), strict_map_key=False)
    unpacker.feed(memoryview(data)[1:])
    unpacker.skip()


def _check_kinds(kinds: set[type]) -> None:
    if Timestamp in kinds:  # ext -1, which msgpack reads without asking
        raise DeserializationError("Stored bytes hold the unknown ext code -1.")


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
