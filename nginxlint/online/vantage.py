"""From where it was seen: what is reachable depends on it, so every report and recording says it."""

from __future__ import annotations

import os
import socket


def vantage() -> str:
    """This machine's name, and that it is a container or a CI job where it is one."""
    return socket.gethostname() + (" (a CI job)" if on_ci() else " (a container)" if in_container() else "")


def on_ci() -> bool:
    """Is this a job of a CI system? All of them set CI."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no", "off")


def in_container() -> bool:
    """Docker and Podman leave a file, Kubernetes an environment, others a word in the environment of process 1."""
    return any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))) or "KUBERNETES_SERVICE_HOST" in os.environ
