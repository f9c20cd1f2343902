"""What kernel and view say to each other: the same words as in ``widgets/src/protocol.ts``.

From the kernel: ``picture`` (all of a mission), ``batch`` (what changed since ``from_seq``),
``missions`` (rows of a board or a history), ``opened`` (which of them is open now, or why none
is), ``answer`` (to an ``ask``), ``pending`` (that an answer takes long, and ``why``), ``beat``
(every five seconds, with ``why`` if the store cannot be read), ``copy`` (the view as HTML, kept
in the notebook), ``closed``.

From a view: ``hello``, ``sync`` (with the last ``seq`` that it has, or null, and of which
mission), ``ack`` (with the number of a message), ``ask`` (with an id, a verb and arguments).
What is sent reaches every page that shows the widget. So an id is a page's own, and what is
asked about a mission names it, in the argument ``mission``: its id or short id. The verbs:

========== =============================================== ====================================
verb       arguments                                       answer
========== =============================================== ====================================
approve    ``plan_hash``, ``tasks`` (empty: all)           ``{}``
reject     ``reason``                                      ``{}``
check      ``draft``                                       problems, difference, plan, twin
edit       ``draft``, ``revision`` (that it is based on)   the same, if nobody was faster
comment    ``task`` (empty: the plan), ``text``            ``{}``
pause      (and ``cancel``)                                ``{}``
finish                                                     ``{}``
resume     ``budget`` (null: the same)                     ``{}``
take_model ``reason`` (the name of the model, as typed),   ``{}``, or the ``step`` in which
           ``approve_host``                                a new host is asked about
retry      ``task`` (empty: all that can be)               ``{}``
fork       ``at`` (a task, or empty), ``budget``           ``{"mission": "m-9"}``
export     ``form``                                        ``{"path": "…"}``
events     ``before``, ``kinds``, ``agent``, ``task``,     a page of events, oldest first
           ``text``, ``limit``
output     ``task`` (empty: the mission's result)          an output, ready to be shown; of the
                                                           mission also findings and outputs
missions   ``text``, ``states``, ``limit``, ``offset``     rows, and how many there are in all
compare    ``a``, ``b``                                    what differs between two missions
open       ``mission`` (null: back to the list)            ``{}``; its picture follows
========== =============================================== ====================================

``open``: one mission at a time is open in a list. All its views are told which by ``opened``,
before the answer; one that shows another says so, and may open its own again.

``events``: ``before`` null is from the newest; heartbeats only if ``kinds`` names them;
``agent`` null is all, and empty is tasks without an agent. The answer's ``before`` is where to
go on while there is ``more``: words are looked for through ten thousand events at a time.

A view is not trusted. What has another shape is refused, or, where nobody waits for an answer,
ignored with a line in the log (`hypernb.widgets._asked`). Only these verbs can be called. A
mission is only ever one of the session's store; where there are many, it has to be named. A
plan is only approved by the hash of what was shown. What is exported becomes a new file in the
session's folder.
"""
