"""Reads what Lua 5.1, the one in Redis, makes of a script: the globals that it uses."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lupa import lua51

_GET_GLOBAL, _SET_GLOBAL = 5, 7
_NIL, _BOOL, _NUMBER = 0, 1, 3


def globals_of(script: str) -> set[str]:
    """Return the names that are no locals; a script that does not compile raises."""
    runtime = lua51.LuaRuntime(encoding=None)
    compile_ = runtime.eval(b"function(s) return string.dump(assert(loadstring(s))) end")
    found: set[str] = set()
    _Dump(compile_(script.encode())).function(found)
    return found


@dataclass
class _Dump:
    data: bytes
    at: int = 12  # after the header

    def function(self, found: set[str]) -> None:
        self.string()
        self.skip(12)  # its lines, and four small numbers
        code = [self.integer() for _ in range(self.integer())]
        names = [self.constant() for _ in range(self.integer())]
        found |= {names[word >> 14] for word in code if word & 63 in (_GET_GLOBAL, _SET_GLOBAL)}
        for _ in range(self.integer()):
            self.function(found)
        self.skip(4 * self.integer())
        for _ in range(self.integer()):
            self.string()
            self.skip(8)
        for _ in range(self.integer()):
            self.string()

    def constant(self) -> str:
        kind = self.byte()
        if kind == _NIL:
            return ""
        if kind in (_BOOL, _NUMBER):
            self.skip(1 if kind == _BOOL else 8)
            return ""
        return self.string()

    def string(self) -> str:
        (size,) = struct.unpack_from("<Q", self.data, self.at)
        self.at += 8 + size
        return self.data[self.at - size : self.at].rstrip(b"\0").decode()

    def integer(self) -> int:
        self.at += 4
        return int(struct.unpack_from("<I", self.data, self.at - 4)[0])

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def skip(self, size: int) -> None:
        self.at += size
