"""The live stream: what happened to cases, from the outbox to every console as it happens.

Committed messages are numbered and put on a Redis stream by `relay`, read by one `hub` a process and fanned out to
the websockets of `socket`. PostgreSQL stays the truth: whatever is lost here costs a client one snapshot. Nothing in
this room changes a case or reads personal data; a message goes out as the bytes that the transaction wrote.
"""
