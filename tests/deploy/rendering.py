"""The overlays of deploy/kubernetes, as kustomize renders them."""

import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"
OVERLAYS: Final = ("base", "small", "production")
WORKLOADS: Final = ("Deployment", "StatefulSet", "Job")

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # safe, and of the two the fast one

Document = dict[str, Any]


def kubectl() -> str | None:
    """Return the program that renders; None where it is not installed."""
    return shutil.which("kubectl")


@cache
def rendered(overlay: str) -> str:
    """Render one overlay."""
    program = kubectl()
    assert program is not None
    done = subprocess.run(
        [program, "kustomize", str(KUBERNETES / overlay)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@cache
def _parsed(overlay: str) -> list[Document]:
    return [one for one in yaml.load_all(rendered(overlay), Loader=LOADER) if one]


def documents(overlay: str) -> list[Document]:
    """Return every object of an overlay, fresh each time."""
    return deepcopy(_parsed(overlay))


def workloads(found: list[Document]) -> Iterator[Document]:
    """Return what runs pods."""
    return (one for one in found if one["kind"] in WORKLOADS)


def pod_of(workload: Document) -> Document:
    """Return the pod a workload runs."""
    spec: Document = workload["spec"]["template"]["spec"]
    return spec


def app_of(workload: Document) -> str:
    """Return the name by which its pods are found."""
    name: str = workload["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
    return name


def name_of(one: Document) -> str:
    """Name an object for a person."""
    return f"{one['kind']} {one['metadata']['name']}"
