"""The examples, importable, and a whole sendonce for them to run on."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
# As a newcomer runs it: from the directory of the example.
sys.path.insert(0, str(EXAMPLES / "bot"))
sys.path.insert(0, str(Path(__file__).parent))
