"""Models of a Triton repository that are written in Python. Each file is copied into the repository as ``model.py``.

They run in the server's own interpreter, beside a copy of the modules of this package that they import.
"""
