"""The outside: foreign shapes become reports in the wire form, and nothing here decides what happens to them.

Every module maps one foreign shape (a CloudEvent, a row of a city's own history, an invented demo report) to plain
dicts in the form of `POST /api/v1/reports`. Touch a mapping here when the foreign side changes. No module may import
the service or its database; what a connector needs from the service is a port (a small Protocol) or an HTTP call.
"""
