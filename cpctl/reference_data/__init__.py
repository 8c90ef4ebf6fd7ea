"""Lists of the field: countries, their states, currencies, states of orders. Data, and nothing that acts."""
