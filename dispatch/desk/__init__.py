"""What the desk has at hand while the telephone rings: knowledge, known incidents, and who is calling.

An operator reads answers out of `knowledge`, says what is known out of `incidents` and attaches the call to its case with one
key, and looks a caller up in `callers`; `beside` puts all three next to the preview of what is being typed. Nothing here decides
what becomes of a report: intake does, and the casework of its unit goes on. Whatever is shown of cases is in the reader's scope,
and never of a restricted one.
"""
