"""The options of `realtime invert`; imported with the command line, so nothing heavy here."""

from __future__ import annotations

import argparse

INVERT = """\
A picture of 'realtime render' says itself how it was made, and may hold the sound. Of one with axes
and a colour bar that another program drew, everything is read; where it cannot be, it is refused
with the flag that helps. --bare guesses what is not given, and says so.

Painted over and saved by an image editor, a picture no longer says how it was made: --like names
the picture it was before, --original the sound; what was not touched keeps every bit.

examples
  realtime invert song.png -o song.wav
  realtime invert edited.png --like song.png --original song.flac -o edited.wav
  realtime invert tutorial.png -o heard.wav --report -
  realtime invert mels.png --bare --sample-rate 16000 --hop 160 -o heard.wav
  realtime invert cat.jpg --image --fmin 200 --fmax 8000 --seconds 4 -o cat.wav"""


def add_invert(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "invert",
        help="make sound from a picture",
        description="Make sound from a picture: from one that 'realtime render' drew, edited or "
        "not, from another program's spectrogram, or from a drawing.",
        epilog=INVERT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("picture", metavar="PICTURE", help="PNG, or what else Pillow reads")
    parser.add_argument("-o", "--output", metavar="OUT", help="WAV, FLAC, OGG or MP3")
    parser.add_argument(
        "--depth", metavar="BITS", help="16, 24, or 32 for float (24; of an unedited sound its own)"
    )
    parser.add_argument("--original", metavar="SOUND", help="what an edited picture was made of")
    parser.add_argument("--like", metavar="PICTURE", help="what an edited picture was before")
    parser.add_argument("--report", metavar="FILE", help="what was read, as JSON (- prints it)")
    parser.add_argument("--bare", action="store_true", help="all of the picture is the plot")
    parser.add_argument("--image", action="store_true", help="a drawing, with no sound behind it")
    group = parser.add_argument_group("of a picture from elsewhere, where it is known better")
    for name, metavar, text in (
        ("--kind", "KIND", "stft, mel, bark, erb or cqt"),
        ("--sample-rate", "HZ", "of the sound"),
        ("--n-fft", "N", "samples of a frame"),
        ("--hop", "N", "samples from frame to frame"),
        ("--n-mels", "N", "bands"),
        ("--fmin", "HZ", "lower edge of the lowest band (of --image: of the image)"),
        ("--fmax", "HZ", "upper edge of the highest band (of --image: of the image)"),
        ("--db-low", "DB", "of the darkest value"),
        ("--db-high", "DB", "of the brightest value"),
        ("--colormap", "NAME", "magma, viridis, gray, gray_r ..."),
        ("--seconds", "N", "how long the columns last together"),
        ("--axes-box", "L,T,R,B", "where the plot is, in pixels"),
    ):
        dest = {"--n-mels": "n_rows"}.get(name, name[2:].replace("-", "_"))
        group.add_argument(name, dest=dest, metavar=metavar, help=text)
    group.add_argument("--htk", action="store_true", help="HTK's mel in place of Slaney's")
    drawing = parser.add_argument_group("of a drawing")
    drawing.add_argument("--gamma", metavar="N", help="amplitude is brightness to this power (2)")
    drawing.add_argument("--scale", metavar="NAME", help="of rows: linear (the default), log, mel")
    drawing.add_argument("--negative", action="store_true", help="dark is loud, as ink on paper")
