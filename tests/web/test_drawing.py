"""What a floor plan may bring onto a page: shapes, and nothing that a page could be hurt with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.drawing import MAX_BYTES, MAX_SHAPES, Drawing, DrawingError, read
from hub.web.outline import OutlineError, outline, transform

OPEN = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">'
WRITTEN = re.compile(
    r"<(rect|circle|ellipse|line|polyline|polygon|path)"
    r'( [a-z0-9]+="[-+MmLlHhVvCcSsQqTtAaZz0-9., e]*")+'
    r' transform="matrix\([-+0-9. e]+\)"/>'
)


def plan(inner: bytes, *rooms: str) -> Drawing:
    return read(OPEN + inner + b"</svg>", rooms)


def markup(drawing: Drawing) -> str:
    return "".join(part.markup for part in drawing.parts)


def test_a_shape_is_a_rooms_by_id_by_data_room_by_label_or_by_its_group() -> None:
    found = plan(
        b'<rect id="gym" width="10" height="10"/>'
        b'<rect data-room="hall" x="10" width="10" height="10"/>'
        b'<g xmlns:i="http://www.inkscape.org/namespaces/inkscape" i:label="cabin">'
        b'<circle cx="50" cy="25" r="5"/></g><path d="M0 0L100 50"/>',
        "gym",
        "hall",
        "cabin",
    )
    assert [part.room for part in found.parts] == ["gym", "hall", "cabin", ""]
    assert found.boxes["gym"] == (0, 0, 10, 20)
    assert found.boxes["cabin"] == (45, 40, 55, 60)


def test_where_a_room_is_follows_every_transform_around_it() -> None:
    inner = b'<g transform="scale(2)"><rect id="gym" width="5" height="5"/></g>'
    assert plan(b'<g transform="translate(20 10)">' + inner + b"</g>", "gym").boxes["gym"] == (
        20,
        20,
        30,
        40,
    )


SIZED = b'<svg xmlns="http://www.w3.org/2000/svg" %s><rect id="gym" width="5" height="5"/></svg>'


@pytest.mark.parametrize(
    "size",
    [
        b'width="1.2.3" height="5"',
        b'width="." height="5"',
        b'viewBox="nan 0 100 100"',
        b'viewBox="inf 0 100 100"',
        b'viewBox="1e300 0 100 100"',
        b'viewBox="0 0 1e-300 100"',
        b'viewBox="0 0 100 nan"',
    ],
)
def test_a_sheet_has_a_size_that_paper_has(size: bytes) -> None:
    with pytest.raises(DrawingError) as refused:
        read(SIZED % size, ["gym"])
    assert refused.value.code == "plan_no_size"


def test_groups_that_enlarge_each_other_beyond_all_numbers_are_refused() -> None:
    inner = b'<rect id="gym" width="5" height="5"/>'
    with pytest.raises(DrawingError) as refused:
        plan(b'<g transform="scale(9999)">' * 60 + inner + b"</g>" * 60, "gym")
    assert refused.value.code == "plan_bad_shape"


def test_a_megabyte_of_blanks_is_no_work() -> None:
    """Taken in every way in which it can be split, it would be hours."""
    blanks = b" " * (MAX_BYTES - 200)
    with pytest.raises(DrawingError):
        plan(b'<rect id="gym" width="5" height="5" transform="scale(1)' + blanks + b'x"/>', "gym")


def test_a_name_in_the_file_writes_no_second_line_into_the_log() -> None:
    told = plan(
        '<rect data-room="gyn&#10;ERROR \u202efalse" width="5" height="5"/>'.encode(), "gym"
    )
    assert told.strangers == ("gyn?ERROR ?false",)


def test_what_is_hidden_by_an_attribute_is_not_drawn() -> None:
    assert not plan(b'<rect id="gym" visibility="hidden" width="5" height="5"/>', "gym").parts


@pytest.mark.parametrize(
    "evil",
    [
        b"<script>alert(1)</script>",
        b'<image href="https://evil.example/x.png" width="9" height="9"/>',
        b'<use href="https://evil.example/x.svg#a"/>',
        b"<foreignObject><p>hello</p></foreignObject>",
        b"<style>@import url(https://evil.example/x.css)</style>",
        b'<rect width="9" height="9" onclick="alert(1)" onload="alert(2)"/>',
        b'<a href="javascript:alert(1)"><rect width="9" height="9"/></a>',
        b'<rect width="9" height="9" style="fill:url(https://evil.example/#x)"/>',
        b'<rect width="9" height="9" fill="url(javascript:alert(1))"/>',
        b"<text>evil words</text><title>evil words</title>",
        b'<animate attributeName="href" values="javascript:alert(1)"/>',
        b'<g><svg viewBox="0 0 1 1"><rect width="1" height="1"/></svg></g>',
        b'<iframe src="//evil.example"/><object data="x"/>',
    ],
)
def test_nothing_but_shapes_comes_through(evil: bytes) -> None:
    found = plan(evil + b'<rect id="gym" width="10" height="10"/>', "gym")
    assert "gym" in found.boxes
    assert WRITTEN.sub("", markup(found)) == ""
    assert not re.search("evil|script|href|style|on[a-z]+=|url", markup(found))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "plan_not_xml"),
        (b"GIF89a", "plan_not_xml"),
        (b"<svg viewBox='0 0 9 9'><rect></svg>", "plan_not_xml"),
        (b'<?xml version="1.0" encoding="gb2312"?><svg viewBox="0 0 9 9"/>', "plan_encoding"),
        (b'<?xml version="1.0" encoding="none"?><svg viewBox="0 0 9 9"/>', "plan_encoding"),
        (b"<html/>", "plan_not_svg"),
        (b"<svg/>", "plan_no_size"),
        (b'<svg viewBox="0 0 0 9"/>', "plan_no_size"),
        (b'<svg viewBox="0 0 1e9 9"/>', "plan_no_size"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg viewBox="0 0 9 9">&a;</svg>', "plan_declares"),
        (
            b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg viewBox="0 0 9 9"/>',
            "plan_declares",
        ),
        (OPEN + b" " * MAX_BYTES + b"</svg>", "plan_too_large"),
        (OPEN + b"<g>" * 80 + b"</g>" * 80 + b"</svg>", "plan_too_deep"),
        (OPEN + b'<rect width="1" height="1"/>' * (MAX_SHAPES + 1) + b"</svg>", "plan_too_many"),
        (OPEN + b'<path id="x" d="M0 0 <evil>"/></svg>', "plan_not_xml"),
        (OPEN + b'<path id="x" d="M0 0 L javascript"/></svg>', "plan_bad_shape"),
        (OPEN + b'<rect id="x" width="1e12" height="1"/></svg>', "plan_bad_shape"),
        (
            OPEN + b'<rect transform="skewX(9)" width="1" height="1"/></svg>',
            "plan_bad_shape",
        ),
    ],
)
def test_what_is_no_plan_is_refused_with_a_code(source: bytes, code: str) -> None:
    with pytest.raises(DrawingError) as caught:
        read(source, ["gym"])
    assert caught.value.code == code


def test_a_doctype_as_editors_write_it_is_no_harm() -> None:
    kind = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">'
    assert read(kind + OPEN + b'<rect id="gym" width="9" height="9"/></svg>', ["gym"]).boxes


def test_what_is_hidden_in_the_editor_stays_hidden() -> None:
    assert not plan(
        b'<g style="display:none"><rect id="gym" width="9" height="9"/></g>', "gym"
    ).parts


def test_a_name_that_was_meant_as_a_rooms_is_told_and_a_wall_is_not() -> None:
    found = plan(
        b'<rect id="gymm" width="9" height="9"/><rect data-room="pool" width="9" height="9"/>'
        b'<path id="walls" d="M0 0H9"/>',
        "gym",
    )
    assert found.strangers == ("gymm", "pool")


def test_a_plan_is_drawn_dark_light_or_as_a_line() -> None:
    found = plan(
        b'<rect width="9" height="9" fill="#fafafa"/><rect width="9" height="9"/>'
        b'<rect width="9" height="9" style="fill:none;stroke:#000"/>'
        b'<rect width="9" height="9" class="st0"/>'
    )
    assert [part.look for part in found.parts] == ["paper", "ink", "line", "line"]


def test_the_plan_of_the_demo_has_all_its_rooms() -> None:
    file = Path(__file__).parents[2] / "config/plans/demo-1.svg"
    assert set(read(file.read_bytes(), ["hall", "canteen", "corridor"]).boxes) == {
        "hall", "canteen", "corridor",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arc",
    [
        "a1 1 0 01 2 2",
        "a1 1 0 012 2",
        "a1 1 0 0 1 2 2",
        "a1,1,0,0,1,2,2",
        "a1 1 0 012.0 2",
        "A1 1 0 0112 12",
    ],
)
def test_an_arc_may_be_written_without_blanks_after_its_flags(arc: str) -> None:
    """As programs do that make a drawing small."""
    found = outline("path", {"d": f"M10 10{arc}"})
    assert found is not None
    assert found.points == [(10, 10), (12, 12)]
    assert re.search("[aA]1 1 0 0 1 1?2 1?2$", found.numbers["d"])


def test_several_arcs_in_one_command_are_read_one_by_one() -> None:
    found = outline("path", {"d": "M0 0a1 1 0 0110 0 1 1 0 10.5.5z"})
    assert found is not None
    assert found.points == [(0, 0), (10, 0), (10.5, 0.5), (0, 0)]


@pytest.mark.parametrize("arc", ["a1 1 0 2 1 2 2", "a1 1 0 0 1 2", "a1 1 0 -1 1 2 2", "a1 1 0 01x"])
def test_what_is_no_arc_is_refused(arc: str) -> None:
    with pytest.raises(OutlineError):
        outline("path", {"d": f"M0 0{arc}"})


@given(st.binary(max_size=300))
def test_any_bytes_are_a_plan_or_refused(inner: bytes) -> None:
    try:
        found = plan(inner, "gym")
    except DrawingError:
        return
    assert WRITTEN.sub("", markup(found)) == ""


@given(st.text("MmLlHhVvCcSsQqTtAaZz0123456789-. ,e", max_size=80))
def test_any_path_has_an_extent_or_is_refused(text: str) -> None:
    try:
        found = outline("path", {"d": text})
        transform(text)
    except OutlineError:
        return
    assert found is None or found.points
