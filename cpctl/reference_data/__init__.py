"""Tables of countries, their states, currencies and order states."""
