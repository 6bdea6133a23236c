"""x"""
from sendonce_cli.group import group
app = group("up", "x")
def up() -> None: ...
