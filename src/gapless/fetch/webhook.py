"""A report to an address of the user's own. Nothing of the vendor's, the key least of all, goes there."""

from http import HTTPStatus

import aiohttp

from gapless.errors import NetworkError
from gapless.fetch.client import Timeouts, what_happened

_TIMEOUTS = Timeouts(connect=5.0, idle=10.0, total=10.0)


async def post(url: str, body: bytes, timeouts: Timeouts = _TIMEOUTS) -> None:
    """POST JSON once; a redirect is not followed.

    Raises:
        NetworkError: no answer in time, or one that is not 2xx. Its message has the host alone: the rest of such an
            address often is a secret.
    """
    bounds = aiohttp.ClientTimeout(
        total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.idle
    )
    async with aiohttp.ClientSession(timeout=bounds, cookie_jar=aiohttp.DummyCookieJar()) as session:
        try:
            async with session.post(
                url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
            ) as response:
                host, status = response.url.host, response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NetworkError(f"{what_happened(error, timeouts)}.") from None
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise NetworkError(f"{host} answered {status}.")
