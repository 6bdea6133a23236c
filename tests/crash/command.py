"""`sendonce` as an operator types it, forked like a service: `python -m crash.command migrate up`."""

from sendonce_cli.main import app

if __name__ == "__main__":
    app()
