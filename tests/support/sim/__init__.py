"""A seeded simulation of one thread: virtual workers, a lossy broker, a sweeper and a client.

One seed is one schedule of crashes, pauses, lost, doubled and reordered messages, lost replies,
repeated calls, and of what a client and a saver may ask for at any moment; even seeds have one
fail-over. Then the faults stop, and the run must end with a history that is exactly consistent; and
all of that once more, for what savers do with a history. Redis' own clock is
read by the scripts, so virtual time passes by moving the scores of the due set, in leaps so long
that the real time of a run makes no difference: a seed repeats exactly.
"""
