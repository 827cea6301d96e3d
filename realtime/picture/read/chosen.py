"""Which plot of a picture is read."""

from __future__ import annotations

from collections.abc import Sequence

from realtime.errors import RequestError
from realtime.picture.read.boxes import LEAST_AXES, Box, Layout, has_frame
from realtime.picture.read.pixels import Pixels
from realtime.picture.read.report import Report


def chosen_plot(report: Report, layout: Layout, pixels: Pixels) -> Box:
    """The plot that is read: the one asked for, or the only one."""
    plot = _one(report, layout, pixels)
    bar = layout.bar(plot)
    boxes = [] if "axes_box" in report.given else [plot]
    if bar is not None and not {"db_low", "db_high"} <= report.given.keys():
        boxes.append(bar)
    if not all(has_frame(pixels.rgb, box) for box in boxes):
        report.refuse(
            "the plot or its colour bar has no frame of one colour, so where they end is not "
            "known: draw it with frames, or give --axes-box, --db-low and --db-high"
        )
    return plot


def _one(report: Report, layout: Layout, pixels: Pixels) -> Box:
    given = report.say("axes_box")
    if given is not None:
        asked = _asked(given, pixels)
        return next((plot for plot in layout.plots if _nearly(plot, asked)), asked)
    if not layout.plots:
        report.refuse(
            "no axes were found: it must be a flat plot with a frame on a plain background "
            "(give --axes-box; --bare where all of it is the plot; --image for a drawing)"
        )
    if len(layout.plots) > 1:
        boxes = "; ".join(",".join(str(side) for side in box[:4]) for box in layout.plots[:4])
        report.refuse(f"{len(layout.plots)} plots were found: choose with --axes-box ({boxes})")
    plot = layout.plots[0]
    report.add("axes_box", list(plot[:4]), "the largest frame", 1.0)
    return plot


def _nearly(plot: Box, asked: Box) -> bool:
    """Whether a plot is meant by a box that may leave its lines out."""
    apart = (abs(a - b) for a, b in zip(plot[:4], asked[:4], strict=True))
    return all(side <= plot.line for side in apart)


def _asked(given: Sequence[int], pixels: Pixels) -> Box:
    """The box the caller gave. Raises RequestError for one that the picture does not hold."""
    height, width = pixels.rgb.shape[:2]
    if len(given) == 4:
        left, top, right, bottom = (int(side) for side in given)
        fits = left >= 0 and top >= 0 and right < width and bottom < height
        if fits and right - left >= LEAST_AXES[0] and bottom - top >= LEAST_AXES[1]:
            return Box(left, top, right, bottom)
    raise RequestError(
        f"axes_box = {','.join(str(side) for side in given)} must be left,top,right,bottom of at "
        f"least {LEAST_AXES[0]}x{LEAST_AXES[1]} pixels within the {width}x{height} there are"
    )
