"""What these tests share with those of pages and API: the same visitors, the same callers, the same list of addresses."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "web"))  # `visitors` and `test_urls`, as tests there import them

from api.conftest import at_api  # noqa: F401
