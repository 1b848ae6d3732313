"""What people and deadlines do to a case.

One module per family of actions. Each action asks permission, checks the transition table, holds the case's row, changes it
and hands it to `casework.record`, all in one transaction. `clocks` starts the clocks of a case, `deadlines` lets them act.
"""
