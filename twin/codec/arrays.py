"""Arrays: their description, and the bytes of their chunks."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import zstandard
from numpy.typing import NDArray

from protos.twin.v1 import array_pb2
from twin.codec.enums import EnumWords
from twin.errors import Internal

CHUNK_BYTES = 1 << 20
"""Most bytes of a chunk before encoding."""

Encoding = Literal["raw", "shuffle_zstd"]

_DATA_TYPES = {
    "<f4": array_pb2.DATA_TYPE_FLOAT32,
    "<f8": array_pb2.DATA_TYPE_FLOAT64,
    "<i4": array_pb2.DATA_TYPE_INT32,
    "<i8": array_pb2.DATA_TYPE_INT64,
    "|u1": array_pb2.DATA_TYPE_UINT8,
}
_LOCATIONS: EnumWords[Literal["", "node", "surface", "cell"], array_pb2.Location.ValueType] = EnumWords(
    "location",
    {
        "node": array_pb2.LOCATION_NODE,
        "surface": array_pb2.LOCATION_SURFACE,
        "cell": array_pb2.LOCATION_CELL,
        "": array_pb2.LOCATION_UNSPECIFIED,
    },
    "",
)
ENCODINGS: EnumWords[Encoding, array_pb2.Encoding.ValueType] = EnumWords(
    "encoding",
    {"raw": array_pb2.ENCODING_RAW, "shuffle_zstd": array_pb2.ENCODING_SHUFFLE_ZSTD},
    "raw",
)
_COMPONENTS = {1: (), 3: ("x", "y", "z"), 6: ("xx", "yy", "zz", "xy", "yz", "zx")}


@dataclass(frozen=True, slots=True)
class ArrayRecord:
    """What an array is. name: of the resource; dtype: numpy's, such as "<f8"; checksum: "sha256:..." of all.

    field: what it is called within its case or mesh; location "" where it is no field.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    checksum: str
    unit: str = ""
    location: Literal["", "node", "surface", "cell"] = ""
    field: str = ""

    @property
    def key(self) -> str:
        """The part of the name after "/arrays/"."""
        return self.name.partition("/arrays/")[2]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return np.dtype(self.dtype).itemsize * math.prod(self.shape[1:])


def array_to_proto(record: ArrayRecord) -> array_pb2.ArrayInfo:
    """The record as a message. Raises Internal for a type of element that has no place on the wire."""
    data_type = _DATA_TYPES.get(np.dtype(record.dtype).newbyteorder("<").str)
    if data_type is None:
        raise Internal(f"Array {record.name} holds {record.dtype}, which has no place on the wire.")
    columns = record.shape[1] if len(record.shape) == 2 and record.location else 0
    return array_pb2.ArrayInfo(
        name=record.name,
        data_type=data_type,
        shape=record.shape,
        unit=record.unit,
        location=_LOCATIONS.value(record.location),
        checksum=record.checksum,
        field=record.field,
        components=_COMPONENTS.get(columns, ()),
    )


def array_from_proto(message: array_pb2.ArrayInfo) -> ArrayRecord:
    """Inverse of `array_to_proto`."""
    for dtype, data_type in _DATA_TYPES.items():
        if data_type == message.data_type:
            return ArrayRecord(
                name=message.name,
                dtype=dtype,
                shape=tuple(message.shape),
                checksum=message.checksum,
                unit=message.unit,
                location=_LOCATIONS.word(message.location),
                field=message.field,
            )
    raise Internal(f"Array {message.name} has elements of type {message.data_type}, unknown to this version.")


