"""`http:[METHOD] URL [BODY]`: one request, such as a webhook of a home automation."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from tracker.actions.run import Phase

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
PATIENCE = 3.0  # s


@dataclass(frozen=True, slots=True)
class Request:
    """`body` '': none."""

    method: str
    url: str
    body: str


def parse(text: str) -> Request:
    """ValueError where it is no URL."""
    words = text.split(None, 1)
    method = "GET"
    if words and words[0].upper() in METHODS:
        method, words = words[0].upper(), words[1].split(None, 1) if len(words) > 1 else []
    url, body = (words[0] if words else ""), (words[1] if len(words) > 1 else "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"'http:{text}' names no address; write http:POST http://127.0.0.1:8123/PATH"
        )
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"'http:{text}' names no port; write a number, 1 to 65535") from None
    return Request(method, url, body)


class Http:
    """Sends requests."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`headers` of the settings go with every request."""
        self._headers = {str(k): str(v) for k, v in dict(settings.get("headers", {})).items()}

    def run(self, what: Request, phase: Phase, value: float) -> None:
        if phase == "end":
            return
        body = what.body.replace("VALUE", f"{value:g}") if phase == "value" else what.body
        headers = dict(self._headers)
        if body.startswith(("{", "[")):
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(
            what.url, body.encode() or None, headers, method=what.method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                answer.read(1 << 16)
        except HTTPError as error:
            raise OSError(f"{what.url} answered {error.code} {error.reason}") from error
        except URLError as error:
            raise OSError(f"{what.url} does not answer: {error.reason}") from error
        except HTTPException as error:
            raise OSError(f"{what.url} answers not as a web server does: {error}") from error

    def close(self) -> None:
        """Nothing is held."""
