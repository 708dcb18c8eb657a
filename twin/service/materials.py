"""MaterialService: the library."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

from typing import Final, final

from protos.twin.v1 import material_pb2, material_pb2_grpc
from twin import codec, materials
from twin.service.interceptors.chain import Context
from twin.service.pages import page_size

_DEFAULT_PAGE: Final = 100


@final
class MaterialServicer(material_pb2_grpc.MaterialServiceServicer):
    """The same library for everyone."""

    async def ListMaterials(
        self, request: material_pb2.ListMaterialsRequest, context: Context
    ) -> material_pb2.ListMaterialsResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        following = [name for name in sorted(materials.names()) if name > request.page_token]
        page = following[:size]
        return material_pb2.ListMaterialsResponse(
            materials=[codec.library_entry_to_proto(name) for name in page],
            next_page_token=page[-1] if len(following) > size else "",
        )

    async def GetMaterial(
        self, request: material_pb2.GetMaterialRequest, context: Context
    ) -> material_pb2.Material:
        identifier = request.name.removeprefix("materials/")
        material = materials.by_identifier(identifier)
        return codec.library_entry_to_proto(str(material.name))
