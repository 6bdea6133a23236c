"""x"""
from sendonce_cli.group import group
app = group("orphans", "x")
def orphans() -> None: ...
