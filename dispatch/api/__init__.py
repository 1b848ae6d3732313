"""HTTP: what comes in is checked here, what goes out is shaped here, and nothing is decided here.

One module per noun lists its `ROUTES`; `app` compiles them into handlers. `call`, `problems`, `paging`, `openapi` and
the operations modules (`health`, `metrics`, `docs`, `access`) are the kit those modules stand on. Handlers may call the
rooms below (intake, casework, insight …); nothing below may import this package.
"""
