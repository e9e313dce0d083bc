"""Files fetched over HTTP."""

from __future__ import annotations

import http.client
import logging
import shutil
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import wrap_file

from recsys.data.sources.checksum import Checksum
from recsys.data.sources.partial_file import check_container, partial_file
from recsys.errors import SourceError

#: A host that does not answer within this time counts as unreachable, so that the next source gets its turn.
CONNECT_TIMEOUT_SECONDS = 5.0
#: A connected host may take longer to send the next bytes.
READ_TIMEOUT_SECONDS = 60.0

_CHUNK_BYTES = 1 << 20
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Download:
    """A file at a URL.

    Args:
        url: http or https address.
        checksum: the published checksum, or None if the publisher changes the file from time to time. The file then
            counts as complete if it has the length that the server announced; a zip or gzip file must also
            decompress to its end.
    """

    url: str
    checksum: Checksum | None = None

    @property
    def filename(self) -> str:
        """Name of the file in the cache."""
        return self.url.rpartition("/")[2]

    @property
    def origin(self) -> str:
        """Where the file comes from."""
        return self.url

    def fetch(self, target: Path) -> None:
        """Download to ``target``, which appears only when the file is complete and verified.

        Raises:
            SourceError: the host cannot be reached or refuses, the file comes incomplete or with another checksum,
                or it cannot be written.
        """
        _logger.info("downloading %s", self.url)
        with partial_file(target) as part:
            end_known = self._receive(part)
            if self.checksum is not None:
                self.checksum.verify(part, self.filename)
            elif not (check_container(part, self.filename) or end_known):
                raise SourceError("the server does not say how long the file is, so that it may be incomplete")

    def _receive(self, part: Path) -> bool:
        """Write the body of the response to ``part``; returns whether the server announced where it ends."""
        request = urllib.request.Request(self.url, headers={"User-Agent": "recsys", "Accept-Encoding": "identity"})
        opener = urllib.request.build_opener(_HTTPHandler, _HTTPSHandler)
        try:
            with opener.open(request, timeout=CONNECT_TIMEOUT_SECONDS) as response, part.open("wb") as output:
                length = response.headers.get("Content-Length")
                _copy(response, output, None if length is None else int(length), self.filename)
                received, chunked = output.tell(), bool(response.chunked)
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceError(f"the server answers {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise SourceError(f"no connection: {error.reason}") from error
        except http.client.IncompleteRead as error:
            raise SourceError("the download broke off before its end") from error
        except (http.client.HTTPException, ssl.SSLError, ConnectionError, TimeoutError) as error:
            raise SourceError(f"the connection broke: {error or type(error).__name__}") from error
        if length is not None and received != int(length):
            raise SourceError(f"the download broke off after {received:,} of {int(length):,} bytes")
        return length is not None or chunked


def _copy(source: BinaryIO, target: BinaryIO, total_bytes: int | None, name: str) -> None:
    """Copy to the end, with a progress bar on a terminal if the length is known."""
    console = Console(stderr=True)
    if total_bytes is None or not console.is_terminal:
        shutil.copyfileobj(source, target, _CHUNK_BYTES)
        return
    with wrap_file(source, total_bytes, description=name, console=console, transient=True) as watched:
        shutil.copyfileobj(watched, target, _CHUNK_BYTES)


class _HTTPConnection(http.client.HTTPConnection):
    """Gives up early on a host that does not answer, and waits longer for one that has answered."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(READ_TIMEOUT_SECONDS)


class _HTTPSConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(READ_TIMEOUT_SECONDS)


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HTTPConnection, req)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HTTPSConnection, req, context=ssl.create_default_context())
