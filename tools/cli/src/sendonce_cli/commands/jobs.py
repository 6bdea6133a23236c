"""x"""
from sendonce_cli.group import group
app = group("jobs", "x")
def jobs() -> None: ...
