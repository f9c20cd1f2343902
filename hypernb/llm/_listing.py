"""The models that a server offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.clock import SystemClock
from hypernb.errors import ModelAnswerError, ModelError, ModelUnavailableError
from hypernb.llm._faults import AnswerFault, TransportFault, of_status
from hypernb.llm._forms import dicts, string
from hypernb.llm._gate import HostGate
from hypernb.llm._openai import OpenAIModel
from hypernb.llm._retry import limit, retry_after_s
from hypernb.llm._stream import AnswerReader, parse
from hypernb.model import ChatRequest

if TYPE_CHECKING:
    from hypernb.abc import Clock
    from hypernb.model import ModelSpec

_NAMES_AT_MOST: Final = 1_000
_NAME_AT_MOST: Final = 200
_NOTHING: Final = ChatRequest(model="any", messages=())


async def list_models(
    spec: ModelSpec,
    key: str | None = None,
    *,
    clock: Clock | None = None,
    deadline_s: float = 15.0,
) -> list[str]:
    """Return the names of the models that a server offers, sorted; a thousand at most.

    It asks once: who wants to know now does not want to wait. Cancelling the caller closes
    the connection.

    Args:
        spec: Where the server is; the name of the model does not count.
        key: Its key itself; None if it needs none.
        deadline_s: Seconds in all.

    Raises:
        ModelError: The server cannot be reached, does not take the key, or does not say.
    """
    clock = clock or SystemClock()
    model = OpenAIModel(spec, key, clock, HostGate(clock))
    until = clock.monotonic() + deadline_s
    try:
        async with limit(clock, lambda: until - clock.monotonic()):
            return await names_of(model)
    except AnswerFault as fault:
        raise ModelAnswerError(
            spec.name,
            spec.host,
            f"is not listed: the server {fault.problem}",
            evidence=model.mask.split(fault.evidence)[0],
            hint=model.mask(
                f"Check the address {spec.base_url}: it ends with the version, as in …/v1."
            ),
        ) from None
    except TransportFault as fault:
        raise ModelUnavailableError(
            spec.name, spec.host, f"is not listed: {fault.words}", hint=model.mask(fault.hint)
        ) from None
    except ModelError as error:
        error.hint = model.mask(error.hint)
        raise
    except TimeoutError:
        raise ModelUnavailableError(
            spec.name, spec.host, f"is not listed: nothing came within {deadline_s:g} s"
        ) from None
    finally:
        await model.aclose()


async def names_of(model: OpenAIModel) -> list[str]:
    """Return the names of the models that the server of a model offers, sorted.

    Raises:
        AnswerFault: It says something else.
        TransportFault: It cannot be reached.
        ModelError: It refuses to say.
    """
    body = model.mask.value(parse(await _body(model)))
    if not isinstance(body.get("data"), list):
        raise AnswerFault("has answered with JSON that lists no models", str(body)[:500])
    names = {
        name
        for each in dicts(body["data"])
        if 0 < len(name := string(each.get("id"))) <= _NAME_AT_MOST and name.isprintable()
    }
    return sorted(names)[:_NAMES_AT_MOST]


async def _body(model: OpenAIModel) -> bytes:
    from hypernb.llm import _wire

    reader = AnswerReader()
    try:
        listing: Any = model.client().models.with_streaming_response.list()
        async with listing as response:
            async for chunk in response.iter_bytes():
                reader.feed(chunk)
    except (AnswerFault, ModelError):
        raise
    except _wire.APIStatusError as problem:
        asked_s = retry_after_s(problem.response.headers, model.clock.now())
        body = model.mask.value(_json(model.mask(problem.response.text)))
        raise of_status(model.spec, _NOTHING, problem.status_code, body, asked_s) from None
    except Exception as problem:  # noqa: BLE001 - the border to whatever a server sends
        raise _wire.fault_of(model.spec, problem) from None
    return reader.body()


def _json(text: str) -> Any:
    try:
        return parse(text.encode())
    except AnswerFault:
        return text
