"""Checks an inference request that came by HTTP before the server reads it.

Triton makes room for a tensor by the shape that a request states, before it looks at the values: 90 bytes that state
2^31 values take 16 GB, and more end the server. A shape here may not state more values than the request has bytes.
"""

from __future__ import annotations

import json
from typing import Any

from recsys.errors import RequestError

#: Bytes of a request, at most: 64 histories of 100,000 items as texts have less.
MAX_BYTES = 2**25
MAX_DIMENSIONS = 8


def checked(body: bytes, header_length: str | None) -> tuple[bytes, int]:
    """The request as it is passed on, and the length of its JSON, which was read and written again.

    So the server reads what was checked, also where a text could be read in two ways, such as one with a name twice.

    Args:
        body: JSON, and behind it tensors in binary form.
        header_length: of the JSON, as the header ``Inference-Header-Content-Length`` has it; None: all of the body.

    Raises:
        RequestError: this is no inference request, or one that states more than it holds.
    """
    length = _length(header_length, len(body))
    request = _parsed(body[:length])
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
        raise RequestError("A request must be a JSON object with a list of inputs, but this one is not.")
    for tensor in request["inputs"]:
        _check_input(tensor, len(body))
    outputs = request.get("outputs", [])
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise RequestError("outputs must be a list of JSON objects, but they are not.")
    text = json.dumps(request, allow_nan=False).encode("ascii")
    return text + body[length:], len(text)


def _length(header_length: str | None, size: int) -> int:
    if header_length is None:
        return size
    if not (header_length.isascii() and header_length.isdigit() and len(header_length) < 12):
        raise RequestError(f"Inference-Header-Content-Length must be a whole number, but it is {header_length[:40]!r}.")
    if int(header_length) > size:
        raise RequestError(f"The JSON of a request has {header_length} bytes by its header, but {size} came in all.")
    return int(header_length)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"A request must begin with JSON, but it cannot be read: {error}.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _check_input(tensor: Any, size: int) -> None:
    """Require a shape that the request's bytes can fill."""
    if not isinstance(tensor, dict):
        raise RequestError("Each input must be a JSON object, but one is not.")
    name, values = str(tensor.get("name"))[:80], 1
    for extent in _shape(name, tensor.get("shape")):
        values *= extent
    if values > size:
        raise RequestError(
            f"The input {name} has {values:,} values by its shape, but the request has only {size:,} bytes for all."
        )
    parameters = tensor.get("parameters", {})
    binary = parameters.get("binary_data_size", 0) if isinstance(parameters, dict) else None
    if type(binary) is not int or not 0 <= binary <= size:
        raise RequestError(
            f"binary_data_size of the input {name} must be a number of bytes that came, but it is {str(binary)[:40]}."
        )


def _shape(name: str, shape: Any) -> list[int]:
    if isinstance(shape, list) and 0 < len(shape) <= MAX_DIMENSIONS:
        extents = [extent for extent in shape if type(extent) is int and extent >= 0]
        if len(extents) == len(shape):
            return extents
    raise RequestError(
        f"The shape of the input {name} must be a list of 1 to {MAX_DIMENSIONS} whole numbers of at least 0."
    )
