"""A Redis of one's own: a real server on a private socket, shared by the processes of one user."""

from __future__ import annotations

from .membership import Membership, join

__all__ = ["Membership", "join"]
