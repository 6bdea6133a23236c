"""x"""
from sendonce_cli.group import group
app = group("status", "x")
def status() -> None: ...
