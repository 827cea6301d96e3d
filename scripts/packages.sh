# Debian's packages, by need. Sourced by setup.sh; named here and nowhere else.
# shellcheck shell=bash disable=SC2034

python_packages=(python3 python3-venv)

run_packages=(
  libportaudio2 libasound2-plugins # sound: PortAudio, and ALSA's way to PulseAudio and PipeWire
  libgl1 libegl1 libegl-mesa0 libgl1-mesa-dri # OpenGL, in software too
  libglib2.0-0 libdbus-1-3 libfontconfig1 libfreetype6 fonts-dejavu-core # what Qt links to
  libxkbcommon0 libxkbcommon-x11-0 # Qt's keyboard
  libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
  libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 libx11-xcb1 # Qt's X11 window
  libwayland-client0 libwayland-cursor0 libwayland-egl1 # Qt's Wayland window
)

test_packages=(
  pulseaudio pulseaudio-utils # the elastic sound server
  jackd2 libjack-jackd2-dev gcc libc6-dev # the strict one, and its feeder client
  xvfb # a screen
  libgles2 # the smaller OpenGL, which the shader must suit too
  sox ffmpeg # other readers of sound files
  alsa-utils # arecord, which our recorder is held against
  espeak-ng # speech that is made when it is needed
  mount e2fsprogs # disks to fill and to cut the power of
  tmux # a terminal to read from
)
