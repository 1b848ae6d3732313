"""Who may do what, and whose words these are: accounts, roles, scopes, keyrings and the caller vault.

Everything that knows a password, a key or the identity of a caller is here; other rooms get a `Principal`, a `Scope`,
a hash or a masked text. A new role or permission is a row in `permissions`. Nothing here logs, returns in an error or
shows in a representation what it protects.
"""
