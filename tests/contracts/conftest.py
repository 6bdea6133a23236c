"""What the tests of the documents share is a module beside them; tests are imported without packages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
