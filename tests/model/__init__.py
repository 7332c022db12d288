"""An exhaustive model of the thread protocol: every interleaving of a small system, with faults.

The simulation (``tests/support/sim``) runs the real scripts on random schedules of a larger system;
this runs an abstraction of them on all schedules. Always on, without a budget: the broker drops,
doubles and reorders messages; a worker crashes between any two of its moves; the lease of a
living worker runs out; the sweeper publishes again whatever waits. A scenario adds lost replies,
failures, cancels, deadlines, an adoption by a changed graph, and a fail-over that loses a suffix
of the store.

Graphs whose supersteps are jobs are frames inside tasks (``framed.py``): a task parks on its frame
(``parking.py``), is queued again when the frame has something for it, and does what it finds there
(``rejoining.py``). What holds of them: nothing below a dropped superstep changes the thread; what a
frame left is taken once, by the present attempt; a question is answered once, and is never asked
again when it was; a stop of which nobody was told is not released; a superstep is opened once.
Calls of functions are such a frame too, whose tasks are added as the body makes them: its task is
queued again when all of them have ended, none is made twice, and a failed one holds nobody up.

Two properties are checked: what may never happen is refused where it would (``Violation``), and
from every state that can be reached an end can be reached without a further fault: so no parked
task is ever lost.
"""
