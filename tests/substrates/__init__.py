"""One program with all features, run on everything that this is meant to run on."""

from __future__ import annotations

EMBEDDED = "SUBSTRATES_EMBEDDED"
"""The variable with the folder of an embedded Redis that all processes of a row share."""
