"""What these tests share with those of other folders, by the names under which those import it themselves."""

import sys
from pathlib import Path

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("web", "engines", "changes"))
