#!/bin/sh
# realtime/picture/fonts/DejaVuSans.ttf: the letters of DejaVu Sans 2.37 that titles and labels need.
# Needs fonttools; $1 is the whole font, such as /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf.
set -eu
pyftsubset "$1" --no-hinting --layout-features=kern \
  --unicodes="U+0020-007E,U+00A0-017F,U+0384-03CE,U+0400-045F,U+2010-2026,U+2030,U+20AC,U+2122,U+2190-2193,U+2212,U+266D-266F,U+FFFD" \
  --output-file="$(dirname "$0")/../realtime/picture/fonts/DejaVuSans.ttf"
