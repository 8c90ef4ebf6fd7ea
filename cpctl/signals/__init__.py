"""What a production signal is: its kinds, its fields and their checks. No I/O."""
