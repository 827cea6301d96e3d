"""Pictures of sound in files, and sound out of them: what `render`, `invert` and `info` do.

`format` says what a picture means, `load` reads sound, `analysis` turns it into dB. Values in
memory are `db`: float32 (n_channels, n_frames, n_rows), the lowest row first. Nothing here
imports a GUI, PortAudio or `scipy.signal`.
"""
