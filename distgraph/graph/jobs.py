"""How a call of a graph becomes a job: everything that the caller passed, checked and placed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from distgraph._foreign import foreign
from distgraph._runtime import RunControl
from distgraph.checkpoint.base.id import next_id
from distgraph.core.frame import Invocation
from distgraph.core.graph import Graph
from distgraph.core.model import DRAINS, EXIT
from distgraph.core.recall import Recall
from distgraph.core.standing import Replay
from distgraph.engine import Start, limits_of, run, run_nested
from distgraph.graph import configs
from distgraph.graph.contexts import context_of, seeded
from distgraph.graph.nested import Inner, surrounding
from distgraph.graph.options import Options
from distgraph.graph.subgraphs import Standing, not_found
from distgraph.runners.backend import Backend, Job, Place
from distgraph.runners.frames import lasting
from distgraph.types import Command, StateUpdate
from distgraph.updating import update

_TOLD = ("checkpoint_id", "checkpoint_ns", "task_id", "run_id", "assistant_id", "graph_id")
"""Configurables that stand with messages, as in LangGraph."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The compiled graph that is called: what of it a job is made from."""

    graph: Graph
    backend: Backend
    checkpointer: Any
    context_schema: Any
    store: Any = None
    step_timeout: float | None = None
    cache: Any = None


def job_of(
    owner: Owner, given: Any, config: dict[str, Any], options: Options, *, heard: bool = True
) -> tuple[Inner, Job]:
    """Return the job of one run, and the task that it runs inside of, if any.

    ``heard``: whether its caller waits for more than its end.

    Raises ValueError and TypeError for a config or option that is wrong, RuntimeError for what
    needs a checkpointer and has none.
    """
    config, context = seeded(config)
    inner = Inner(surrounding(config), owner.checkpointer, owner.graph)
    config = configs.inherited(inner.frame.config, config) if inner.frame else config
    unnamed = partial(_new_thread, owner, given, options.run_id)
    place = inner.place or configs.root_place(config, unnamed)
    begins = bool(options.run_id) and not configs.names_thread(config)
    if owner.backend.durable:
        config = configs.on_thread(config, place.thread_id)
    start = Start(
        given=given,
        recursion_limit=configs.recursion_limit(config),
        thread=place.thread_id,
        at=place.checkpoint_id,
        now=owner.backend.now(),
        by=options.by,
        before=options.before(owner.graph),
        after=options.after(owner.graph),
        metadata={
            **configs.checkpoint_metadata(config),
            **inner.metadata,
            **_marks(owner, options, inner),
        },
        parents=dict(inner.parents),
    )
    _refuse_foreign(given)
    _refuse_to_go_on(given, options)
    _check_durable(owner, start, inner)
    _warn_of_durability(owner, options, inner)
    return inner, Job(
        graph=owner.graph,
        program=(run_nested if inner.frame else run)(owner.graph, start, place.ns),
        place=place,
        invocation=_invocation(owner, config, options.with_context(context), inner, (start, place)),
        start=start,
        live=options.is_live or inner.live or (heard and bool(owner.graph.entry)),
        modes=options.all_modes if heard else frozenset(options.printed),
        subgraphs=options.subgraphs,
        max_concurrency=configs.max_concurrency(config),
        run_id=options.run_id,
        if_new=options.if_new or begins,
        step_timeout=owner.step_timeout,
    )


def _new_thread(owner: Owner, given: Any, run_id: str) -> str:
    """Return the thread of a call that names none: the same one for each call of a ``run_id``."""
    fresh = _is_fresh(given)
    return run_id if run_id and fresh else owner.backend.thread_for(owner.graph, fresh=fresh)


def _refuse_to_go_on(given: Any, options: Options) -> None:
    """Raise ValueError for a call that is to begin a thread and brings nothing to begin it with."""
    if options.if_new and not _is_fresh(given):
        msg = "if_new=True begins a thread, with an input: None and a Command go on with one."
        raise ValueError(msg)


def _refuse_foreign(given: Any) -> None:
    """Raise TypeError for an input that is a Command of LangGraph's: it would say nothing."""
    if given is None or isinstance(given, dict | Command):
        return  # nearly every input, which must not take long
    if advised := foreign(given):
        msg = f"The input of a run is neither a state nor a Command. {advised}"
        raise TypeError(msg)


def about(job: Job) -> dict[str, Any]:
    """Return what of the caller's config stands with every message of the run."""
    config, thread = job.invocation.config, job.invocation.thread_id
    place = config.get("configurable", {})
    named = {key: place[key] for key in _TOLD if place.get(key)}
    given = configs.checkpoint_metadata({"metadata": config.get("metadata", {})})
    told = {"ls_integration": "langgraph", **named, **given}
    return told if thread is None else {**told, "thread_id": thread}


def _is_fresh(given: Any) -> bool:
    """Whether a run has a new input, and needs no thread that is there."""
    return given is not None and not isinstance(given, Command)


