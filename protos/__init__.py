"""The wire contract: protos/twin/v1/*.proto and the stubs generated from them."""

import sys
from pathlib import Path

# The protos import "buf/validate/validate.proto" under its canonical name, which the protovalidate of every
# language uses; no package ships the Python stub of it, so ours is found last on the path.
_THIRD_PARTY = str(Path(__file__).parent / "third_party")
if _THIRD_PARTY not in sys.path:
    sys.path.append(_THIRD_PARTY)
