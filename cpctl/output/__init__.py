"""What a person or a script sees. The only folder that knows rich."""
