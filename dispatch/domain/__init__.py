"""Words and rules of dispatching, without any I/O.

What stands here can be read and tested with nothing running: the report as it arrives, the states of cases and
assignments with their transition tables, priority, numbers people read out, events and errors. Nothing here may import
a driver, a clock or another package of the service.
"""
