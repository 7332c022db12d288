"""A checkpointer for LangGraph itself on plain Redis; it needs ``distgraph[langgraph]``."""

from __future__ import annotations

try:
    from checkpoint_redis.langgraph.saver import AsyncRedisCheckpointer, RedisCheckpointer
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("langgraph", "langchain_core"):
        raise
    raise ImportError(
        "checkpoint_redis.langgraph is for programs of LangGraph, whose checkpointers' base is not "
        "installed: pip install 'distgraph[langgraph]'. Graphs of distgraph keep their threads in "
        "Redis by checkpoint_redis.saver.RedisSaver."
    ) from error

__all__ = ["AsyncRedisCheckpointer", "RedisCheckpointer"]
