"""The values of a picture as data: NPZ, Zarr or CSV of any length, and HTML that zooms.

    db         dB, float32 (channel, time, frequency)
    time       seconds, the middle of each column's frames
    frequency  Hz, the middle of each row
    format     how the sound became dB: the JSON of `PictureFormat`

numpy.load opens NPZ, xarray.open_zarr opens Zarr; CSV has a line a channel and column.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import MissingDependency
from realtime.picture.analysis import Analysis
from realtime.picture.format import PictureFormat
from realtime.picture.look import Look
from realtime.picture.placing import ROWS, pane_range
from realtime.picture.reduce import column_edges

MOST_SHOWN = 4_000_000
"""Values in an HTML page: 5 MB of them, and as many as a browser zooms without waiting."""

CHUNK_BYTES = 4 << 20
"""Of a Zarr chunk: 0.5 s to compress, less to read."""

ZARR = {"threading.max_workers": 1, "async.concurrency": 1}


def export(
    analysis: Analysis, path: Path, suffix: str, colours: NDArray[np.uint8], look: Look
) -> None:
    """Write the values of an analysis; suffix : one of .npz, .zarr, .csv, .html.

    colours, look : of HTML, whose scale is rows, linear or log. Raises OSError, and
    MissingDependency where a library is missing.
    """
    if suffix == ".html":
        _write_html(analysis, path, colours, look)
    else:
        {".npz": _write_npz, ".zarr": _write_zarr, ".csv": _write_csv}[suffix](analysis, path)


def most_shown(picture: PictureFormat) -> int:
    """Columns that an HTML page may have."""
    return max(1, MOST_SHOWN // (picture.n_rows * picture.n_channels))


def column_times(picture: PictureFormat, n_columns: int) -> NDArray[np.float64]:
    """The middle of each column in s, float64 (n_columns,)."""
    n_frames = picture.n_frames or n_columns
    edges = column_edges(n_frames, n_columns)
    middles = (edges[:-1] + edges[1:] - 1) / 2
    return float(picture.frame_times(1)[0]) + middles * (picture.hop / picture.sample_rate)


def _write_npz(analysis: Analysis, path: Path) -> None:
    picture, n_columns = analysis.picture, analysis.n_columns
    shape = picture.n_channels, n_columns, picture.n_rows
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("db.npy", "w", force_zip64=True) as file:
            _write_head(file, shape)
            for channel in range(picture.n_channels):  # as one lies behind the other
                for chunk in analysis.chunks():
                    file.write(np.ascontiguousarray(chunk[channel], "<f4").tobytes())
        for name, values in (
            ("time", column_times(picture, n_columns)),
            ("frequency", picture.row_frequencies()),
            ("format", np.array(picture.to_json())),
        ):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)


def _write_head(file: IO[bytes], shape: tuple[int, ...]) -> None:
    head = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)


def _write_csv(analysis: Analysis, path: Path) -> None:
    picture = analysis.picture
    times = column_times(picture, analysis.n_columns)
    with path.open("w", encoding="ascii", newline="") as file:
        rows = ",".join(f"{hz:.7g}" for hz in picture.row_frequencies())
        file.write(f"channel,seconds,{rows}\n")
        form = "%d,%.7g" + ",%.2f" * picture.n_rows + "\n"
        done = 0
        for chunk in analysis.chunks():
            for k, column in enumerate(chunk.swapaxes(0, 1)):
                for channel, db in enumerate(column):
                    values = (db + np.float32(0)).tolist()  # no -0.00
                    file.write(form % (channel + 1, times[done + k], *values))
            done += chunk.shape[1]


def _write_zarr(analysis: Analysis, path: Path) -> None:
    try:
        import zarr
        import zarr.storage
    except ImportError as error:
        raise MissingDependency(
            "a .zarr needs the library zarr: install it with pip install "
            "'realtime-spectrogram[record]', or write .npz"
        ) from error
    picture, n_columns = analysis.picture, analysis.n_columns
    shape = picture.n_channels, n_columns, picture.n_rows
    across = max(1, min(n_columns, CHUNK_BYTES // (4 * picture.n_rows)))
    with zarr.config.set(ZARR):
        group = zarr.create_group(zarr.storage.LocalStore(path), zarr_format=3)
        group.attrs.update({"format": picture.to_dict()})
        db = group.create_array(
            "db", shape=shape, dtype="f4", chunks=(1, across, picture.n_rows),
            dimension_names=["channel", "time", "frequency"], attributes={"units": "dB"},
        )  # fmt: skip
        done = 0
        for chunk in analysis.chunks(across):
            db[:, done : done + chunk.shape[1]] = chunk
            done += chunk.shape[1]
        for name, values, unit in (
            ("channel", np.arange(1, picture.n_channels + 1), "1"),
            ("time", column_times(picture, n_columns), "s"),
            ("frequency", picture.row_frequencies(), "Hz"),
        ):
            kept = group.create_array(
                name, shape=values.shape, dtype=values.dtype, chunks=(min(len(values), 1 << 16),),
                dimension_names=[name], attributes={"units": unit},
            )  # fmt: skip
            kept[:] = values


def _write_html(analysis: Analysis, path: Path, colours: NDArray[np.uint8], look: Look) -> None:
    try:
        from plotly import graph_objects
        from plotly.subplots import make_subplots
    except ImportError as error:
        raise MissingDependency(
            "a .html needs the library plotly: install it with pip install "
            "'realtime-spectrogram[html]', or write .svg"
        ) from error
    picture = analysis.picture
    seconds = _edges(column_times(picture, analysis.n_columns))
    hz = picture.hz_at(np.arange(picture.n_rows + 1) - 0.5)
    axis = look.scale
    if axis == ROWS:
        axis = "linear" if picture.kind == "stft" or hz[0] <= 0 else "log"
    if axis == "log":  # which has no 0 Hz, where bins begin
        hz[0] = max(hz[0], min(pane_range(picture, "log")[0], hz[1] / 2))
    shades = [[k / 255, f"rgb({r},{g},{b})"] for k, (r, g, b) in enumerate(colours.tolist())]
    shared: Any = "all"  # which plotly's types leave out
    figure = make_subplots(picture.n_channels, 1, shared_xaxes=shared, shared_yaxes=shared)
    for channel, db in enumerate(analysis.db(), 1):
        tenths = np.round(db.T, 1)
        figure.add_trace(
            graph_objects.Heatmap(
                x=seconds, y=hz, z=tenths, zmin=picture.db_low, zmax=picture.db_high,
                colorscale=shades, colorbar={"ticksuffix": " dB"}, showscale=channel == 1,
                hovertemplate="%{x:.3f} s, %{y:.0f} Hz, %{z:.1f} dB<extra></extra>",
            ),
            row=channel, col=1,
        )  # fmt: skip
    figure.update_yaxes(type=axis, title="Hz")
    figure.update_xaxes(title="Time (s)", row=picture.n_channels)
    figure.update_layout(title=look.title, template="simple_white")
    figure.write_html(path, include_plotlyjs=True)


def _edges(middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where columns begin and end."""
    if len(middles) == 1:
        return middles[0] + np.array([-0.5, 0.5])
    between = (middles[:-1] + middles[1:]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])
