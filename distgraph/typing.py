"""The type variables of graphs: state, context, input and output, as type checkers see them.

Each stands for anything where it is left out. ``StateT`` is a TypedDict, since that is what callers
send and get; of a graph over dataclasses or models they are dicts, which have no type of their own.
``OutputT`` is known when an ``output_schema`` says so: a pause adds ``__interrupt__`` to what comes
out, and no type says "a State, and this key".
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from typing_extensions import TypeVar

NodeT = TypeVar("NodeT", bound=Hashable, default=Any)
UpdateT = TypeVar("UpdateT", default=Any)
StateT = TypeVar("StateT", default=Any)
StateT_co = TypeVar("StateT_co", default=Any, covariant=True)
StateT_contra = TypeVar("StateT_contra", default=Any, contravariant=True)
ContextT = TypeVar("ContextT", default=Any)
InputT = TypeVar("InputT", default=StateT)
OutputT = TypeVar("OutputT", default=Any)

# The same of schemas that are TypedDicts: alone among schemas, a TypedDict is a Mapping.
StateDictT = TypeVar("StateDictT", bound=Mapping[str, Any])
InputDictT = TypeVar("InputDictT", bound=Mapping[str, Any])
OutputDictT = TypeVar("OutputDictT", bound=Mapping[str, Any], default=Any)
