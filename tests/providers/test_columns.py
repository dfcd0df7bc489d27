"""The fast reader takes nothing that the typed reader would not, and reads the same numbers."""

import json
import string

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gapless.errors import BadAnswer
from gapless.providers.columns import Columns, regular_columns, strict_columns
from gapless.providers.envelope import read_envelope, read_page
from providers.hand_made import compact, envelope

NAMES = ["v", "vw", "o", "c", "h", "l", "t", "n"]


def _go(number: float) -> str:
    """As Go writes it: an exponent with sign and two digits from a million on, and below a ten-thousandth."""
    if number == int(number) and abs(number) < 1e6:
        return str(int(number))
    if 1e-4 <= abs(number) < 1e6:
        return repr(number)
    mantissa, exponent = f"{number:.6e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent):+03d}"


plain = st.one_of(
    st.integers(0, 2 * 10**12).map(str),
    st.floats(0, 1e12).map(_go),
    st.floats(0, 1e12).map(repr),
    st.sampled_from(["0", "0.0", "1e-06", "5.617399e+07", "1E5", "1e5", "9007199254740993", "-1", "-0"]),
)
"""A number as text: mostly as the vendor writes it, sometimes as only JSON allows it."""


@st.composite
def regular_rows(draw: st.DrawFn) -> str:
    """The text between the brackets: all rows with the same names in the same order."""
    optional = draw(st.sets(st.sampled_from(["v", "vw", "n"])))
    names = draw(st.permutations([n for n in NAMES if n in "ohlct" or n in optional]))
    rows = draw(st.lists(st.lists(plain, min_size=len(names), max_size=len(names)), min_size=1, max_size=4))
    return ",".join(
        "{" + ",".join(f'"{n}":{x}' for n, x in zip(names, row, strict=True)) + "}" for row in rows
    )


@st.composite
def damaged(draw: st.DrawFn, text: st.SearchStrategy[str], alphabet: str) -> str:
    """A text with a few characters put in, taken out, exchanged or moved."""
    damaged = draw(text)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(damaged)))
        to = draw(st.integers(at, min(len(damaged), at + 3)))
        new = draw(st.one_of(st.text(alphabet, max_size=3), st.just(damaged[at:to][::-1])))
        damaged = damaged[:at] + new + damaged[to:]
    return damaged


def _same(left: Columns, right: Columns) -> bool:
    """Equal where either has a column; one that a reader leaves out is all missing."""
    count = len(left["t"])
    nothing = np.full(count, np.nan)
    return all(np.array_equal(left.get(n, nothing), right.get(n, nothing), equal_nan=True) for n in NAMES)


def _fast_means_strict(rows: str) -> None:
    fast = regular_columns(f"[{rows}]".encode())
    if fast is not None:
        assert _same(fast, strict_columns(f"[{rows}]".encode()))


@given(rows=regular_rows())
def test_regular_rows_are_read_alike_by_both_and_by_the_standard_library(rows: str) -> None:
    """Three readers, one answer."""
    _fast_means_strict(rows)
    strict = strict_columns(f"[{rows}]".encode())
    for name in NAMES:
        plain = [float(row.get(name, "nan")) for row in json.loads(f"[{rows}]")]
        assert np.array_equal(strict[name], plain, equal_nan=True)


@st.composite
def uneven_rows(draw: st.DrawFn) -> str:
    """Rows in the vendor's order, each without some of what is optional."""
    rows = []
    for lacking in draw(st.lists(st.sets(st.sampled_from(["v", "vw", "n"])), min_size=1, max_size=30)):
        fields = (f'"{n}":{draw(st.floats(0, 1e12).map(_go))}' for n in NAMES if n not in lacking)
        rows.append("{" + ",".join(fields) + "}")
    return ",".join(rows)


@given(rows=uneven_rows())
def test_rows_that_lack_different_fields_are_still_regular(rows: str) -> None:
    """A thin stock's page, with minutes that have no average, needs no slower reader."""
    fast = regular_columns(f"[{rows}]".encode())
    assert fast is not None
    assert _same(fast, strict_columns(f"[{rows}]".encode()))


