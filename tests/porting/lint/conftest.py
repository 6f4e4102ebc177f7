"""The linter reads programs with libcst, an extra of its own."""

import pytest

pytest.importorskip("libcst", reason="the linter reads programs with libcst: pip install 'rlbackends[port]'")
