"""A mail node as the database sees it: what is on its list, and what it says it read back."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

Node = psycopg.Connection[tuple[Any, ...]]


def pull(node: Node) -> dict[int, Any]:
    """What is on the node's list: todo → the compiled object."""
    return {row[0]: row[4] for row in node.execute("SELECT * FROM node_pull()").fetchall()}


def acknowledge(node: Node, todo: list[int] | None = None, *, agrees: bool = True) -> int:
    """Strike these off (or all), each with evidence that says whether the daemon answered as compiled."""
    todo = list(pull(node)) if todo is None else todo
    evidence = Jsonb([[{"asked": "a test", "agrees": agrees}]] * len(todo))  # one list a todo, in their order
    ((struck,),) = node.execute("SELECT node_ack(%s, %s)", [todo, evidence]).fetchall()
    return int(struck)
