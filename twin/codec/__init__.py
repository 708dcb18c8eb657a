"""Domain types <-> messages of twin.v1: the only code that touches protobuf, besides servicers' signatures.

`x_to_proto` and `x_from_proto` are inverse to each other; what comes from outside is checked again by the
domain types, which raise the errors of twin.errors. `parse_x` reads a serialised message.
"""

from twin.codec.arrays import (
    CHUNK_BYTES,
    ENCODINGS,
    ArrayReader,
    ArrayRecord,
    Encoding,
    array_from_proto,
    array_messages,
    array_to_proto,
    chunk_from_proto,
    chunk_to_proto,
    header_to_proto,
    rows_per_chunk,
)
from twin.codec.errors import (
    DOMAIN,
    error_from_code,
    error_from_status,
    field_violations,
    status_from_error,
)
from twin.codec.geometries import parse_report, report_from_proto, report_to_proto
from twin.codec.materials import library_entry_to_proto, material_from_proto, material_to_proto
from twin.codec.results import ResultRecord, labels, result_from_proto, result_to_proto
from twin.codec.runs import (
    STATES,
    ProgressRecord,
    RunEvent,
    RunState,
    RunView,
    event_from_proto,
    event_to_proto,
    progress_from_proto,
    progress_to_proto,
    run_from_proto,
    run_study,
    run_to_proto,
    time_from_proto,
    time_to_proto,
)
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.codec.static_stress import (
    load_from_proto,
    load_to_proto,
    support_from_proto,
    support_to_proto,
)
from twin.codec.studies import (
    options_from_proto,
    options_to_proto,
    parse_options,
    parse_study,
    study_from_proto,
    study_kind,
    study_to_proto,
)
from twin.codec.validation import refusal
from twin.codec.vectors import vector_from_proto, vector_to_proto

__all__ = [
    "CHUNK_BYTES",
    "DOMAIN",
    "ENCODINGS",
    "STATES",
    "ArrayReader",
    "ArrayRecord",
    "Encoding",
    "ProgressRecord",
    "ResultRecord",
    "RunEvent",
    "RunState",
    "RunView",
    "array_from_proto",
    "array_messages",
    "array_to_proto",
    "chunk_from_proto",
    "chunk_to_proto",
    "error_from_code",
    "error_from_status",
    "event_from_proto",
    "event_to_proto",
    "field_violations",
    "header_to_proto",
    "labels",
    "library_entry_to_proto",
    "load_from_proto",
    "load_to_proto",
    "material_from_proto",
    "material_to_proto",
    "options_from_proto",
    "options_to_proto",
    "parse_options",
    "parse_report",
    "parse_study",
    "progress_from_proto",
    "progress_to_proto",
    "refusal",
    "report_from_proto",
    "report_to_proto",
    "result_from_proto",
    "result_to_proto",
    "rows_per_chunk",
    "run_from_proto",
    "run_study",
    "run_to_proto",
    "selector_from_proto",
    "selector_to_proto",
    "status_from_error",
    "study_from_proto",
    "study_kind",
    "study_to_proto",
    "support_from_proto",
    "support_to_proto",
    "time_from_proto",
    "time_to_proto",
    "vector_from_proto",
    "vector_to_proto",
]