def _resumes(start: Start) -> bool:
    return isinstance(start.given, Command) and start.given.resume is not None


def _check_durable(owner: Owner, start: Start, inner: Inner) -> None:
    if owner.checkpointer is True and inner.frame is None:
        msg = (
            "checkpointer=True cannot be used for root graphs. Give the root graph a checkpointer."
        )
        raise RuntimeError(msg)
    if _is_durable(owner, inner):
        return
    if start.before or start.after:
        msg = (
            "interrupt_before and interrupt_after need a checkpointer, or nobody could ever "
            "resume this run: compile the graph with checkpointer=... or backend=..."
        )
        raise RuntimeError(msg)
    if _resumes(start):
        msg = "Cannot use Command(resume=...) without checkpointer"
        raise RuntimeError(msg)


def _marks(owner: Owner, options: Options, inner: Inner) -> dict[str, str]:
    """Return what the checkpoints of a run say which others carry: they store each of them."""
    carried = inner.frame is None and hasattr(owner.backend, "submit")
    if not carried:
        return {}
    exits = {EXIT: ""} if options.durability == "exit" else {}
    return {**exits, DRAINS: ""} if options.control else exits


def _is_durable(owner: Owner, inner: Inner) -> bool:
    """Whether anything of the call is stored."""
    return inner.durable if inner.frame else owner.backend.durable


def _warn_of_durability(owner: Owner, options: Options, inner: Inner) -> None:
    if options.durability is not None and not _is_durable(owner, inner):
        msg = "`durability` has no effect when no checkpointer is present."
        warnings.warn(msg, UserWarning, stacklevel=2)


def _invocation(
    owner: Owner,
    config: dict[str, Any],
    options: Options,
    inner: Inner,
    begun: tuple[Start, Place],
) -> Invocation:
    """Return what tasks are told."""
    start, place = begun
    found, control = context_of(owner.context_schema, options.context), options.control
    if inner.frame is not None:
        around = inner.frame.invocation
        return replace(
            around,
            config=config,
            context=found or around.context,
            durable=inner.durable,
            asker=inner.asker,
            control=control or around.control,
            store=owner.store or around.store,
            cache=_recall(owner),
            durability=options.durability or around.durability,
            hears=around.hears or options.hears,
        )
    run_id = config.get("run_id") or config.get("metadata", {}).get("run_id")
    thread = place.thread_id if configs.names_thread(config) else None
    run, durable = run_id and str(run_id), owner.backend.durable
    return Invocation(
        config,
        found,
        thread,
        run,
        durable,
        replay=_replay(config, place, start),
        round=os.urandom(4).hex(),
        asks_again=not _resumes(start),
        control=_control(owner, control),
        store=owner.store,
        cache=_recall(owner),
        durability=options.durability or "sync",
        hears=options.hears,
    )


def _recall(owner: Owner) -> Recall | None:
    """Return what finds what tasks left before, in the graph's own cache."""
    if owner.cache is None:
        return None
    from distgraph.runners.remembering import recall  # noqa: PLC0415 few graphs have a cache

    return recall(owner.cache, owner.graph)


def _control(owner: Owner, given: RunControl | None) -> RunControl | None:
    """Return what may ask a run to stop; None where others carry it, and nobody here may."""
    return given or (None if hasattr(owner.backend, "submit") else RunControl())


def _replay(config: Mapping[str, Any], place: Place, start: Start) -> Replay | None:
    """Return what counts of called graphs, when a run begins at a checkpoint that is named.

    One with an input goes on from what is stored, as does one with an answer, but for the graphs
    inside of which it names a checkpoint.
    """
    if not place.checkpoint_id or _is_fresh(start.given):
        return None
    inner = configs.checkpoint_map(config)
    origins = {lasting(ns): (ns, cp) for ns, cp in inner.items() if ns}
    if _resumes(start) and not origins:
        return None
    return Replay(next_id(None), place.checkpoint_id, origins, _resumes(start))


def update_job(
    found: Standing | None, config: dict[str, Any], supersteps: Sequence[Sequence[StateUpdate]]
) -> Job:
    """Return the job that writes ``supersteps`` of updates onto a frame, ValueError onto none."""
    if found is None:
        raise not_found(configs.ns_of(config))
    graph, place = found.graph, found.place
    start = Start(None, 1, metadata=configs.checkpoint_metadata(config))
    program = update(graph, supersteps, limits_of(start, None), place.ns)
    invocation = Invocation(config, None, place.thread_id, None, durable=True)
    return Job(graph, program, place, invocation, start)


def stored_place(owner: Owner, config: Mapping[str, Any]) -> Place:
    """Return where ``config`` points to; ValueError when nothing is stored, or no thread named."""
    if not owner.backend.durable:
        msg = "No checkpointer set"
        raise ValueError(msg)
    return configs.place_of(config, partial(owner.backend.thread_for, owner.graph, fresh=False))
