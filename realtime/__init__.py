"""Real-time spectrogram: microphone to picture, and back."""

__version__ = "0.1.0"
