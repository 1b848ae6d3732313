"""The service: takes every report of a city in, makes one case of each real matter and keeps its clock.

Reports come in through `intake`, people act on cases through `casework`, deadlines act through `casework.deadlines`; what
happened goes out through `notices` and `live`, and is read through `insight`. `domain` holds the words and rules without
any I/O, `store` the database, `people` who may do what, `city` the set-up. Only `bootstrap` knows all of them.
"""
