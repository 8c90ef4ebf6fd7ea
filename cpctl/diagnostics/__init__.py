"""Looking at the machine and the way to the service; handed all they look at."""
