"""Where things lie, which profile is meant, and from where each value comes."""
