"""Files of signals: tables, column mappings, rows, and importing them."""
