"""Recorded answers of the vendor, read out of the cassettes that hold them."""

import re

from shared_data import data_path


def cassette(name: str) -> bytes:
    """The body of the one answer in a cassette: a single-quoted text, folded over lines."""
    text = data_path(f"polygon_recorded/polygonio-rb/{name}.yml").read_text()
    found = re.search(r"\n      string: '([{\[].*)'\n    http_version", text, re.DOTALL)
    assert found is not None
    return re.sub(r"\n +", " ", found[1]).replace("''", "'").encode()


def sample(name: str) -> bytes:
    """A recorded array without its envelope."""
    return data_path(f"polygon_recorded/perspective/{name}.json").read_bytes()


def vendors_own(name: str) -> bytes:
    """An answer from the tests of the vendor's own client."""
    return data_path(f"polygon_recorded/massive-client-python/{name}.json").read_bytes()
