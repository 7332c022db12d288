"""What a run was called with is read again, or refused with what is wrong."""

from __future__ import annotations

import pytest

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import CorruptRecord
from workers.shared.runconfig import decode_metadata

SERIALIZER = JsonPlusSerializer()


def test_metadata_of_a_run_that_are_no_dict_are_refused() -> None:
    assert decode_metadata(b"", SERIALIZER) == {}
    with pytest.raises(CorruptRecord, match="metadata of a run is not a dict but list of 1"):
        decode_metadata(SERIALIZER.dumps(["ticket"]), SERIALIZER)
