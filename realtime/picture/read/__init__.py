"""A spectrogram drawn by another program, read back to dB: axes, colour bar, labels, cells.

`pixels` opens the file, `boxes` finds frames, `glyphs` reads labels, `ticks` ties them to marks,
`fits` makes axes of them, `colours` turns colours into dB, `cells` counts cells, `rows` and
`frames` name them, `own_sheet` does so on pictures of ours that no longer say what they are,
`reader` does all of it and says how sure it is. What cannot be read is refused with a reason,
never guessed in silence.
"""