def rows_per_chunk(row_bytes: int) -> int:
    """How many rows make a chunk of at most CHUNK_BYTES; at least one."""
    return max(1, CHUNK_BYTES // max(1, row_bytes))


def chunk_to_proto(
    data: bytes, item_bytes: int, row_bytes: int, encoding: Encoding
) -> array_pb2.ReadArrayResponse:
    """One chunk of whole rows. data: the rows as they are; item_bytes: size of an element."""
    encoded = _shuffled(data, item_bytes) if encoding == "shuffle_zstd" else data
    return array_pb2.ReadArrayResponse(
        chunk=array_pb2.ReadArrayResponse.Chunk(
            data=encoded,
            row_count=len(data) // row_bytes if row_bytes else 0,
            crc32=zlib.crc32(data),
        )
    )


def chunk_from_proto(
    message: array_pb2.ReadArrayResponse.Chunk, item_bytes: int, encoding: Encoding
) -> bytes:
    """The rows of a chunk as they are. Raises Internal where they were damaged on the way."""
    try:
        data = _unshuffled(message.data, item_bytes) if encoding == "shuffle_zstd" else message.data
    except zstandard.ZstdError as error:
        raise Internal(
            f"A chunk of an array can't be decompressed ({error}). Read the array again."
        ) from None
    if zlib.crc32(data) != message.crc32:
        raise Internal("A chunk of an array was damaged on the way: its CRC differs. Read the array again.")
    return data


def header_to_proto(
    record: ArrayRecord, offset_rows: int, row_count: int, encoding: Encoding
) -> array_pb2.ReadArrayResponse:
    """The first message of ReadArray's stream."""
    return array_pb2.ReadArrayResponse(
        header=array_pb2.ReadArrayResponse.Header(
            array=array_to_proto(record),
            offset_rows=offset_rows,
            row_count=row_count,
            encoding=ENCODINGS.value(encoding),
        )
    )


def array_messages(
    record: ArrayRecord, values: NDArray[Any], offset_rows: int, encoding: Encoding
) -> Iterator[array_pb2.ReadArrayResponse]:
    """ReadArray's whole stream for `values`, the rows of the array from offset_rows on."""
    yield header_to_proto(record, offset_rows, len(values), encoding)
    little = np.ascontiguousarray(values, dtype=np.dtype(record.dtype).newbyteorder("<"))
    step = rows_per_chunk(record.row_bytes)
    for start in range(0, len(little), step):
        rows = little[start : start + step].tobytes()
        yield chunk_to_proto(rows, little.itemsize, record.row_bytes, encoding)


@dataclass(slots=True)
class ArrayReader:
    """Puts ReadArray's stream together again: feed it every message, then ask for the rows."""

    record: ArrayRecord | None = None
    _encoding: Encoding = "raw"
    _rows: int = 0
    _data: bytearray | None = None

    def feed(self, message: array_pb2.ReadArrayResponse) -> None:
        """Take the next message. Raises Internal for a damaged one."""
        if message.HasField("header"):
            header = message.header
            self.record = array_from_proto(header.array)
            self._encoding = ENCODINGS.word(header.encoding)
            self._rows = header.row_count
            self._data = bytearray()
        elif self.record is None or self._data is None:
            raise Internal("The stream of an array began without its header. Read the array again.")
        else:
            self._data += chunk_from_proto(
                message.chunk, np.dtype(self.record.dtype).itemsize, self._encoding
            )

    def rows(self) -> NDArray[Any]:
        """The rows asked for, read-only. Raises Internal where some are missing or damaged."""
        if self.record is None or self._data is None:
            raise Internal("The stream of an array ended before its header. Read the array again.")
        expected = self._rows * self.record.row_bytes
        if len(self._data) != expected:
            raise Internal(
                f"The stream of {self.record.name} ended after {len(self._data)} of {expected} bytes."
            )
        shape = (self._rows, *self.record.shape[1:])
        return cast(NDArray[Any], np.frombuffer(bytes(self._data), dtype=self.record.dtype).reshape(shape))


def _shuffled(data: bytes, item_bytes: int) -> bytes:
    planes = np.frombuffer(data, dtype=np.uint8).reshape(-1, item_bytes).T
    return zstandard.ZstdCompressor(level=3).compress(planes.tobytes())


def _unshuffled(data: bytes, item_bytes: int) -> bytes:
    # The limit keeps a small message from growing into all memory.
    limit = zstandard.frame_content_size(data)
    if not 0 <= limit <= 2 * CHUNK_BYTES:
        raise Internal("A chunk of an array is larger than the contract allows.")
    planes = zstandard.ZstdDecompressor().decompress(data)
    if len(planes) % item_bytes:
        raise Internal(
            "A chunk of an array was damaged on the way: it ends within an element. Read it again."
        )
    return np.frombuffer(planes, dtype=np.uint8).reshape(item_bytes, -1).T.tobytes()
