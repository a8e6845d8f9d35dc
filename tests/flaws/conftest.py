"""What these tests share with those of pages and API: visitors, callers, the list of addresses."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "web"))  # `visitors` and `test_urls`, as tests there import them

from api.conftest import at_api  # noqa: F401
