"""Ask the node's milter what it has read, signs with, and lets pass; over its status socket."""

import json
import socket
from collections.abc import Sequence
from typing import Any

from .asking import Answer
from .layout import NodeConfig


def milter_status(
    config: NodeConfig, domains: Sequence[str] = (), behalf: Sequence[tuple[str, str]] = ()
) -> Answer:  # fmt: skip
    """The milter's own word; {"error": …} if it does not answer. behalf: pairs of which it says who may."""
    return milter_said(config, {"domains": list(domains), "behalf": list(behalf)})


def milter_said(config: NodeConfig, question: dict[str, Any]) -> Answer:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(str(config.milter_status))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                return dict(json.loads(answer.readline() or b"{}"))
    except (OSError, ValueError) as error:
        return {"error": str(error)}
