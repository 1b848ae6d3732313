"""A report's way in.

    submit ─► read ─► locate ─► classify │ keys ─► match ─► route ─► open ─► answer
              └──────── prepare ───────┘   └──────────── commit ───────────┘
              no connection is held         one transaction for all that is waiting (at most 128), two of them at once

*Prepare* decides nothing that another report could change and runs while the batch before commits. *Commit* takes report keys,
then neighbourhoods, then case rows, each sorted; what belongs together is therefore decided by one transaction after the
other, on however many replicas; batches under way in one process have no neighbourhood in common. What may be touched from
outside is `Intake.submit`; everything else is its inside.
"""
