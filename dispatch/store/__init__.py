"""The database: pool, unit of work, lock order and migrations.

PostgreSQL is the only truth. Whatever writes is READ COMMITTED and locks in one order: report
keys, neighbourhoods, case rows by id, the rest. Statements stand in `.sql` files beside the code that runs them.
"""
