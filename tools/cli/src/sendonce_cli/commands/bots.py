"""x"""
from sendonce_cli.group import group
app = group("bots", "x")
def bots() -> None: ...
