"""x"""
from sendonce_cli.group import group
app = group("migrate", "x")
def migrate() -> None: ...
