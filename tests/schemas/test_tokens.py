import pyarrow as pa
import pytest

from schemas.tokens import token_type


@pytest.mark.parametrize(
    ("size", "kind"),
    [(256, pa.uint16()), (1 << 16, pa.uint16()), ((1 << 16) + 1, pa.uint32())],
)
def test_takes_the_narrowest_type_that_holds_every_id(size, kind):
    assert token_type(size) == kind
