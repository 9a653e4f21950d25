"""Reading the tables of a review package: the readers of every table of ours, under the name they have here."""

from balm.vocabulary.table_text import (
    MAX_CELL,
    MAX_PROBLEMS,
    as_cell,
    decode,
    read_cell,
    read_cells,
    read_table,
    unknown_name,
    write_table,
    written_cell,
)

__all__ = [
    "MAX_CELL",
    "MAX_PROBLEMS",
    "as_cell",
    "decode",
    "read_cell",
    "read_cells",
    "read_table",
    "unknown_name",
    "write_table",
    "written_cell",
]
