"""Values to bytes and back: msgpack with a closed table of types."""

from __future__ import annotations
