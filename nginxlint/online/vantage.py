"""From where it was seen: what is reachable depends on it, so every report and recording says it."""

from __future__ import annotations

import os
import socket


def vantage() -> str:
    """This machine's name, and that it is a container where it is one."""
    return socket.gethostname() + (" (a container)" if in_container() else "")


def in_container() -> bool:
    """Docker and Podman leave a file, Kubernetes an environment, others a word in the environment of process 1."""
    return any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))) or "KUBERNETES_SERVICE_HOST" in os.environ
