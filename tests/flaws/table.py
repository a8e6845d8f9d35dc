"""x"""

from dataclasses import dataclass

PLANTS = {}


@dataclass
class Plant:
    row: int
