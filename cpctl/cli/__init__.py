"""Words: what a person types and reads. The only folder that knows typer."""
