"""The files of the dashboard, as they are in the package."""

import mimetypes
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gapless.api.answers import Encoded, Made, encoded
from gapless.api.problems import Problem

_FOLDER = Path(str(files("gapless.api"))) / "static"


class Static:
    """Answers every address that is a file of the folder, and no other: paths are looked up, never joined."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._files = {
            f"/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()
        }
        if "/index.html" in self._files:
            self._files["/"] = self._files["/index.html"]
        self._kept: dict[tuple[str, bool, int], Encoded] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One file, or 404."""
        request = Request(scope, receive)
        file = self._files.get(scope["path"])
        if file is None:
            raise Problem(
                404, "no-address", "No such address", f"There is no {scope['path'][:200]} here.", hint=_HINT
            )
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem(
                405,
                "wrong-method",
                "Not with this method",
                "A file is only read.",
                headers={"allow": "GET, HEAD"},
            )
        found = self._encoded(file, gzipped="gzip" in request.headers.get("accept-encoding", ""))
        for message in found.messages(request.headers.get("if-none-match")):
            await send(message)

    def _encoded(self, file: Path, *, gzipped: bool) -> Encoded:
        key = str(file), gzipped, file.stat().st_mtime_ns
        if key not in self._kept:
            media = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self._kept[key] = encoded(Made(file.read_bytes(), media), gzipped=gzipped)
        return self._kept[key]


_HINT = "docs/reference/http.md and /openapi.json list all."
