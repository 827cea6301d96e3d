"""Sound on disk that outlives kill, power cut and full disk, and the records beside it.

Nothing here knows of a screen. No module imports anything heavy at its top: a recorder runs for
months on a small computer, in the memory of its imports.
"""
