"""A service process is ready when it says so, and says why when it is not."""

import sys
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.processes import ChildFailed, ServiceProcess, ServiceSpec, environment, python_module

SERVES = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
print("serving as", os.environ["SENDONCE_NAME"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


def serving(tmp_path: Path) -> ServiceSpec:
    port = free_port()
    return ServiceSpec(
        name="server",
        command=(sys.executable, "-c", SERVES, str(port)),
        env={"SENDONCE_NAME": "a service"},
        log=tmp_path / "server.log",
        ready_url=f"http://127.0.0.1:{port}/readyz",
    )


async def test_it_serves_again_after_stop_kill_and_freeze(tmp_path: Path) -> None:
    async with ServiceProcess(serving(tmp_path)) as service:
        first = service.pid
        await service.restart()
        second = service.pid
        await service.kill()
        assert not service.running
        await service.start()
        service.pause()
        service.resume()
        await service.wait_ready()

        assert len({first, second, service.pid}) == 3
    assert not service.running
    assert "serving as a service" in service.log_tail()


async def test_a_service_that_ends_shows_its_log(tmp_path: Path) -> None:
    spec = ServiceSpec(
        name="broken",
        command=python_module("no_such_service"),
        log=tmp_path / "log",
        ready_url=f"http://127.0.0.1:{free_port()}/readyz",
    )

    with pytest.raises(ChildFailed, match=r"broken ended with 1\n(.|\n)*no_such_service"):
        await ServiceProcess(spec).start()


async def test_a_service_that_is_never_ready_is_killed_at_the_deadline(tmp_path: Path) -> None:
    spec = ServiceSpec(
        name="deaf",
        command=(sys.executable, "-c", "print('here', flush=True); import time; time.sleep(60)"),
        log=tmp_path / "log",
        ready_url=f"http://127.0.0.1:{free_port()}/readyz",
        ready_within=0.5,
    )
    service = ServiceProcess(spec)

    with pytest.raises(ChildFailed, match=r"deaf not ready in 0\.5 s\nhere"):
        await service.start()

    assert not service.running


async def test_a_frozen_service_can_be_stopped(tmp_path: Path) -> None:
    service = ServiceProcess(serving(tmp_path))
    await service.start()
    service.pause()

    await service.stop(within=5)

    assert not service.running


def test_a_service_sees_only_the_settings_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_BOT_TOKEN", "the person's own")

    seen = environment({"SENDONCE_NATS_URL": "nats://here"})

    assert {name for name in seen if name.startswith("SENDONCE_")} == {"SENDONCE_NATS_URL"}
