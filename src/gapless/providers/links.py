"""Addresses: requests on one pinned origin, and next pages that stay on it."""

from urllib.parse import SplitResult, unquote, urlsplit

from gapless.errors import BadAnswer, UsageError
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Request

_DEFAULT_PORT = {"http": 80, "https": 443}


class Links:
    """Builds and judges addresses on the origin (scheme, host, port) of `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        try:
            self._origin = _origin(urlsplit(self._base))
        except ValueError as error:
            raise UsageError(
                f"`{base_url}` is not the address of a vendor: {error}.",
                hint="It is a scheme, a host and perhaps a port, for example http://127.0.0.1:8700.",
            ) from None

    def request(self, path: str, query: str, asset_class: AssetClass) -> Request:
        """A request for a path of this origin; path and query are already quoted."""
        return Request(f"{self._base}{path}" + (f"?{query}" if query else ""), asset_class)

    def follow(self, next_url: str | None, path: str, asset_class: AssetClass) -> Request | None:
        """The request for `next_url` as written but without a key; None where there is no next page.

        Raises:
            BadAnswer: it is not below `path` on this origin.
        """
        if next_url is None:
            return None
        self.check(next_url, path)
        address, mark, query = next_url.partition("?")
        kept = "&".join(part for part in query.split("&") if not part.lower().startswith("apikey="))
        return Request(address + mark + kept, asset_class)

    def check(self, next_url: str | None, path: str) -> None:
        """Pass None, or an address below `path` on this origin.

        Raises:
            BadAnswer: the vendor points somewhere else; following it would hand the key to another host.
        """
        if next_url is None:
            return
        try:
            parts = urlsplit(next_url)
            origin = _origin(parts)
        except ValueError as error:
            raise BadAnswer(f"the next page has an address that cannot be read: {error}") from None
        if origin != self._origin or parts.fragment:
            raise BadAnswer(
                f"the next page is on another host, `{parts.scheme}://{parts.netloc.rpartition('@')[2]}`"
            )
        base_path = urlsplit(self._base).path
        if not unquote(parts.path).startswith(base_path + unquote(path)):
            raise BadAnswer(f"the next page, `{parts.path}`, is not one of what was asked for")


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    if parts.scheme not in _DEFAULT_PORT or not parts.hostname:
        raise ValueError("it has no http scheme or no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it carries a user name")
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORT[parts.scheme]
