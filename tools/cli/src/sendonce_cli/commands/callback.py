"""x"""
from sendonce_cli.group import group
app = group("callback", "x")
def callback() -> None: ...
