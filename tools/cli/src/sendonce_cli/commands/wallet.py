"""x"""
from sendonce_cli.group import group
app = group("wallet", "x")
def wallet() -> None: ...
