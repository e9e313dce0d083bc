"""The parts of ``benchmarks/gpu.py``: what each measures, and the least time that the device would need for it."""
