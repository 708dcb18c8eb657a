"""SurrogateService: what there is of models, and which version of them answers."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
from typing import Final, final

from google.protobuf import empty_pb2

from protos.twin.v1 import study_pb2, surrogate_pb2, surrogate_pb2_grpc
from twin import codec
from twin.errors import FailedPrecondition, InvalidInput
from twin.results.card import EXACT
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.service.pages import page_size
from twin.store.surrogates import Surrogates
from twin.store.views import surrogate_view
from twin.store.workspace import Workspace

ANSWERED: Final = ("static_stress",)
"""Kinds of studies that surrogates learn."""
_DEFAULT_PAGE: Final = 50


@final
class SurrogateServicer(surrogate_pb2_grpc.SurrogateServiceServicer):
    """They are trained by runs."""

    def __init__(self, workspace: Workspace) -> None:
        self._surrogates = workspace.surrogates

    async def GetSurrogate(
        self, request: surrogate_pb2.GetSurrogateRequest, context: Context
    ) -> surrogate_pb2.Surrogate:
        found = await asyncio.to_thread(self._surrogates.get, tenant(), _identifier(request.name))
        return codec.surrogate_to_proto(surrogate_view(found))

    async def ListSurrogates(
        self, request: surrogate_pb2.ListSurrogatesRequest, context: Context
    ) -> surrogate_pb2.ListSurrogatesResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        found = await asyncio.to_thread(self._surrogates.list, tenant(), size + 1, request.page_token)
        page = found[:size]
        return surrogate_pb2.ListSurrogatesResponse(
            surrogates=[codec.surrogate_to_proto(surrogate_view(each, all_versions=False)) for each in page],
            next_page_token=page[-1].id if len(found) > size else "",
        )

    async def SetCurrentVersion(
        self, request: surrogate_pb2.SetCurrentVersionRequest, context: Context
    ) -> surrogate_pb2.Surrogate:
        name, version = _identifier(request.name), request.version
        found = await asyncio.to_thread(self._surrogates.set_current, tenant(), name, version)
        return codec.surrogate_to_proto(surrogate_view(found))

    async def DeleteVersion(
        self, request: surrogate_pb2.DeleteVersionRequest, context: Context
    ) -> empty_pb2.Empty:
        name, version = _identifier(request.name), request.version
        await asyncio.to_thread(self._surrogates.delete_version, tenant(), name, version)
        return empty_pb2.Empty()

    async def DeleteSurrogate(
        self, request: surrogate_pb2.DeleteSurrogateRequest, context: Context
    ) -> empty_pb2.Empty:
        await asyncio.to_thread(self._surrogates.delete, tenant(), _identifier(request.name))
        return empty_pb2.Empty()


def pinned(surrogates: Surrogates, caller: str, study: str, options: study_pb2.SolveOptions) -> None:
    """Name the version that is to answer, in options that name a surrogate: the current one may be another tomorrow.

    study: kind of it. Raises NotFound, InvalidInput for what it does not answer, and FailedPrecondition where only a
    surrogate may and there is none.
    """
    request = codec.options_from_proto(options)
    if request.surrogate is None:
        if request.method == "surrogate" and (study not in ANSWERED or not surrogates.names(caller)):
            raise FailedPrecondition(
                f"No surrogate answers {study}: train one (client.train), or ask for method='auto' or 'solver'.",
                facts={"study": study},
            )
        return
    name, chosen = surrogates.version(caller, request.surrogate)
    if chosen.card.study != study:
        raise InvalidInput(
            f"{name} answers {chosen.card.study}, not {study}: leave it out",
            facts={"surrogate": name, "study": study},
        )
    known = (*chosen.card.quantities, *EXACT)
    unseen = [quantity for quantity in request.quantities or () if quantity not in known]
    if unseen and request.method == "surrogate":
        raise InvalidInput(
            f"{name} has never seen {', '.join(unseen)}; it knows {', '.join(known)}. Ask for method='auto', which "
            "solves for it.",
            facts={"surrogate": name, "quantities": ", ".join(unseen)},
        )
    options.surrogate = name


def _identifier(name: str) -> str:
    return name.partition("/")[2]
