"""The record that cannot be bent: who checks it, and what it is checked against.

Events of a case form a chain of HMACs whose key is not in the database (`casework.record`). That finds what was changed, but not
an end that was cut off together with the head in `cases`, nor a case that is gone. So a `checkpoint` is taken daily: the heads of
all chains that moved since the last one, under one digest that is signed with the same key and follows on the one before.
`chain` compares events, heads and checkpoints. This room reads what others wrote and adds checkpoints; it changes nothing.

    case_events ── cases.head ──(daily)── checkpoint_heads ── digest ── the next digest … ── printed, logged, kept elsewhere

Whoever cuts off the newest checkpoints too is found by a digest that was written down elsewhere: it stands in the log of the
service and in the answer of `dispatch audit checkpoint`, and `dispatch audit verify --expect` compares it.
"""
