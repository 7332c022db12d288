"""Merge writes into channel values, one channel at a time, in the order given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distgraph._exceptions import annotate
from distgraph._foreign import foreign
from distgraph.channels.base import MISSING, BaseChannel
from distgraph.core.model import Write


def _grouped(writes: Iterable[Write]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for channel, value in writes:
        grouped.setdefault(channel, []).append(value)
    return grouped


def merge(
    channels: Mapping[str, BaseChannel], values: Mapping[str, Any], writes: Iterable[Write]
) -> dict[str, Any]:
    """Return only the changed channels: name -> new value, or MISSING for one now empty.

    Raises InvalidUpdateError when a channel does not allow the writes; whatever a reducer raises
    comes out unchanged, with a note that names the key.
    """
    grouped = _grouped(writes)
    changed: dict[str, Any] = {}
    for name, given in grouped.items():
        try:
            changed[name] = channels[name].merge(name, values.get(name, MISSING), given)
        except Exception as error:
            annotate(error, f"While merging {len(given)} write(s) into the state key '{name}'")
            if advised := foreign(given):
                annotate(error, advised)
            raise
    return changed


def faded(
    volatile: Mapping[str, BaseChannel], values: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the ``volatile`` channels become in a superstep that wrote nothing to them."""
    return {
        name: channel.merge(name, values[name], ())
        for name, channel in volatile.items()
        if name in values and name not in written
    }


def updated(values: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` with ``changed`` put in; channels that became MISSING are left out."""
    merged = {**values, **changed}
    for changed_to in changed.values():
        if changed_to is MISSING:  # not by `in`: some values cannot be compared
            return {name: value for name, value in merged.items() if value is not MISSING}
    return merged
