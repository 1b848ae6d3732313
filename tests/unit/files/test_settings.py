"""Where files are kept is a setting of the process."""

from dispatch.settings import from_environment

DATABASE = {"DISPATCH_DATABASE_URL": "postgresql://db/dispatch"}


def test_files_are_kept_where_the_environment_says_else_where_the_caller_says_else_nowhere() -> None:
    assert from_environment(DATABASE).files_url is None
    assert from_environment(DATABASE, files_url="file:///data/files").files_url == "file:///data/files"
    said = DATABASE | {"DISPATCH_FILES_URL": "s3://bucket"}
    assert from_environment(said, files_url="file:///data/files").files_url == "s3://bucket"
