"""What keeps the pages private: who may ask, what may be asked, and what a browser may do with an answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
#: Where a browser says that a request comes from; another site may not make this machine work.
_OWN = ("", "same-origin", "none")


class Guard:
    """Refuses requests for another host, from another site, and those that are no mere reading;
    adds headers to each answer.

    The host is compared as a whole, so that a name which was made to point here (DNS rebinding) is not answered.

    Args:
        app: the pages.
        hosts: what the header Host may say.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer[name] = value
                answer.setdefault("cache-control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        refusal = self._refusal(scope, headers)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse("This address is not answered here.\n", status_code=421)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Pages can only be read.\n", status_code=405, headers={"allow": "GET, HEAD"})
        site = headers.get("sec-fetch-site", "")
        if site not in _OWN and headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse("Another site asked for this.\n", status_code=403)
        if site not in _OWN and scope["path"] == "/sql" and scope["query_string"]:
            return PlainTextResponse(
                "Another site may not ask questions here; open the page yourself.\n", status_code=403
            )
        return None
