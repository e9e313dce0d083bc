"""What stands before each route: a valid key with the right scope, not too often."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from recsys_serving.api.problems import ProblemError
from recsys_serving.api.security.api_keys import Principal, Scope
from recsys_serving.api.security.authenticator import Authenticator
from recsys_serving.api.security.rate_limits import RateLimiter
from recsys_serving.settings import ServiceSettings

_SCHEME = "bearer"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="recsys"'}


class Guard:
    """Lets requests in.

    Args:
        authenticator: knows keys.
        limiter: counts requests.
        settings: rates.
    """

    def __init__(self, authenticator: Authenticator, limiter: RateLimiter, settings: ServiceSettings) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self._settings = settings

    async def admit(self, request: Request, scope: Scope) -> Principal:
        """Who asks, when that may be.

        Raises:
            ProblemError: 401, there is no valid key; 403, it has not the scope; 429, it asks too often.
            StoreUnavailable: the key cannot be looked up.
        """
        key = _key_of(request)
        principal = self._authenticator.find_known(key)
        if principal is None:
            principal = await run_in_threadpool(self._look_up, key, _address(request))
        request.state.key_id = principal.key_id
        if scope not in principal.scopes:
            raise ProblemError(
                403,
                f"This needs a key with the scope {scope}; that of this key is {', '.join(sorted(principal.scopes))}.",
            )
        await self._count(principal, scope)
        return principal

    def _look_up(self, key: str, address: str) -> Principal:
        rate = self._settings.failed_login_limit
        if not self._authenticator.knows(key):
            decision = self._limiter.test(rate, f"login:{address}")
            if not decision.allowed:
                raise ProblemError(
                    429, "Too many keys that are not valid came from this address.", headers=decision.headers
                )
        principal = self._authenticator.authenticate(key)
        if principal is None:
            self._limiter.hit(rate, f"login:{address}")
            raise ProblemError(401, "The API key is not valid: it is unknown, expired or revoked.", headers=_CHALLENGE)
        return principal

    async def _count(self, principal: Principal, scope: Scope) -> None:
        rate, who = self._settings.rate_limit, f"key:{principal.key_id}"
        if scope == "admin":
            rate, who = self._settings.admin_rate_limit, f"admin:{principal.key_id}"
        decision = self._limiter.hit_taken(rate, who)
        if decision is None and self._limiter.is_shared:
            decision = await run_in_threadpool(self._limiter.hit, rate, who)
        elif decision is None:
            decision = self._limiter.hit(rate, who)
        if not decision.allowed:
            raise ProblemError(
                429,
                f"{rate.replace('/', ' requests a ')} are allowed for this key. Try again in "
                f"{decision.retry_seconds} seconds.",
                headers=decision.headers,
            )


def _key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not key:
        raise ProblemError(401, "An API key is required, in the header Authorization: Bearer KEY.", headers=_CHALLENGE)
    return key.strip()


def _address(request: Request) -> str:
    return "unknown" if request.client is None else request.client.host
