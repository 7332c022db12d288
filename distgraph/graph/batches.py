"""Many runs of one graph at once, as LangGraph's callers begin them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distgraph._arguments import shortly
from distgraph._checked import checked
from distgraph.graph.configs import max_concurrency


@checked
class Batches:
    """A graph that takes a list of inputs, each for a run of its own."""

    invoke: Any
    ainvoke: Any

    def batch(
        self,
        inputs: Sequence[Any],
        config: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        return_exceptions: bool = False,
        **options: Any,
    ) -> list[Any]:
        """Return what ``invoke`` gives for each of ``inputs``, run at once in threads, in order.

        ``config`` is one for all, or a list of one for each; ``max_concurrency`` in the first says
        how many run at once. Raises the first exception in order, unless ``return_exceptions`` puts
        them into the list. ValueError for configs that are not as many as inputs.
        """
        configs = _each(inputs, config)
        if not configs:
            return []

        def run(given: Any, own: Mapping[str, Any] | None) -> Any:
            try:
                return self.invoke(given, own, **options)
            except Exception as error:
                if return_exceptions:
                    return error
                raise

        with ThreadPoolExecutor(max_concurrency(dict(configs[0] or {})) or len(inputs)) as pool:
            begun = [
                pool.submit(contextvars.copy_context().run, run, given, own)
                for given, own in zip(inputs, configs, strict=True)
            ]
            return [future.result() for future in begun]

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        return_exceptions: bool = False,
        **options: Any,
    ) -> list[Any]:
        """Do what ``batch`` does, on the event loop."""
        configs = _each(inputs, config)
        if not configs:
            return []
        free = asyncio.Semaphore(max_concurrency(dict(configs[0] or {})) or len(inputs))

        async def run(given: Any, own: Mapping[str, Any] | None) -> Any:
            async with free:
                return await self.ainvoke(given, own, **options)

        runs = (run(given, own) for given, own in zip(inputs, configs, strict=True))
        return await asyncio.gather(*runs, return_exceptions=return_exceptions)


def _each(inputs: Sequence[Any], config: Any) -> list[Mapping[str, Any] | None]:
    """Return the config of each input."""
    if config is None or isinstance(config, Mapping):
        return [config] * len(inputs)
    if len(config) != len(inputs):
        msg = f"batch() takes one config for all inputs or one for each, not {shortly(config)}."
        raise ValueError(msg)
    return list(config)
