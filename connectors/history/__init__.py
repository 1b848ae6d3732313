"""A city's own history, read by a mapping file and replayed through the front door in time order.

`mapping` reads and checks the mapping, `expressions` is the language of its columns, `rows` makes one report of each
row, `steps` says which go in one batch, `replay` feeds them through a port and keeps the `account`, `http` is that port
over HTTP. A new city needs a new file in `config/mappings`, not a new module
here.
"""
