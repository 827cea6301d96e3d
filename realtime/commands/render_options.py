"""The options of `realtime render` and `realtime info`; imported with the command line, so nothing
heavy here."""

from __future__ import annotations

import argparse
from collections.abc import Callable

VALUES = (
    ("--kind", "KIND", "stft (the default), mel, bark, erb or cqt"),
    ("--sample-rate", "HZ", "resample to this rate (as the sound is)"),
    ("--n-fft", "N", "samples of a frame (2048)"),
    ("--hop", "N", "samples from frame to frame (512; n_fft / 4 where that is shorter)"),
    ("--window", "NAME", "hann (the default), hamming, blackman ..."),
    ("--n-mels", "N", "bands, of bark and erb too (128)"),
    ("--n-bins", "N", "rows of cqt (84)"),
    ("--bins-per-octave", "N", "of cqt (12)"),
    ("--fmin", "HZ", "lower edge of the lowest band (0; of cqt 32.7)"),
    ("--fmax", "HZ", "upper edge of the highest band (half the rate)"),
    ("--norm", "NORM", "of mel: slaney (the default), bands of one area, or none"),
    ("--power", "P", "of magnitudes before they become dB: 2 (the default) or 1"),
    ("--ref", "VALUE", "what reads 0 dB: max (the default), or a value of magnitude ** power"),
    ("--top-db", "DB", "how far below the loudest the picture ends (80), or auto"),
)
LOOKS = (
    ("--colormap", "NAME", "magma (the default), viridis, inferno, plasma, gray, gray_r ..."),
    ("--scale", "SCALE", "linear, log, mel, bark, erb or notes (rows, equally high)"),
    ("--size", "WxH", "of the whole picture in pixels, or inches as in 10x4in"),
    ("--width", "N", "pixels across the panes (at least one a frame)"),
    ("--reduce", "WAY", "what frames become that share a column: peak (the default) or mean"),
    ("--dpi", "DPI", "pixels an inch (100): letters are 10 points high"),
    ("--title", "TEXT", "above the picture (the name of the file)"),
    ("--bits", "BITS", "8 (the default), or 16 with --bare and --colormap gray"),
)
SWITCHES = (
    ("--mono", "the mean of all channels, in place of a pane each"),
    ("--htk", "HTK's mel in place of Slaney's"),
    ("--bare", "PNG of one pixel a row and column, without axes"),
    ("--keep-sound", "the PNG carries the sound itself, as FLAC"),
)

RENDER = """\
The end of PICTURE says what is written
  .png                  with axes, or --bare; carries what 'realtime invert' needs
  .svg .pdf             with axes
  .html                 zooms (the extra [html])
  .npz .zarr .csv       the values in dB

A PNG has at least one pixel a frame, up to 32000 across; --width and --size ask for others.
WAV, FLAC, OGG, MP3 and AIFF are read; M4A, AAC and the sound of videos with the extra [media].

examples
  realtime render song.mp3 -o song.png
  realtime render song.mp3 -o tutorial.png --preset tutorial
  realtime render voice.wav -o voice.svg --kind mel --n-mels 80 --fmax 8000
  realtime render tape.flac -o tape.png --kind cqt --colormap viridis --width 2000
  realtime render *.wav -o pictures/ --scale log --keep-sound
  realtime render song.mp3 -o song.zarr --kind mel --top-db auto"""

INFO = """\
examples
  realtime info song.png
  realtime info pictures/*.png --json"""

Settings = Callable[[argparse.ArgumentParser, str, str], None]


def add_render(commands: argparse._SubParsersAction, add_settings: Settings) -> None:
    parser = commands.add_parser(
        "render",
        help="draw a sound file's spectrogram into a picture",
        description="Draw the spectrogram of sound files into pictures that can be turned back "
        "into sound.",
        epilog=RENDER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sounds", nargs="+", metavar="AUDIO", help="sound files of any length")
    parser.add_argument("-o", "--output", metavar="PICTURE|DIR", help="what to write (see below)")
    parser.add_argument(
        "--format", metavar="SUFFIX", help="of pictures in a DIR: png (the default)"
    )
    for flag, text in SWITCHES:
        parser.add_argument(flag, action="store_const", const=True, help=text)
    for title, options in (("values", VALUES), ("looks", LOOKS)):
        group = parser.add_argument_group(title)
        for flag, metavar, text in options:
            group.add_argument(flag, metavar=metavar, help=text)
    add_settings(parser, "tutorial", "render.hop=256")


def add_info(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "info",
        help="what a picture holds, and how well it can go back",
        description="Tell what a picture holds, and how well it can go back to sound.",
        epilog=INFO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="of 'realtime render', or another's"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
