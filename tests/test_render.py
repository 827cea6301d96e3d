"""Pictures of sound: where values lie, what is written around them, and each kind of file."""

from __future__ import annotations

import base64
import csv
import io
import json

import numpy as np
import pypdfium2
import pytest
import xarray
from PIL import Image

from realtime import RealtimeError, RequestError, Sound, analyse, read_picture, render
from realtime.picture.format import picture_format
from realtime.picture.look import Look, map_colours
from realtime.picture.own import OwnPicture
from realtime.picture.placing import Cells
from realtime.picture.png import read_png
from realtime.picture.sheet import Margins, lay_out, time_text

RATE = 22050


def tone(hz, seconds=3.0, rate=RATE):
    t = np.arange(int(seconds * rate)) / rate
    return Sound(0.5 * np.sin(2 * np.pi * hz * t), rate)


def noise(rng, seconds=1.0, channels=1):
    return Sound(0.1 * rng.standard_normal((int(seconds * RATE), channels)), RATE)


def rgb(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def sheet_of(path, title=""):
    own = read_picture(path)
    assert isinstance(own, OwnPicture)
    return own, lay_out(own.placing, own.format, Margins.at(100, bool(title)), title)


# ---------------------------------------------------------------------- pixels


@pytest.mark.parametrize(
    ("kind", "scale"),
    [("stft", "rows"), ("stft", "linear"), ("stft", "log"), ("stft", "mel"), ("stft", "notes"),
     ("mel", "rows"), ("bark", "rows"), ("erb", "rows"), ("cqt", "rows"), ("mel", "log")],
)  # fmt: skip
def test_a_tone_of_1_khz_lies_at_the_tick_of_1_khz(kind, scale, tmp_path):
    out = tmp_path / "tone.png"
    more = {"hop": 256} if kind == "cqt" else {"n_fft": 4096}
    render(tone(1000.0), out, kind, scale=scale, **more)
    own, sheet = sheet_of(out)
    left, top, width, height = own.placing.panes[0]
    if scale == "notes":
        assert {"C4", "Note"} <= {text.text for text in sheet.texts}
        at = top + (1 - own.placing.share_of(1000.0, own.format)) * height
    else:
        text = next(text for text in sheet.texts if text.text == "1000")
        ticks = [line.y0 for line in sheet.lines if line.x1 == left]
        at = min(ticks, key=lambda y: abs(y - (text.y - 0.365 * text.size)))
        ink = rgb(out)[round(at - 0.5), left - 3]
        assert ink.sum() == 0, "the tick is drawn where it is said to be"
    column = rgb(out)[top : top + height, left + width // 2].sum(axis=1)
    bright = np.flatnonzero(column == column.max())
    one_row = height * abs(
        own.placing.share_of(float(own.format.hz_at(own.format.row_at(1000.0) + 1)), own.format)
        - own.placing.share_of(1000.0, own.format)
    )
    assert abs(top + bright.mean() + 0.5 - at) <= 0.5 * one_row + 1


def test_a_click_lies_at_its_time_and_half_a_second_is_not_rounded_off(tmp_path):
    samples = np.zeros(15 * RATE)
    samples[int(10.5 * RATE)] = 1.0
    out = tmp_path / "click.png"
    render(Sound(samples, RATE), out, "mel", size=(2400, 400), n_fft=512, hop=128)
    own, sheet = sheet_of(out)
    left, top, width, height = own.placing.panes[0]
    label = next(text for text in sheet.texts if text.text == "10.5")
    row = rgb(out)[top + height // 2, left : left + width].sum(axis=1)
    bright = np.flatnonzero(row == row.max())
    assert abs(left + bright.mean() + 0.5 - label.x) <= 2
    tick = rgb(out)[top + height + 3]
    assert tick[int(label.x) - 1 : int(label.x) + 2].sum(axis=1).min() == 0


@pytest.mark.parametrize(
    ("seconds", "decimals", "units", "text"),
    [(10.5, 1, 0, "10.5"), (0.0, 0, 0, "0"), (90.0, 0, 1, "1:30"), (630.0, 0, 1, "10:30"),
     (30.0, 0, 1, "0:30"), (3723.0, 0, 2, "1:02:03"), (0.05, 2, 0, "0.05")],
)  # fmt: skip
def test_times_are_said_exactly(seconds, decimals, units, text):
    assert time_text(seconds, decimals, units) == text


def test_colours_are_those_of_the_bar_and_the_bar_says_its_levels(rng, tmp_path):
    out = tmp_path / "noise.png"
    render(noise(rng), out, "mel")
    own, sheet = sheet_of(out)
    pixels = rgb(out)
    left, top, width, height = sheet.bar
    bar = pixels[top : top + height, left + width // 2]
    assert (pixels[top : top + height, left : left + width] == bar[:, None]).all()
    table = map_colours("magma").astype(int)
    assert (bar[0] == table[255]).all() and (bar[-1] == table[0]).all()
    assert {"+0 dB", "-40 dB", "-80 dB"} <= {text.text for text in sheet.texts}
    known = {tuple(colour) for colour in bar.tolist()}
    pane = own.placing.panes[0]
    inside = pixels[pane[1] : pane[1] + pane[3], pane[0] : pane[0] + pane[2]].reshape(-1, 3)
    assert {tuple(colour) for colour in inside.tolist()} <= known


@pytest.mark.parametrize(("dpi", "channels"), [(50, 1), (100, 3), (200, 1)])
def test_no_text_is_cut_off_and_none_lies_on_a_pane(rng, tmp_path, dpi, channels):
    out = tmp_path / "p.png"
    render(
        noise(rng, channels=channels), out, "mel", size=(10 * dpi, 4 * dpi * channels), dpi=dpi,
        title="A title, and one that is far too long for its picture " * 3, ref=1e-6,
    )  # fmt: skip
    pixels = rgb(out)
    for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (side == 255).all()
    own, _ = sheet_of(out)
    assert own.off == 0, "no letter colours a pixel of a pane"


def test_channels_have_a_pane_each_and_mono_has_their_mean(rng, tmp_path):
    sound = noise(rng, channels=2)
    render(sound, tmp_path / "two.png", "mel")
    render(sound, tmp_path / "one.png", "mel", mono=True)
    two, one = read_picture(tmp_path / "two.png"), read_picture(tmp_path / "one.png")
    assert two.db.shape[0] == 2 and one.db.shape[0] == 1
    assert not np.array_equal(two.db[0], two.db[1])


def test_the_picture_of_the_tutorial_has_its_size_and_one_pixel_a_frame_at_14_s(rng, tmp_path):
    out = tmp_path / "t.png"
    made = render(noise(rng, 14.0), out, "mel", size=(1000, 400), title="Mel spectrogram")
    with Image.open(out) as image:
        assert image.size == (1000, 400)
        assert image.info["dpi"] == pytest.approx((100, 100), abs=0.1)
    assert made.picture.n_columns is None and made.notes == ()


@pytest.mark.parametrize("way", ["peak", "mean"])
def test_width_makes_columns_fewer(rng, tmp_path, way):
    sound = noise(rng, 2.0)
    render(sound, tmp_path / "narrow.png", bare=True, width=20, reduce=way)
    assert rgb(tmp_path / "narrow.png").shape == (1025, 20, 3)
    narrow = read_picture(tmp_path / "narrow.png")
    wanted = analyse(sound, n_columns=20, reduce=way)
    assert narrow.format == wanted.picture
    assert np.abs(narrow.db - wanted.db()).max() <= 0.5001 * narrow.step_db


def test_a_sound_too_long_for_a_column_a_frame_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime.picture.look.MOST_COLUMNS", 50)
    made = render(tone(500.0), tmp_path / "long.png", "mel")
    assert made.picture.n_columns == 50
    assert "130 frames share 50 columns" in made.notes[0]


def test_a_picture_is_the_same_in_strips_of_any_height(rng, tmp_path, monkeypatch):
    sound = noise(rng, channels=2)
    render(sound, tmp_path / "a.png", "mel", title="Whole")
    monkeypatch.setattr("realtime.picture.render.STRIP_BYTES", 20_000)
    render(sound, tmp_path / "b.png", "mel", title="Whole")
    assert (rgb(tmp_path / "a.png") == rgb(tmp_path / "b.png")).all()


# ---------------------------------------------------------------------- cells


@pytest.mark.parametrize(("n_pixels", "n_cells"), [(7, 7), (20, 7), (1000, 603), (5, 12), (1, 3)])
def test_every_cell_is_shown_and_alone_where_there_are_as_many_pixels(n_pixels, n_cells):
    cells = Cells.under(np.linspace(0, n_cells, n_pixels + 1), n_cells)
    values = np.arange(n_cells)[None]
    assert set(cells.of(values, 1)[0]) <= set(range(n_cells))
    at, alone = cells.pixels()
    assert (at >= 0).all()
    if n_pixels >= n_cells:
        assert alone.all()
        assert (cells.of(values, 1)[0][at] == values[0]).all()
    else:
        assert cells.of(values, 1)[0][-1] == n_cells - 1


def test_pixels_show_the_greatest_of_their_cells():
    cells = Cells.under(np.linspace(0, 6, 4), 6)
    assert cells.of(np.array([[3, 1, 5, 9, 0, 2]]), 1).tolist() == [[3, 9, 2]]


# ---------------------------------------------------------------------- other files


def test_svg_and_pdf_look_like_the_png(rng, tmp_path):
    sound = noise(rng, 2.0, channels=2)
    look = {"size": (1000, 500), "title": "Ämter − Ж"}
    for name in ("p.png", "p.svg", "p.pdf"):
        render(sound, tmp_path / name, "mel", **look)
    png = rgb(tmp_path / "p.png")
    page = pypdfium2.PdfDocument(tmp_path / "p.pdf")[0]
    pdf = np.asarray(page.render(scale=100 / 72).to_pil().convert("RGB")).astype(int)
    assert pdf.shape == png.shape
    assert np.abs(pdf - png).mean() < 2
    text = page.get_textpage().get_text_range()
    assert "Ämter − Ж" in text and "10000" in text and "-80 dB" in text
    svg = (tmp_path / "p.svg").read_text()
    assert svg.count("<image") == 3 and "Ämter − Ж</text>" in svg
    assert 'width="10in" height="5in"' in svg


def test_data_files_hold_the_values_themselves(rng, tmp_path):
    sound = noise(rng, 1.0, channels=2)
    analysis = analyse(sound, "mel", n_rows=16)
    db, times = analysis.db(), analysis.picture.frame_times()
    for name in ("d.npz", "d.zarr", "d.csv"):
        render(sound, tmp_path / name, "mel", n_rows=16)
    with np.load(tmp_path / "d.npz") as held:
        np.testing.assert_array_equal(held["db"], db)
        np.testing.assert_allclose(held["time"], times)
        np.testing.assert_allclose(held["frequency"], analysis.picture.row_frequencies())
        assert str(held["format"]) == analysis.picture.to_json()
    with xarray.open_zarr(tmp_path / "d.zarr", consolidated=False) as opened:
        np.testing.assert_array_equal(opened.db.values, db)
        assert opened.db.dims == ("channel", "time", "frequency")
        np.testing.assert_allclose(opened.time.values, times)
    lines = list(csv.reader((tmp_path / "d.csv").read_text().splitlines()))
    assert lines[0][:2] == ["channel", "seconds"] and len(lines) == 1 + 2 * db.shape[1]
    assert np.abs(np.array(lines[2][2:], float) - db[1, 0]).max() <= 0.0051


def test_a_page_that_zooms_holds_the_values(rng, tmp_path):
    render(noise(rng, 1.0), tmp_path / "p.html", "mel", title="Noise")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "heatmap" in page and "Noise" in page and 'src="https' not in page


@pytest.mark.parametrize(
    ("kind", "scale", "axis"),
    [
        ("stft", "rows", "linear"),
        ("stft", "log", "log"),
        ("mel", "rows", "log"),
        ("mel", "linear", "linear"),
    ],
)
def test_a_page_has_the_axis_that_was_asked_for(rng, tmp_path, kind, scale, axis):
    render(noise(rng, 0.2), tmp_path / "p.html", kind, scale=scale)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    drawn, decoder = page[page.rindex("Plotly.newPlot") :], json.JSONDecoder()
    traces, end = decoder.raw_decode(drawn, drawn.index("["))
    layout, _ = decoder.raw_decode(drawn, drawn.index("{", end))
    assert layout["yaxis"]["type"] == axis
    edges = traces[0]["y"]
    edges = np.frombuffer(base64.b64decode(edges["bdata"]), edges["dtype"])
    assert (np.diff(edges) > 0).all() and (axis == "linear" or edges[0] > 0)


def test_a_title_in_letters_that_are_not_there_is_told(tmp_path):
    whole = render(tone(440.0, 0.1), tmp_path / "x.png", title="Ämter − Ж Ω …")
    assert whole.notes == ()
    (note,) = render(tone(440.0, 0.1), tmp_path / "x.png", title="a 鳥 b 🐦 鳥").notes
    assert note.startswith("the title lacks '鳥🐦'")
    assert render(tone(440.0, 0.1), tmp_path / "x.svg", title="鳥").notes == ()


def test_silence_is_dark_and_told(tmp_path):
    drawn = render(Sound(np.zeros(4000), RATE), tmp_path / "s.png", bare=True, colormap="gray")
    assert drawn.notes == ("the sound is silent: there is nothing to be seen",)
    assert not np.asarray(Image.open(tmp_path / "s.png")).any()


def test_without_plotly_a_page_is_refused_with_the_extra_that_has_it(rng, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "plotly", None)
    with pytest.raises(RealtimeError, match=r"pip install 'realtime-spectrogram\[html\]'"):
        render(noise(rng), tmp_path / "p.html")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"bits": 16}, "bits=16 must be 8, or 16 where the picture is bare and colormap is gray"),
        ({"bare": True, "size": (100, 100)}, "a bare picture has one pixel a row and column"),
        ({"size": (100, 100), "width": 5}, "size says how wide the picture is"),
        ({"size": (40, 40)}, "size=40x40 leaves 0 x 0 pixels for each of 1 panes"),
        ({"size": (1 << 20, 1 << 20)}, "are more than 128 million"),
        ({"width": 0}, "width=0 must be at least 1"),
        ({"dpi": 5.0}, "dpi=5 must be 20 to 1200"),
        ({"colormap": "brown"}, "colormap='brown' is unknown"),
        ({"scale": "lin"}, "unknown scale 'lin', did you mean 'linear'"),
        ({"out": "x.gif"}, "must end in one of .png"),
        ({"out": "x.svg", "bare": True}, "are of .png, not of .svg"),
        ({"out": "x.html", "scale": "mel"}, "scale=mel of a page must be one of rows, linear, log"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(arguments, sentence, tmp_path):
    out = tmp_path / arguments.pop("out", "x.png")
    with pytest.raises(RequestError, match=sentence.replace(".", r"\.")):
        render(tone(440.0, 0.1), out, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RealtimeError, match="cannot be written"):
        render(tone(440.0, 0.1), tmp_path / "none" / "x.png")


def test_a_picture_that_fails_half_way_leaves_the_old_one(tmp_path, monkeypatch):
    out = tmp_path / "x.png"
    out.write_bytes(b"old")

    def full(*args, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("realtime.picture.render.write_png", full)
    with pytest.raises(RealtimeError, match="No space left"):
        render(tone(440.0, 0.1), out)
    assert out.read_bytes() == b"old" and list(tmp_path.iterdir()) == [out]


def test_the_default_picture_has_a_pixel_for_every_value():
    picture = picture_format("stft", sample_rate=48000, n_samples=480_000, n_channels=2)
    look = Look()
    placing = look.place(picture, picture.n_frames)
    at, alone = placing.rows(picture).pixels()
    assert alone.all() and placing.columns(picture.n_frames).pixels()[1].all()
    assert (np.diff(at) >= 1).all()


def test_pixels_are_decoded_as_pillow_does(rng, tmp_path):
    out = tmp_path / "p.png"
    render(noise(rng), out, keep_sound=True)
    png = read_png(out)
    inner = np.asarray(Image.open(io.BytesIO(png.image)).convert("RGB"))
    assert (inner == rgb(out)).all()
