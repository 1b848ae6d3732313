"""Who is told what, by which medium, and what became of it.

A notice (通知) is a row for one recipient, one event and one medium, written in the case's transaction by `post`; the
inbox is those rows, and `sending` takes the others to webhooks after the commit, at least once. Nothing in this room
decides who must be told: it is given units and roles. Bodies hold codes and numbers only, never the words or data of a
person.
"""
