"""A city as files: its units, areas, code tables, duty book and accounts, read, checked, compared and packed.

A city is a folder that its staff edit with a spreadsheet, a text editor and a map program. This room reads such a
folder into one immutable `City`, lists everything wrong with it at once, says what changed between two of them, and
packs one with its cut cells into the archive that the database keeps per version. What may be touched here: the form of
the files and what makes a city whole. What may not: geometry itself (`gridmap`), time (`sla`), the database that keeps
the versions.
"""
