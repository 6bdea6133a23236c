"""x"""
from sendonce_cli.group import group
app = group("doctor", "x")
def doctor() -> None: ...
