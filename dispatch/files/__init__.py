"""Files (附件): what one is, by its content, and where its bytes are kept.

This room knows no case and no database: whoever keeps a file here has sealed it before, and has a row that names its key. Change
it for a new kind of file or a new place to keep them.
"""
