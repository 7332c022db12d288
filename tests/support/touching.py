"""Counts what each script touches: the fields and bytes that it reads and writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from checkpoint_redis import source
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.ledger import Ledger, T
from tests.support.thread_driver import using_scripts

CALL = "local call, encode, decode = redis.call, cjson.encode, cjson.decode\n"
# A key with all of its members counts as what it holds where a command goes through it, and not
# where it is renamed, or freed by another thread.
COUNTED = """
local encode, decode = cjson.encode, cjson.decode
local touched_fields, touched_bytes = 0, 0
local function touch(item)
  if type(item) == 'table' then
    for _, each in ipairs(item) do touch(each) end
  elseif item then
    touched_fields = touched_fields + 1
    touched_bytes = touched_bytes + #tostring(item)
  end
end
local SIZES = {SDIFF = 'SCARD', SMEMBERS = 'SCARD', HGETALL = 'HLEN', HKEYS = 'HLEN'}
local PAIRED = {HSET = true, ZADD = true, HGETALL = true, XADD = true}
local function call(...)
  local words, before = {...}, touched_fields
  local reply = redis.call(...)
  touch({unpack(words, 3)})
  touch(reply)
  local own = touched_fields - before
  local size = SIZES[words[1]] and redis.call(SIZES[words[1]], words[2]) or 0
  touched_fields = before + math.max(PAIRED[words[1]] and math.ceil(own / 2) or own, size)
  redis.call('SET', '{touching}', touched_fields .. ' ' .. touched_bytes)
  return reply
end
"""


class Touched(NamedTuple):
    """What one script touched."""

    fields: int
    bytes: int


class Touching(Ledger):
    """Notes the most that a script of each name touched, while ``counted`` is in force."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, retry_for=0)
        self.most: dict[str, Touched] = {}

    def call(self, command: Script[T] | Plain[T]) -> T:
        self.client.delete("{touching}")
        reply = super().call(command)
        name = command.name if isinstance(command, Script) else str(command.words[0])
        fields, size = (int(part) for part in (self.client.get("{touching}") or b"0 0").split())
        known = self.most.get(name, Touched(0, 0))
        self.most[name] = Touched(max(fields, known.fields), max(size, known.bytes))
        return reply


@contextmanager
def counted(folder: Path) -> Iterator[None]:
    """Run the block with scripts that count."""
    copy = folder / "counting"
    shutil.copytree(source.FOLDER, copy)
    text = (copy / "lib.lua").read_text()
    assert text.count(CALL) == 1
    (copy / "lib.lua").write_text(text.replace(CALL, COUNTED))
    with using_scripts(copy):
        yield
