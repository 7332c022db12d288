"""Random schedules of graphs inside graphs, over the product's scripts.

``program`` draws the graphs, ``worker`` and ``attempt`` run them, ``collecting`` is what an attempt
at a task makes of the frame inside it, ``client`` asks and answers, ``judge`` tells what must be
true in the end.
"""
