"""Real-time spectrogram: microphone to picture, and back."""

__version__ = "0.1.0"

DISTRIBUTION = "realtime-spectrogram"
"""The project's name on the package index, where another one installs a package `realtime` too:
`cli` looks for this to see that the files of the two do not lie mixed."""