HOLES = [
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v-1e":5}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v"-1e:5}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,-1e"v":5}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v1e":5}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v0e+":5}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v-1e+1":}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v1":}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1,"v":}5',
    '{"o":1,"h":1,"l":1,"c":1,"t":1}5,{"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1},5{"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":}-1,{"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"oe":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":-1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":01,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1e999,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1.,"h":1,"l":1,"c":1,"t":1}',
    '{"o":.1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":+1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1},',
    ',{"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1}{"o":1,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":1},{"h":1,"o":1,"l":1,"c":1,"t":1}',
    '{"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":"1"}',
    '{"o":1,"h":1,"l":1,"c":1,"t":null}',
    '{"o":1 2,"h":1,"l":1,"c":1,"t":1}',
    '{"o":1,"h":1,"l":1,"c":1,"t":123456789012345678901234567890}',
    "{}",
    "",
    "5",
]


@pytest.mark.parametrize("rows", HOLES)
def test_what_is_not_provably_regular_is_left_to_the_typed_reader(rows: str) -> None:
    """Digits in odd places, names that only look right once digits are gone, and the like."""
    assert regular_columns(f"[{rows}]".encode()) is None


@settings(max_examples=600, deadline=None)
@given(rows=damaged(regular_rows() | uneven_rows(), "0123456789+-.eE"))
@example(HOLES[0])
def test_misplaced_digits_never_slip_through(rows: str) -> None:
    """Only characters of numbers are moved, which the comparison of names cannot see."""
    try:
        _fast_means_strict(rows)
    except BadAnswer as error:
        pytest.fail(f"the fast reader took what the typed one refuses: {error}")


@settings(max_examples=400, deadline=None)
@given(rows=damaged(regular_rows() | uneven_rows(), string.digits + '+-.eE{}[]",: vwochltn\\\n\x00é'))
def test_damaged_rows_never_slip_through(rows: str) -> None:
    """Any character, anywhere."""
    try:
        _fast_means_strict(rows)
    except BadAnswer as error:
        pytest.fail(f"the fast reader took what the typed one refuses: {error}")


whole_pages = regular_rows().map(lambda rows: compact(envelope([])).decode().replace("[]", f"[{rows}]"))


@settings(max_examples=400, deadline=None)
@given(body=damaged(whole_pages, string.ascii_letters + string.digits + '+-.eE{}[]",: \\'))
def test_a_page_is_read_the_same_whichever_reader_takes_its_rows(body: str) -> None:
    """Both refuse, or both accept with equal numbers and an equal envelope."""
    try:
        envelope = read_envelope(body.encode())
        rows = bytes(envelope.results)
        typed = None if rows in (b"null", b"[]") else strict_columns(rows)
    except BadAnswer:
        with pytest.raises(BadAnswer):
            read_page(body.encode())
        return
    found, columns = read_page(body.encode())
    assert (columns is None) == (typed is None)
    assert columns is None or typed is None or _same(columns, typed)
    assert (found.ticker, found.query_count, found.next_url) == (
        envelope.ticker,
        envelope.query_count,
        envelope.next_url,
    )


@pytest.mark.parametrize("piece", [1, 50, 200, 1000])
def test_pieces_of_any_length_give_the_same_columns(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is read piece by piece; a fault in the last one refuses the whole."""
    rows = [f'{{"o":{i}.5,"c":1e-0{i},"h":7,"l":0,"t":{i}}}' for i in range(1, 10)]
    array = f"[{','.join(rows)}]".encode()
    monkeypatch.setattr("gapless.providers.columns._PIECE", piece)

    columns = regular_columns(array)

    assert columns is not None
    assert _same(columns, strict_columns(array))
    assert regular_columns(array.replace(b'"t":9', b'"t"9:')) is None
    assert regular_columns(array.replace(b"},{", b"}, {")) is None


def test_the_usual_page_takes_the_fast_way() -> None:
    """Eight fields as the vendor writes them, exponents included; else the figures would be for nothing."""
    row = '{"v":1.5e+06,"vw":187.2,"o":187.15,"c":187.3,"h":187.4,"l":187,"t":1704205800000,"n":9001}'
    index = '{"o":1,"c":1,"h":1,"l":1,"t":1678341600000}'

    assert regular_columns(f"[{row},{row},{row}]".encode()) is not None
    assert regular_columns(f"[{index}]".encode()) is not None
