"""The endpoints of the five documents, as the sandbox answers them."""
